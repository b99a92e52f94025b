using System.Threading.Channels;
using NATS.Client.Core;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>What this node listens to: a subscription for each channel and pattern that somebody here subscribes to, or did a moment ago. Safe for threads.</summary>
/// <remarks>NATS is asked in the order of the calls by one task, so that a crowd's subscriptions go out together and are waited for together.</remarks>
internal sealed class InterestTable(INatsConnection connection, BusSubjects subjects, BusInbox inbox, TimeProvider time, TimeSpan linger, Action<Interest> onBegin,
    Func<List<Interest>, CancellationToken, Task> confirm)
{
    private static readonly TimeSpan RetryWait = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<ChannelFilter, Interest> _interests = [];   // Its own lock.
    private readonly Queue<(ChannelFilter Filter, long At)> _idle = [];     // Those that may have nobody any more; the same lock.
    private volatile Interest[] _patterns = [];
    private readonly Channel<Interest> _asked = System.Threading.Channels.Channel.CreateUnbounded<Interest>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>How many there may be; one more is refused. As many as can be joined, since who has asked may not join after all.</summary>
    public long Max { get; set; } = long.MaxValue;

    /// <summary>How many channels and patterns there are. Any thread.</summary>
    public int Count
    {
        get
        {
            lock (_interests)
            {
                return _interests.Count;
            }
        }
    }

    /// <summary>Some are patterns, so messages may come more than once. Any thread.</summary>
    public bool HasPatterns => _patterns.Length > 0;

    /// <summary>Those that are patterns. Any thread; not to be changed.</summary>
    public Interest[] Patterns => _patterns;

    /// <summary>Listens to a channel or pattern. The task ends when NATS has heard of it; somebody has to join within the time that interest lingers.</summary>
    /// <exception cref="BusUnavailableException">There are as many as there may be.</exception>
    public Task AddAsync(ChannelFilter filter)
    {
        lock (_interests)
        {
            if (!_interests.TryGetValue(filter, out var interest))
            {
                if (_interests.Count >= Max)
                {
                    return Task.FromException(new BusUnavailableException());
                }

                interest = new Interest(filter);
                _interests.Add(filter, interest);
                if (filter.IsPattern)
                {
                    _patterns = [.. _patterns, interest];
                }

                onBegin(interest);
                _asked.Writer.TryWrite(interest);
            }

            if (!interest.Ready.Task.IsCompleted || interest.IsIdle)
            {
                EnqueueIdleLocked(interest);
            }

            return interest.Ready.Task;
        }
    }

    /// <summary>What is known of a channel or pattern that is listened to; null: it is not.</summary>
    public Interest? Find(ChannelFilter filter)
    {
        lock (_interests)
        {
            return _interests.GetValueOrDefault(filter);
        }
    }

    /// <summary>Nobody subscribes any more, as far as the caller knows.</summary>
    public void Linger(ChannelFilter filter)
    {
        lock (_interests)
        {
            if (_interests.TryGetValue(filter, out var interest))
            {
                EnqueueIdleLocked(interest);
            }
        }
    }

    /// <summary>All that is listened to, now.</summary>
    public Interest[] All()
    {
        lock (_interests)
        {
            return [.. _interests.Values];
        }
    }

    /// <summary>Ends the interest in what nobody has wanted for long enough. To be called now and then.</summary>
    /// <param name="isWanted">Whether somebody subscribes.</param>
    public async Task SweepAsync(Func<ChannelFilter, bool> isWanted)
    {
        foreach (var subscription in TakeIdle(isWanted))
        {
            try
            {
                await subscription.DisposeAsync();
            }
            catch (Exception exception) when (BusFaults.IsOfConnection(exception, CancellationToken.None))
            {
                // It is over on our side. NATS goes on sending to it until the connection breaks, which is what a connection does that takes nothing.
            }
        }
    }

    /// <summary>Tells NATS what has been asked for, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var batch = new List<Interest>();
        while (await _asked.Reader.WaitToReadAsync(cancellationToken))
        {
            while (_asked.Reader.TryRead(out var interest))
            {
                var subscription = await SubscribeAsync(interest, cancellationToken);
                lock (_interests)
                {
                    interest.Subscription = subscription;
                }

                batch.Add(interest);
            }

            await ConfirmAsync(batch, cancellationToken);
        }
    }

    private async Task<BusSubscription> SubscribeAsync(Interest interest, CancellationToken cancellationToken)
    {
        while (true)
        {
            var subscription = new BusSubscription(connection, subjects.ToListen(interest.Filter.Value), inbox, interest);
            try
            {
                await connection.AddSubAsync(subscription, cancellationToken);
                return subscription;
            }
            catch (Exception exception) when (BusFaults.IsOfConnection(exception, cancellationToken))
            {
                // NATS may have heard of it all the same: what comes by it comes by the one that takes its place as well.
                subscription.IsOver = true;
                await Task.Delay(RetryWait, time, cancellationToken);
            }
        }
    }

    // Should the connection break, the client asks for everything anew when it is back.
    private async Task ConfirmAsync(List<Interest> batch, CancellationToken cancellationToken)
    {
        await BusFaults.RetryAsync(
            async () =>
            {
                await confirm(batch, cancellationToken);
                return true;
            },
            RetryWait,
            time,
            cancellationToken);
        batch.ForEach(static interest => interest.Ready.TrySetResult());
        batch.Clear();
    }

    private void EnqueueIdleLocked(Interest interest)
    {
        interest.IdleSince = time.GetTimestamp();
        if (!interest.IsIdle)
        {
            interest.IsIdle = true;
            _idle.Enqueue((interest.Filter, interest.IdleSince));
        }
    }

    private List<BusSubscription> TakeIdle(Func<ChannelFilter, bool> isWanted)
    {
        var over = new List<BusSubscription>();
        lock (_interests)
        {
            while (_idle.TryPeek(out var next) && time.GetElapsedTime(next.At) >= linger)
            {
                _idle.Dequeue();
                var interest = _interests[next.Filter];
                if (isWanted(next.Filter))
                {
                    interest.IsIdle = false;
                }
                else if (interest.Subscription is null || interest.IdleSince > next.At)
                {
                    _idle.Enqueue((next.Filter, interest.Subscription is null ? time.GetTimestamp() : interest.IdleSince));
                }
                else
                {
                    EndLocked(interest);
                    over.Add(interest.Subscription);
                }
            }
        }

        return over;
    }

    private void EndLocked(Interest interest)
    {
        // What still comes by it may also come by the one that takes its place.
        interest.Subscription!.IsOver = true;
        _interests.Remove(interest.Filter);
        if (interest.Filter.IsPattern)
        {
            _patterns = [.. _patterns.Where(pattern => pattern != interest)];
        }
    }
}
