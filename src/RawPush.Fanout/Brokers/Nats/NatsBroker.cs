using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Shares channels with other nodes over NATS, without memory: what a node publishes goes to the nodes that have subscribers for it, and each keeps its own logs, in its own order and epoch.</summary>
/// <remarks>
/// Delivery between nodes is at most once. What a node may have missed – its connection was lost, its inbox was full, the numbers of another node have a hole – it says to its subscribers,
/// as a gap at that place. Safe for threads.
/// </remarks>
public sealed class NatsBroker : BusBroker
{
    // Channels whose last number is remembered, on the way out and in. Of one that is forgotten a single loss may stay unnoticed.
    private const int NumbersRemembered = 100_000;

    // How long a publish waits for those before it: as long as one may take.
    private static readonly TimeSpan TurnTimeout = NatsOptions.CommandTimeout;
    private static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(1);

    private readonly InProcessBroker _local;
    private readonly BusConfirmation _confirmation;
    private readonly ITimer _settled;
    private volatile bool _isSettling;
    private readonly CopyFilter _copies = new();
    private readonly RecentTable<(ChannelName Channel, ulong Node)> _received = new(NumbersRemembered);
    private readonly SemaphoreSlim _outgoing = new(1);
    private readonly RecentTable<ChannelName> _sent = new(NumbersRemembered);
    private long _number;

    /// <summary>Makes a broker that connects when it is attached.</summary>
    public NatsBroker(NatsBrokerSettings settings, IBusObserver observer, TimeProvider time)
        : base(settings, new BusSubjects(settings.Prefix), observer, time)
    {
        _local = new InProcessBroker(time);
        _confirmation = new BusConfirmation(Connection);
        _settled = time.CreateTimer(_ => MarkSettled(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public override ulong Epoch => _local.Epoch;

    /// <inheritdoc/>
    public override void Attach(ChannelHub hub)
    {
        _local.Attach(hub);
        base.Attach(hub);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _settled.DisposeAsync();
        await base.DisposeAsync();
    }

    /// <inheritdoc/>
    public override async ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default)
    {
        await WaitForConnectionAsync(cancellationToken);
        Check(message);
        if (message.Traits?.IdempotencyKey is { } key && Hub.FindPublished(channel, key) is { } published)
        {
            return new PublishReceipt(published, 0) { IsDuplicate = true };
        }

        // One at a time: numbers must leave in their order. The client gathers what is written into its buffer, so this waits for nothing but room in that,
        // which there is unless NATS has stopped reading.
        if (!await _outgoing.WaitAsync(TurnTimeout, cancellationToken))
        {
            throw NoBus();
        }

        try
        {
            if (!IsConnected)
            {
                // Lost meanwhile. The client would wait for it, and each of those behind as long again.
                throw NoBus();
            }

            long number = ++_number;
            var origin = new Origin(Epoch, number, _sent.Exchange(channel, number), Now());
            await Connection.PublishAsync(Subjects.Of(channel.Value), message.Payload, BusMessages.WriteFields(message, origin), cancellationToken: cancellationToken);
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, cancellationToken))
        {
            throw NoBus();
        }
        finally
        {
            _outgoing.Release();
        }

        var receipt = await _local.PublishAsync(channel, message, CancellationToken.None);
        await ConfirmAsync();
        return receipt;
    }

    private async Task ConfirmAsync()
    {
        try
        {
            await _confirmation.WaitAsync();
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, CancellationToken.None))
        {
            throw BusFaults.NotConfirmed();
        }
    }

    private protected override void OnOpened()
    {
        Open();

        // The servers of a cluster hear of our subscriptions one after the other: what was published meanwhile elsewhere may not have come.
        _isSettling = Reconnects > 0;
        _settled.Change(SettlingTime, Timeout.InfiniteTimeSpan);
    }

    private void MarkSettled()
    {
        // Not after the first time: nobody had been told before that he gets everything.
        if (_isSettling)
        {
            _isSettling = false;
            Inbox.Mark(null);
        }
    }

    private protected override void OnPathLost()
    {
        // Otherwise it is told of in a moment.
        if (!_isSettling)
        {
            Inbox.Mark(null);
        }
    }

    private protected override void OnInterestBegun(Interest interest)
    {
        // Until NATS has heard of it, more may be missed.
    }

    // A server answers a ping when it has done what was asked before.
    private protected override async Task ConfirmInterestAsync(List<Interest> interests, CancellationToken cancellationToken)
    {
        await Connection.PingAsync(cancellationToken);

        // Who waits for this has missed nothing; who comes back from before has, and so has who was let in without a connection.
        interests.ForEach(interest => _local.Miss(interest.Filter));
    }

    private protected override async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await Inbox.WaitAsync(cancellationToken))
        {
            while (Inbox.TryTake(out var delivery))
            {
                if (delivery.Bytes is null)
                {
                    Miss(delivery.Subject);
                }
                else if (Subjects.TryRead(delivery.Subject!, out var channel) && !(Interests.HasPatterns && _copies.IsCopy(delivery)))
                {
                    await AppendAsync(channel, delivery);
                }
            }
        }
    }

    private async ValueTask AppendAsync(ChannelName channel, BusDelivery delivery)
    {
        if (!BusMessages.TryRead(Connection.HeaderParser, delivery, out var message, out var origin))
        {
            Lose(channel);
            return;
        }

        if (origin is { } sender)
        {
            long previous = _received.Exchange((channel, sender.Node), sender.Number);
            if (previous > 0 && sender.Previous > previous)
            {
                Lose(channel);
            }
        }

        try
        {
            // It waits for room in the log, as publishers do, while what comes waits in the inbox; but not for shards that have ended.
            var publishing = _local.PublishAsync(channel, message, CancellationToken.None);
            if (!publishing.IsCompletedSuccessfully)
            {
                await publishing.AsTask().WaitAsync(Ending);
            }

            if (origin is not null)
            {
                OnLag?.Invoke(TimeSpan.FromMicroseconds(Math.Max(0, Now() - origin.Value.SentMicroseconds)));
            }
        }
        catch (PublishRefusedException)
        {
            // The node has no room for another channel, and patterns may have wanted it.
            Lose(channel);
        }
    }

    private void Miss(string? subject)
    {
        if (subject is null)
        {
            foreach (var interest in Interests.All())
            {
                CountHole();
                _local.Miss(interest.Filter);
            }
        }
        else if (Subjects.TryRead(subject, out var channel))
        {
            Lose(channel);
        }
    }

    private void Lose(ChannelName channel)
    {
        CountHole();
        _local.Lose(channel);
    }

    private long Now() => (Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
