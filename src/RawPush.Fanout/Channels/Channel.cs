using RawPush.Fanout.Delivery;

namespace RawPush.Fanout.Channels;

/// <summary>One channel on this node, or one pattern that somebody subscribes to: its log, and its subscribers, a list per shard.</summary>
/// <remarks>
/// Publishers append from any thread; shards join, leave and read. <see cref="_lock"/> guards the log and the counts, is held for a few
/// instructions, and nothing is called under it. Order where locks nest: the broker's stream lock, the directory's, then this one.
/// </remarks>
internal sealed class Channel
{
    /// <summary>What a channel costs beside its entries: the objects, its places in the directory and the queue.</summary>
    public const int OverheadBytes = 1024;

    /// <summary>Sweeps that a pattern without subscribers outlives.</summary>
    public const int PatternIdleSweepsMax = 10;

    private readonly Lock _lock = new();
    private readonly ChannelLog _log;
    private readonly ChannelMembers?[] _members;
    private int _subscribers;
    private bool _isRetired;
    private bool _isSweepDue;
    private bool _isOfInterest;
    private int _idleSweeps;
    private long _compactedAt;
    private TaskCompletionSource? _room;
    private long _missedThrough;
    private long _pinnedUntilMs;

    /// <param name="filter">The name or pattern.</param>
    /// <param name="state">Its namespace.</param>
    /// <param name="shardCount">Shards that may join.</param>
    /// <param name="bornAt">The newest message that its log cannot get any more.</param>
    /// <param name="droppedThrough">Up to where its messages are gone.</param>
    /// <param name="lastSequence">What comes later is in its log.</param>
    public Channel(ChannelFilter filter, NamespaceState state, int shardCount, long bornAt, long droppedThrough, long lastSequence)
    {
        Filter = filter;
        Namespace = state;
        BornAt = bornAt;
        _log = new ChannelLog(filter.IsPattern, conflates: state.Settings.LagPolicy == LagPolicy.Conflate) { LastSequence = lastSequence, DroppedThrough = droppedThrough };
        _members = new ChannelMembers?[shardCount];
        state.AddBytes(OverheadBytes);
    }

    public ChannelFilter Filter { get; }

    /// <summary>What was published later has been in its log.</summary>
    public long BornAt { get; }

    /// <summary>Of a pattern: its log has what was published before it was made. The hub's seeding lock guards it.</summary>
    public bool IsSeeded { get; set; }

    public NamespaceState Namespace { get; }

    /// <summary>The newest sequence that stands for messages which this node never had. Any thread may read it.</summary>
    public long MissedThrough => Volatile.Read(ref _missedThrough);

    /// <summary>It is out of the directory, or about to be.</summary>
    public bool IsRetired => Volatile.Read(ref _isRetired);

    public int Subscribers => Volatile.Read(ref _subscribers);

    /// <summary>Adds a subscription. False: the channel was retired meanwhile; ask for a new one.</summary>
    /// <param name="subscription">One that its subscriber does not have yet.</param>
    /// <param name="isFirst">Nobody was subscribed before.</param>
    /// <param name="extent">What the log holds at this moment.</param>
    public bool TryJoin(Subscription subscription, out bool isFirst, out LogExtent extent)
    {
        var shard = subscription.Subscriber.Shard;
        ChannelMembers members;
        lock (_lock)
        {
            isFirst = !_isOfInterest;
            extent = new LogExtent(_log.LastSequence, _log.DroppedThrough);
            if (_isRetired)
            {
                return false;
            }

            members = _members[shard.Index] ??= new ChannelMembers(this, shard);
            members.OpenAt(_log.LastSequence);
            members.CountLaggards(subscription.Subscriber.IsLagging ? 1 : 0);
            _subscribers++;
            _isOfInterest = true;
            _idleSweeps = 0;
        }

        members.Add(subscription);
        return true;
    }

    /// <summary>Takes a subscription out. True: nothing is left of the channel, and it must be taken out of the directory.</summary>
    /// <param name="subscription">One that is in.</param>
    /// <param name="isLast">Nobody is interested any more. A pattern stays of interest until it is retired: its log goes on.</param>
    public bool Leave(Subscription subscription, out bool isLast)
    {
        var members = subscription.Members;
        members.Remove(subscription);
        bool isOver;
        TaskCompletionSource? room;
        lock (_lock)
        {
            members.CountLaggards(subscription.Subscriber.IsLagging ? -1 : 0);
            if (members.Count == 0)
            {
                // No walk of this shard will follow, and a publisher may be waiting for that room.
                members.Close();
            }

            isLast = --_subscribers == 0 && !Filter.IsPattern;
            _isOfInterest &= !isLast;
            TrimLocked();
            isOver = RetireIfOverLocked();
            room = TakeRoomLocked();
        }

        // Not the field: another shard may have retired the channel since, and there is one last one.
        room?.SetResult();
        return isOver;
    }

    /// <summary>Appends an entry. False: the channel was retired meanwhile. Callers serialise, in the order of sequences.</summary>
    /// <param name="entry">The newest, unless it is late.</param>
    /// <param name="isLate">Others of the stream that stand behind it have come before it. What its own channel has gone past is left out: subscribers were told of it, or came after it.</param>
    /// <param name="sweepDueMs">When somebody should look whether it is still to be kept, if nobody has been asked to yet; otherwise 0.</param>
    public bool TryAppend(Entry entry, bool isLate, out long sweepDueMs)
    {
        sweepDueMs = 0;
        lock (_lock)
        {
            if (_isRetired)
            {
                return false;
            }

            var room = Namespace.GetRoom();
            var hold = HoldLocked();
            if (entry.Sequence > _log.LastSequence)
            {
                _log.Append(entry, room, hold);
            }
            else if (Filter.IsPattern)
            {
                _log.Insert([entry]);
            }

            TrimLocked(room, hold);
            sweepDueMs = TakeSweepDueLocked();
        }

        if (isLate)
        {
            NoteLate(entry.Sequence);
        }

        return true;
    }

    /// <summary>Notes that messages may be missing here. False: the channel was retired meanwhile. Callers serialise, in the order of sequences.</summary>
    /// <param name="sequence">The place of what is missing; no entry has it.</param>
    /// <param name="isLate">Others of the stream that stand behind it have come before it.</param>
    public bool TryMiss(long sequence, bool isLate)
    {
        lock (_lock)
        {
            if (_isRetired)
            {
                return false;
            }

            // Before the log is seen to have gone on: whoever finds that looks for this.
            Volatile.Write(ref _missedThrough, Math.Max(_missedThrough, sequence));
            _log.LastSequence = Math.Max(_log.LastSequence, sequence);
            _log.DroppedThrough = Math.Max(_log.DroppedThrough, sequence);
        }

        if (isLate)
        {
            NoteLate(sequence);
        }

        Notify();
        return true;
    }

    /// <summary>Notes that nothing up to a sequence has got here, but for what is in the log: subscribers who start before it miss something, unless it is filled in.</summary>
    public void SetFloor(long sequence)
    {
        lock (_lock)
        {
            _log.LastSequence = Math.Max(_log.LastSequence, sequence);
            _log.DroppedThrough = Math.Max(_log.DroppedThrough, sequence);
        }
    }

    /// <summary>Sees to it that the log keeps what it would keep for the slow, until somebody comes who reads it. False: the channel was retired meanwhile.</summary>
    /// <param name="untilMs">When to give up, in Unix time.</param>
    /// <param name="droppedThrough">The newest sequence that is missing.</param>
    /// <param name="sweepDueMs">As for <see cref="TryAppend"/>.</param>
    public bool TryPin(long untilMs, out long droppedThrough, out long sweepDueMs)
    {
        lock (_lock)
        {
            (droppedThrough, sweepDueMs) = (_log.DroppedThrough, 0);
            if (_isRetired)
            {
                return false;
            }

            _pinnedUntilMs = untilMs;
            sweepDueMs = TakeSweepDueLocked();
            return true;
        }
    }

    /// <summary>Takes in what stands before the oldest that is there. False: more has been dropped meanwhile, or the channel was retired.</summary>
    /// <param name="entries">All that is to be had from the first to the second sequence.</param>
    /// <param name="after">What comes later is there from now on.</param>
    /// <param name="through">Up to where there was nothing.</param>
    public bool TryFill(List<Entry> entries, long after, long through)
    {
        lock (_lock)
        {
            if (_isRetired || _log.DroppedThrough > through)
            {
                return false;
            }

            _log.Insert(entries);
            _log.DroppedThrough = Math.Min(_log.DroppedThrough, after);
            TrimLocked();
            return true;
        }
    }

    /// <summary>The id that was given to a message with this key, if it is kept.</summary>
    public MessageId? FindPublished(string idempotencyKey)
    {
        lock (_lock)
        {
            return _log.FindPublished(idempotencyKey)?.Id;
        }
    }

    /// <summary>Tells every shard that has subscribers here that there is something to deliver. Any thread.</summary>
    public void Notify()
    {
        foreach (var members in _members)
        {
            members?.MarkDirty();
        }
    }

    /// <summary>Ends at once while the log has room; otherwise when the shards have caught up. Shards wait for no client, so this ends soon.</summary>
    public Task WaitForRoomAsync()
    {
        lock (_lock)
        {
            return IsOverfullLocked()
                ? (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task
                : Task.CompletedTask;
        }
    }

    /// <summary>A shard has offered everything before its position to its subscribers, or the last of its laggards has caught up.</summary>
    public void OnWalked()
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            TrimLocked();
            room = TakeRoomLocked();
        }

        room?.SetResult();
    }

    /// <summary>Whether the log has seen an entry after <paramref name="sequence"/>.</summary>
    public bool HasEntriesAfter(long sequence)
    {
        lock (_lock)
        {
            return _log.LastSequence > sequence;
        }
    }

    /// <summary>Copies entries that come after a sequence.</summary>
    /// <param name="sequence">The last one that was taken.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="through">Up to where the log was looked at.</param>
    /// <param name="droppedThrough">The newest sequence that is missing.</param>
    public int Read(long sequence, Span<Entry> destination, out long through, out long droppedThrough)
    {
        lock (_lock)
        {
            // One who has a thousand channels finds nothing new in nearly all of them: that is not worth asking for the time.
            long nowMs = _log.LastSequence > sequence ? Namespace.NowMs : 0;
            droppedThrough = _log.DroppedThrough;
            return _log.Read(sequence, destination, nowMs, out through);
        }
    }

    /// <summary>Takes in what the channels that match the pattern have kept. In the order of the stream.</summary>
    public void Seed(List<Entry> entries, long droppedThrough)
    {
        lock (_lock)
        {
            _log.Insert(entries);
            _log.DroppedThrough = Math.Max(_log.DroppedThrough, droppedThrough);
            TrimLocked();
        }
    }

    /// <summary>Adds the sequences of the newest entries to a list.</summary>
    public void AddNewest(List<long> sequences, int count)
    {
        long nowMs = Namespace.NowMs;
        lock (_lock)
        {
            _log.AddNewest(sequences, count, nowMs);
        }
    }

    /// <summary>Adds the entries that are kept to a list.</summary>
    public void CopyTo(List<Entry> entries, out long droppedThrough)
    {
        var batch = new Entry[EntryBatch.EntriesMax];
        long sequence = 0;
        while (Read(sequence, batch, out sequence, out droppedThrough) is > 0 and int count)
        {
            entries.AddRange(batch.AsSpan(0, count));
        }
    }

    /// <summary>Drops what is too old, or too much for the memory that is left. True: nothing is left, and the channel must be taken out of the directory.</summary>
    /// <param name="isDue">It was asked for, and may be asked for again.</param>
    /// <param name="sweepDueMs">When to come again; 0 if nobody asks.</param>
    public bool Sweep(bool isDue, out long sweepDueMs)
    {
        bool isOver;
        bool haveLaggardsLost;
        lock (_lock)
        {
            sweepDueMs = 0;
            if (_isRetired)
            {
                return false;
            }

            _isSweepDue &= !isDue;
            _idleSweeps++;
            var room = Namespace.GetRoom();
            var hold = HoldLocked();
            long dropped = _log.DroppedThrough;
            CompactIfWorthLocked(room, hold);
            TrimLocked(room, hold);
            haveLaggardsLost = hold.IsForLaggards && _log.DroppedThrough > dropped;
            sweepDueMs = TakeSweepDueLocked();
            isOver = RetireIfOverLocked();
        }

        if (haveLaggardsLost)
        {
            Notify();
        }

        return isOver;
    }

    /// <summary>What it holds and who subscribes, for those who ask.</summary>
    public ChannelReport Describe()
    {
        int laggards = _members.Sum(members => members?.Laggards ?? 0);
        lock (_lock)
        {
            return new ChannelReport(Filter.Value, _subscribers, laggards, _log.LastSequence, _log.Oldest?.Sequence ?? 0, _log.DroppedThrough, _log.Count, _log.Bytes, Namespace.Settings);
        }
    }

    /// <summary>The users among its subscribers, by shard. Any thread.</summary>
    public IEnumerable<Task<HashSet<string>>> FindUsersAsync() => _members.Where(static members => members is not null).Select(static members => members!.FindUsersAsync());

    private void NoteLate(long sequence)
    {
        foreach (var members in _members)
        {
            members?.NoteLate(sequence);
        }
    }

    private void TrimLocked() => TrimLocked(Namespace.GetRoom(), HoldLocked());

    private void TrimLocked(in LogRoom room, LogHold hold)
    {
        _log.Trim(room, hold);
        if (Namespace.Budget.IsShort)
        {
            int before = _log.Count;
            _log.Trim(Namespace.Shrink(room), hold);
            Namespace.Budget.CountShed(before - _log.Count);
        }
    }

    /// <summary>A view has what left its channels' logs until it is compacted, which costs a look at each of its entries: not before it may be worth that.</summary>
    private void CompactIfWorthLocked(in LogRoom room, LogHold hold)
    {
        long released = Namespace.Budget.ReleasedEntries;
        if (!Filter.IsPattern || released - _compactedAt > _log.Count / 4)
        {
            _compactedAt = released;
            _log.Compact(room, hold);
        }
    }

    private LogHold HoldLocked()
    {
        long walked = long.MaxValue;
        bool isForLaggards = false;
        foreach (var members in _members)
        {
            if (members is not null)
            {
                walked = Math.Min(walked, members.Walked);
                isForLaggards |= members.Laggards > 0;
            }
        }

        return new LogHold(walked, isForLaggards || IsPinnedLocked());
    }

    private bool IsPinnedLocked() => _pinnedUntilMs > 0 && _pinnedUntilMs > Namespace.NowMs;

    private bool RetireIfOverLocked()
    {
        // A pattern stays for a while: polls leave and come back, and the next one would have to fill its log anew.
        bool isOver = _subscribers == 0 && (Filter.IsPattern ? _idleSweeps > PatternIdleSweepsMax : _log.Count == 0) && !IsPinnedLocked();
        if (isOver && !_isRetired)
        {
            _isRetired = true;
            _log.Clear();
            Namespace.AddBytes(-OverheadBytes);
        }

        return isOver;
    }

    private bool IsOverfullLocked()
    {
        if (_isRetired)
        {
            return false;
        }

        long walked = HoldLocked().Walked;
        return walked < _log.LastSequence && _log.IsOverfull(Namespace.Limits, walked);
    }

    private long TakeSweepDueLocked()
    {
        var oldest = _log.Oldest;
        if (!_isSweepDue && !Filter.IsPattern && IsPinnedLocked())
        {
            _isSweepDue = true;
            return _pinnedUntilMs + 1;
        }

        if (_isSweepDue || !Namespace.Settings.HasHistory || Filter.IsPattern || (oldest is null && _subscribers > 0))
        {
            return 0;
        }

        // What is too old may be held for somebody who is slow, and a channel for which memory was too short is to be taken out. Not before now, or
        // the sweep that asks would find it due for ever.
        _isSweepDue = true;
        long dueMs = oldest is null ? 0 : Math.Min(oldest.TimeMs + (long)Namespace.Settings.HistoryAge.TotalMilliseconds, oldest.ExpiresMs);
        return Math.Max(Namespace.NowMs + 1, dueMs);
    }

    private TaskCompletionSource? TakeRoomLocked()
    {
        if (_room is null || IsOverfullLocked())
        {
            return null;
        }

        var room = _room;
        _room = null;
        return room;
    }
}

/// <summary>How far a log reaches.</summary>
/// <param name="LastSequence">The newest it has seen.</param>
/// <param name="DroppedThrough">The newest that is missing.</param>
internal readonly record struct LogExtent(long LastSequence, long DroppedThrough);
