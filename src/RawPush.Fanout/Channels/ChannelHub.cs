using RawPush.Fanout.Brokers;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Publishing;

namespace RawPush.Fanout.Channels;

/// <summary>The channels of this node. A channel exists while somebody subscribes to it or something of it is kept.</summary>
/// <remarks>Join and leave run on the subscriber's shard; <see cref="Append"/> is called by the broker, one message at a time, in the order of sequences.
/// <see cref="Sweep"/> wants to be called once a second.</remarks>
public sealed partial class ChannelHub
{
    private readonly Lock _seeding = new();
    private readonly ChannelDirectory _directory;
    private readonly NamespaceMap _namespaces;
    private readonly ExpiryQueue _expiries = new();
    private readonly List<Channel> _matches = [];   // Scratch of Append and Lose.
    private readonly TimeProvider _time;
    private long _watermark;
    private long _appended;

    /// <summary>Makes an empty hub.</summary>
    /// <param name="limits">What channels may hold.</param>
    /// <param name="broker">Told which channels this node is interested in.</param>
    /// <param name="shardCount">How many shards will join subscribers; their indexes are 0 to one less.</param>
    /// <param name="time">The clock of everything that gets old; the system's if null.</param>
    public ChannelHub(ChannelLimits limits, IBroker broker, int shardCount, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(broker);
        ArgumentOutOfRangeException.ThrowIfLessThan(shardCount, 1);
        Broker = broker;
        _time = time ?? TimeProvider.System;
        Limits = limits;
        Budget = new MemoryBudget(limits.MemoryBudgetBytes);
        _namespaces = new NamespaceMap(limits, Budget, _time);
        _directory = new ChannelDirectory(_namespaces, limits.ChannelsMax, shardCount);
    }

    /// <summary>Where the hub's messages come from.</summary>
    public IBroker Broker { get; }

    /// <summary>What the hub's channels may hold.</summary>
    public ChannelLimits Limits { get; }

    /// <summary>What messages may take of the memory, and do.</summary>
    public MemoryBudget Budget { get; }

    /// <summary>How many channels have subscribers or history on this node.</summary>
    public int ChannelCount => _directory.Count;

    /// <summary>How many patterns have subscribers on this node.</summary>
    public int PatternCount => _directory.PatternCount;

    /// <summary>The id of the newest message that is in its logs.</summary>
    public MessageId Newest => new(Broker.Epoch, Appended);

    /// <summary>Every message before this sequence is in its logs, so messages of several channels can be put in order up to here.</summary>
    internal long Watermark => Volatile.Read(ref _watermark);

    /// <summary>Every message up to this sequence is in its logs.</summary>
    internal long Appended => Volatile.Read(ref _appended);

    /// <summary>Whether a message of the channel would go anywhere.</summary>
    public bool IsWanted(ChannelName name) => _directory.Find(name) is not null || _directory.PatternCount > 0 || HasHistory(name);

    /// <summary>Whether messages of the channel are kept for those who come back.</summary>
    public bool HasHistory(ChannelName name) => _namespaces.HasHistory && _namespaces.Find(name).Settings.HasHistory;

    /// <summary>The id of the message that was published to the channel with this idempotency key, if it is kept.</summary>
    public MessageId? FindPublished(ChannelName name, string idempotencyKey) => _directory.Find(name)?.FindPublished(idempotencyKey);

    /// <summary>Appends a message to its channel's log and to those of matching patterns, if somebody subscribes or it is to be kept.</summary>
    /// <param name="name">The channel.</param>
    /// <param name="message">What was published.</param>
    /// <param name="frame">From <see cref="CreateFrame"/>; null lets the hub make it, should it be needed after all.</param>
    /// <param name="id">Its place in the stream. Sequences must rise from call to call; one that does not is late: what is not behind it in the logs of its channel and of patterns takes its
    /// place there, and subscribers that have gone past it are told that they missed it.</param>
    /// <param name="timeMs">When it was published, in milliseconds of Unix time; 0 for now.</param>
    /// <exception cref="PublishRefusedException">The message would have to be kept, and the node has as many channels as it may have.</exception>
    public AppendedMessage Append(ChannelName name, in PushMessage message, byte[]? frame, MessageId id, long timeMs = 0)
    {
        bool isLate = id.Sequence <= Appended;
        Entry? entry = null;
        // Before the append: a walk that finds the message must find it within the watermark, or it would count as offered to subscribers of
        // several channels that were not given it, and the log might drop it before they are visited again.
        Volatile.Write(ref _watermark, Math.Max(_watermark, id.Sequence));
        var arrival = new Arrival(name, message, frame, id, timeMs, isLate);
        var channel = AppendToChannel(arrival, ref entry);
        var patterns = _directory.PatternCount == 0 ? [] : AppendToPatterns(arrival, ref entry);
        Volatile.Write(ref _appended, Math.Max(_appended, id.Sequence));
        return new AppendedMessage(id, channel, patterns);
    }

    /// <summary>Notes that messages may be missing at this place of what is subscribed to by just this name or pattern: subscribers are told, and those who come back to a place before it.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="sequence">A place of its own in the stream, in order with those of <see cref="Append"/>, or late as one of those may be.</param>
    public void Miss(ChannelFilter filter, long sequence)
    {
        bool isLate = BeginMiss(sequence);
        MissBy(filter, sequence, isLate);
        EndMiss(sequence);
    }

    /// <summary>Notes that messages of a channel were lost at this place: to all who would have got them, those with a pattern included.</summary>
    /// <param name="name">Which.</param>
    /// <param name="sequence">As for <see cref="Miss"/>.</param>
    public void Lose(ChannelName name, long sequence)
    {
        bool isLate = BeginMiss(sequence);
        MissBy(name, sequence, isLate);
        _directory.ForgetForPatterns(name, sequence);
        _matches.Clear();
        _directory.FindPatterns(name, _matches);
        foreach (var pattern in _matches)
        {
            pattern.TryMiss(sequence, isLate);
        }

        EndMiss(sequence);
    }

    /// <summary>Subscriptions on this node to which a message of the channel would go.</summary>
    public int CountSubscribers(ChannelName name)
    {
        int count = _directory.Find(name)?.Subscribers ?? 0;
        if (PatternCount > 0)
        {
            var matches = new List<Channel>();
            _directory.FindPatterns(name, matches);
            count += matches.Sum(pattern => pattern.Subscribers);
        }

        return count;
    }

    /// <summary>Whether somebody on this node subscribes to the channel or pattern.</summary>
    public bool HasSubscribers(ChannelFilter filter) => _directory.Find(filter) is { Subscribers: > 0 };

    /// <summary>Copies a message into the buffer that its log entry will own; apart, so that it is not done under the broker's lock.</summary>
    public static byte[] CreateFrame(in PushMessage message) => Entry.CreateFrame(message);

    /// <summary>Drops what has become too old, or too much for the memory that is left. To be called once a second, from one thread at a time.</summary>
    /// <returns>Whether a crowd of channels has gone, and left memory behind that is worth a collection.</returns>
    public bool Sweep()
    {
        long nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        while (_expiries.TakeDue(nowMs) is { } channel)
        {
            SweepChannel(channel, isDue: true);
        }

        foreach (var channel in Budget.IsShort ? _directory.All() : _directory.AllPatterns())
        {
            SweepChannel(channel, isDue: false);
        }

        _expiries.ForgetRetired(_directory.Count);
        bool isLess = _directory.TrimExcess();
        if (isLess)
        {
            _expiries.TrimExcess();
        }

        return isLess;
    }

    /// <summary>What a channel holds. Null: there is no such channel.</summary>
    public ChannelReport? Describe(ChannelName name) => _directory.Find(name)?.Describe();

    /// <summary>The same of a channel that this node has nothing of.</summary>
    public ChannelReport DescribeAbsent(ChannelName name) => new(name.Value, 0, 0, 0, 0, 0, 0, 0, _namespaces.Find(name).Settings);

    /// <summary>Channels and patterns by name, from one on.</summary>
    /// <param name="after">The name after which to begin; empty for the first.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="filter">Which channels; null for all, and patterns.</param>
    /// <remarks>Looks at every channel: for people and tools, not for each message.</remarks>
    public IReadOnlyList<ChannelReport> List(string after, int count, ChannelFilter? filter = null)
    {
        // The largest of those chosen comes out first, so that the smallest stay.
        var chosen = new PriorityQueue<Channel, string>(Comparer<string>.Create(static (left, right) => string.CompareOrdinal(right, left)));
        foreach (var channel in _directory.All())
        {
            string name = channel.Filter.Value;
            if (string.CompareOrdinal(name, after) > 0 && (filter is null || filter.Value.Covers(channel.Filter)))
            {
                chosen.Enqueue(channel, name);
                if (chosen.Count > count)
                {
                    chosen.Dequeue();
                }
            }
        }

        return [.. chosen.UnorderedItems.Select(item => item.Element.Describe()).OrderBy(report => report.Name, StringComparer.Ordinal)];
    }

    /// <summary>Joins a subscriber to a channel or a pattern. O(1). Null: the node has as many as it may have.</summary>
    internal Subscription? Join(Subscriber subscriber, ChannelFilter filter, out LogExtent extent)
    {
        while (true)
        {
            extent = default;
            var channel = GetOrAdd(filter);
            if (channel is null)
            {
                return null;
            }

            var subscription = new Subscription(subscriber, channel);
            if (channel.TryJoin(subscription, out bool isFirst, out extent))
            {
                if (isFirst)
                {
                    Broker.AddInterest(filter);
                }

                return subscription;
            }

            // Retired between our look and our join, and about to be taken out by whoever retired it; do it for them.
            _directory.Remove(channel);
        }
    }

    /// <summary>Takes a subscriber out of a channel. O(1), however many others there are.</summary>
    internal void Leave(Subscription subscription)
    {
        var channel = subscription.Channel;
        if (channel.Leave(subscription, out bool isLast))
        {
            _directory.Remove(channel);
        }

        if (isLast)
        {
            Broker.RemoveInterest(channel.Filter);
        }
    }

    /// <summary>Gives the log of a pattern what its channels have kept from before somebody subscribed to it. Once; whoever comes back needs it.</summary>
    /// <remarks>Costs a look at every entry that is kept in a matching channel.</remarks>
    /// <returns>Up to where messages that match are gone.</returns>
    internal long Seed(Channel pattern)
    {
        lock (_seeding)
        {
            if (!pattern.IsSeeded)
            {
                var entries = new List<Entry>();
                var channels = _directory.FindHistory(pattern.Filter, out long droppedThrough);
                foreach (var channel in channels)
                {
                    channel.CopyTo(entries, out long dropped);
                    droppedThrough = Math.Max(droppedThrough, dropped);
                }

                entries.Sort(static (left, right) => left.Sequence.CompareTo(right.Sequence));

                // What was lost since the pattern has a log is no loss there, and who has read that log all the time must not be told that it was.
                pattern.Seed(entries, Math.Min(droppedThrough, pattern.BornAt));
                pattern.IsSeeded = true;
            }

            return pattern.Describe().DroppedThrough;
        }
    }

    private Channel? AppendToChannel(in Arrival arrival, ref Entry? entry)
    {
        while (true)
        {
            var channel = FindToAppend(arrival.Name, arrival.Id.Sequence);
            if (channel is null)
            {
                return null;
            }

            entry ??= arrival.ToEntry(channel.Filter.ToName(), channel.Namespace);
            if (channel.TryAppend(entry, arrival.IsLate, out long sweepDueMs))
            {
                ScheduleSweep(channel, sweepDueMs);
                if (!channel.Namespace.Settings.HasHistory)
                {
                    _directory.ForgetForPatterns(arrival.Name, arrival.Id.Sequence);
                }

                return channel;
            }

            _directory.Remove(channel);
        }
    }

    private Channel? FindToAppend(ChannelName name, long sequence)
    {
        if (_directory.Find(name) is { } channel)
        {
            return channel;
        }

        if (!HasHistory(name))
        {
            return _directory.Forget(name, sequence);
        }

        return _directory.GetOrAdd(name)
            ?? throw new PublishRefusedException(PublishRefusal.TooManyChannels, "the server has as many channels as it may have, and could not keep this message");
    }

    // True: it is late. The watermark goes on before what is noted, and what counts as appended behind it, as in Append.
    private bool BeginMiss(long sequence)
    {
        bool isLate = sequence <= Appended;
        Volatile.Write(ref _watermark, Math.Max(_watermark, sequence));
        return isLate;
    }

    private void MissBy(ChannelFilter filter, long sequence, bool isLate)
    {
        while (_directory.Miss(filter, sequence) is { } channel && !channel.TryMiss(sequence, isLate))
        {
            _directory.Remove(channel);
        }
    }

    private void EndMiss(long sequence) => Volatile.Write(ref _appended, Math.Max(_appended, sequence));

    // After the channel: a pattern that comes too late for the message finds it there.
    private Channel[] AppendToPatterns(in Arrival arrival, ref Entry? entry)
    {
        _matches.Clear();
        _directory.FindPatterns(arrival.Name, _matches);
        foreach (var pattern in _matches)
        {
            entry ??= arrival.ToEntry(arrival.Name, _namespaces.Find(arrival.Name));
            pattern.TryAppend(entry, arrival.IsLate, out _);
        }

        return [.. _matches];
    }

    private void SweepChannel(Channel channel, bool isDue)
    {
        if (channel.Sweep(isDue, out long sweepDueMs))
        {
            _directory.Remove(channel);
            if (channel.Filter.IsPattern)
            {
                Broker.RemoveInterest(channel.Filter);
            }
        }
        else
        {
            ScheduleSweep(channel, sweepDueMs);
        }
    }

    private void ScheduleSweep(Channel channel, long dueMs)
    {
        if (dueMs > 0)
        {
            _expiries.Add(channel, dueMs);
        }
    }

    /// <summary>A message on its way into the logs.</summary>
    private readonly record struct Arrival(ChannelName Name, PushMessage Message, byte[]? Frame, MessageId Id, long TimeMs, bool IsLate)
    {
        public Entry ToEntry(ChannelName name, NamespaceState state) => new(name, Message, Frame ?? Entry.CreateFrame(Message), Id, state, TimeMs);
    }
}
