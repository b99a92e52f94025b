using NATS.Client.Core;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Shares channels with other nodes over NATS, without memory: what a node publishes goes to the nodes that have subscribers for it, and each keeps its own logs, in its own order and epoch.</summary>
/// <remarks>
/// Delivery between nodes is at most once. What a node may have missed – its connection was lost, its inbox was full, the numbers of another node have a hole – it says to its subscribers,
/// as a gap at that place. Safe for threads.
/// </remarks>
public sealed class NatsBroker : IBroker, IAsyncDisposable
{
    // Channels whose last number is remembered, on the way out and in. Of one that is forgotten a single loss may stay unnoticed.
    private const int NumbersRemembered = 100_000;

    // How long a publish waits for those before it: as long as one may take.
    private static readonly TimeSpan TurnTimeout = NatsOptions.CommandTimeout;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly NatsBrokerSettings _settings;
    private readonly IBusObserver _observer;
    private readonly TimeProvider _time;
    private readonly InProcessBroker _local;
    private readonly NatsConnection _connection;
    private readonly BusSubjects _subjects;
    private readonly BusInbox _inbox = new();
    private readonly BusTrouble _trouble;
    private readonly InterestTable _interests;
    private readonly CopyFilter _copies = new();
    private readonly RecentTable<(ChannelName Channel, ulong Node)> _received = new(NumbersRemembered);
    private readonly SemaphoreSlim _outgoing = new(1);
    private readonly RecentTable<ChannelName> _sent = new(NumbersRemembered);
    private readonly CancellationTokenSource _ending = new();
    private readonly List<Task> _tasks = [];
    private ChannelHub? _hub;
    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);      // Completed while there is a connection.
    private TaskCompletionSource _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);   // Completed while there is none.
    private long _number;
    private long _holes;
    private long _reconnects;

    /// <summary>Makes a broker that connects when it is attached.</summary>
    public NatsBroker(NatsBrokerSettings settings, IBusObserver observer, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _observer = observer;
        _time = time;
        _local = new InProcessBroker(time);
        _connection = new NatsConnection(NatsOptions.From(settings));
        _subjects = new BusSubjects(settings.Prefix);
        _trouble = new BusTrouble(settings.Urls!, time);
        _interests = new InterestTable(_connection, _subjects, _inbox, time, settings.InterestLinger, _local.Miss);
        _connection.ConnectionOpened += OnOpened;
        _connection.ConnectionDisconnected += OnDisconnected;
        _connection.ServerError += OnServerError;
    }

    /// <inheritdoc/>
    public ulong Epoch => _local.Epoch;

    /// <inheritdoc/>
    public bool IsConnected => _connection.ConnectionState == NatsConnectionState.Open;

    /// <inheritdoc/>
    public string? Trouble => IsConnected ? null : _trouble.ToString();

    /// <summary>Channels and patterns that this node listens to.</summary>
    public int InterestCount => _interests.Count;

    /// <summary>Losses that were noticed: each is a gap for the channel's subscribers.</summary>
    public long Holes => Interlocked.Read(ref _holes);

    /// <summary>How often the connection was lost and came back.</summary>
    public long Reconnects => Interlocked.Read(ref _reconnects);

    /// <summary>Messages from other nodes that found the inbox full.</summary>
    public long Dropped => _inbox.Dropped;

    /// <summary>Told how long each message took from its publishing node's call to this node's log.</summary>
    public Action<TimeSpan>? OnLag { get; set; }

    /// <inheritdoc/>
    public void Attach(ChannelHub hub)
    {
        _hub = hub;
        _local.Attach(hub);
        var token = _ending.Token;
        _tasks.Add(Task.Run(() => UntilEnd(async () => await _connection.ConnectAsync())));
        _tasks.Add(Task.Run(() => UntilEnd(() => _interests.RunAsync(token))));
        _tasks.Add(Task.Run(() => UntilEnd(() => ReceiveAsync(token))));
        _tasks.Add(Task.Run(() => UntilEnd(() => SweepAsync(token))));
    }

    /// <inheritdoc/>
    public async ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default)
    {
        await WaitForConnectionAsync(cancellationToken);
        Check(message);
        if (message.Traits?.IdempotencyKey is { } key && _hub!.FindPublished(channel, key) is { } published)
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
            await _connection.PublishAsync(_subjects.Of(channel.Value), message.Payload, BusMessages.WriteFields(message, origin), cancellationToken: cancellationToken);
        }
        catch (Exception exception) when (BusErrors.IsNotTaken(exception, cancellationToken))
        {
            throw NoBus();
        }
        finally
        {
            _outgoing.Release();
        }

        return await _local.PublishAsync(channel, message, CancellationToken.None);
    }

    /// <inheritdoc/>
    public Task PrepareAsync(ReadOnlySpan<ChannelFilter> channels)
    {
        bool isConnected = IsConnected;
        if (!isConnected && _settings.WithoutBus == WithoutBus.Fail)
        {
            return Task.FromException(new BusUnavailableException());
        }

        List<Task>? pending = null;
        foreach (var channel in channels)
        {
            var ready = _interests.AddAsync(channel);
            if (!ready.IsCompleted)
            {
                (pending ??= []).Add(ready);
            }
        }

        return pending is null || !isConnected ? Task.CompletedTask : Task.WhenAny(Task.WhenAll(pending), Volatile.Read(ref _disconnected).Task);
    }

    /// <inheritdoc/>
    public void AddInterest(ChannelFilter channel) => _ = _interests.AddAsync(channel);

    /// <inheritdoc/>
    public void RemoveInterest(ChannelFilter channel) => _interests.Linger(channel);

    /// <summary>Says goodbye to NATS; what was published has left.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        try
        {
            await _connection.DisposeAsync();
        }
        catch (Exception exception) when (BusErrors.IsNotTaken(exception, CancellationToken.None))
        {
            // NATS does not take our goodbye, and finds out by itself.
        }

        await Task.WhenAll(_tasks);
        _outgoing.Dispose();
        _ending.Dispose();
    }

    private static PublishRefusedException NoBus() => new(PublishRefusal.NoBus, "the server is cut off from the others at the moment; nothing was published");

    private async ValueTask WaitForConnectionAsync(CancellationToken cancellationToken)
    {
        if (!IsConnected && _settings.PublishWait > TimeSpan.Zero)
        {
            await Task.WhenAny(Volatile.Read(ref _connected).Task, Task.Delay(_settings.PublishWait, _time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }

        if (!IsConnected)
        {
            throw NoBus();
        }
    }

    private void Check(in PushMessage message)
    {
        // What is not the payload takes less than this: five fields of at most 255 bytes, and their names.
        const int FieldsBytesMax = 2048;
        long max = _connection.ServerInfo?.MaxPayload ?? long.MaxValue;
        if (message.Payload.Length + FieldsBytesMax > max)
        {
            throw new PublishRefusedException(PublishRefusal.TooLarge, $"a message is at most {max - FieldsBytesMax} bytes long, by the limit of NATS (max_payload)");
        }
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await _inbox.WaitAsync(cancellationToken))
        {
            while (_inbox.TryTake(out var delivery))
            {
                if (delivery.Bytes is null)
                {
                    Miss(delivery.Subject);
                }
                else if (_subjects.TryRead(delivery.Subject!, out var channel) && !(_interests.HasPatterns && _copies.IsCopy(delivery)))
                {
                    await AppendAsync(channel, delivery);
                }
            }
        }
    }

    private async ValueTask AppendAsync(ChannelName channel, BusDelivery delivery)
    {
        if (!BusMessages.TryRead(_connection.HeaderParser, delivery, out var message, out var origin))
        {
            Miss(channel);
            return;
        }

        if (origin is { } sender)
        {
            long previous = _received.Exchange((channel, sender.Node), sender.Number);
            if (previous > 0 && sender.Previous > previous)
            {
                Miss(channel);
            }
        }

        try
        {
            // It waits for room in the log, as publishers do, while what comes waits in the inbox; but not for shards that have ended.
            var publishing = _local.PublishAsync(channel, message, CancellationToken.None);
            if (!publishing.IsCompletedSuccessfully)
            {
                await publishing.AsTask().WaitAsync(_ending.Token);
            }

            if (origin is not null)
            {
                OnLag?.Invoke(TimeSpan.FromMicroseconds(Math.Max(0, Now() - origin.Value.SentMicroseconds)));
            }
        }
        catch (PublishRefusedException)
        {
            // The node has no room for another channel: nobody here subscribes to it.
            Interlocked.Increment(ref _holes);
        }
    }

    private void Miss(string? subject)
    {
        if (subject is null)
        {
            foreach (var filter in _interests.All())
            {
                Miss(filter);
            }
        }
        else if (_subjects.TryRead(subject, out var channel))
        {
            Miss(channel);
        }
    }

    private void Miss(ChannelFilter filter)
    {
        Interlocked.Increment(ref _holes);
        _local.Miss(filter);
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(SweepInterval, _time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            await _interests.SweepAsync(_hub!.HasSubscribers);
        }
    }

    private ValueTask OnOpened(object? sender, NatsEventArgs args)
    {
        _trouble.End();
        _inbox.Reconnect();
        Volatile.Write(ref _disconnected, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Volatile.Read(ref _connected).TrySetResult();
        _observer.OnConnected(args.Message);
        return ValueTask.CompletedTask;
    }

    private ValueTask OnDisconnected(object? sender, NatsEventArgs args)
    {
        _trouble.Begin();
        _inbox.CutOff();
        Interlocked.Increment(ref _reconnects);
        Volatile.Write(ref _connected, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Volatile.Read(ref _disconnected).TrySetResult();
        _observer.OnDisconnected(args.Message);
        return ValueTask.CompletedTask;
    }

    private ValueTask OnServerError(object? sender, NatsServerErrorEventArgs args)
    {
        _trouble.Note(args.Error);
        return ValueTask.CompletedTask;
    }

    private long Now() => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private async Task UntilEnd(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception) when (_ending.IsCancellationRequested)
        {
            // The broker ends, and its connection with it.
        }
        catch (Exception exception)
        {
            _observer.OnFault(exception);
        }
    }
}
