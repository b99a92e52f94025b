using RawPush.Fanout.Delivery;

namespace RawPush.Fanout.Channels;

/// <summary>One channel on this node: its log, and its subscribers, a list per shard.</summary>
/// <remarks>
/// Publishers append from any thread; shards join, leave and read. <see cref="_lock"/> guards the log and the counts, is held for a few
/// instructions, and nothing is called under it. Order where locks nest: the broker's stream lock, then this one.
/// </remarks>
internal sealed class Channel
{
    private readonly Lock _lock = new();
    private readonly ChannelLog _log;
    private readonly ChannelMembers?[] _members;
    private int _subscribers;
    private long _lastSequence;
    private bool _isRetired;
    private TaskCompletionSource? _room;

    public Channel(ChannelName name, ChannelLimits limits, int shardCount)
    {
        Name = name;
        _log = new ChannelLog(limits);
        _members = new ChannelMembers?[shardCount];
    }

    public ChannelName Name { get; }

    public int Subscribers => Volatile.Read(ref _subscribers);

    /// <summary>Adds a subscription at the head: it gets what is published from now on. False: the channel was retired meanwhile; ask for a new one.</summary>
    public bool TryJoin(Subscription subscription, out bool isFirst)
    {
        var shard = subscription.Subscriber.Shard;
        ChannelMembers members;
        lock (_lock)
        {
            isFirst = _subscribers == 0;
            if (_isRetired)
            {
                return false;
            }

            members = _members[shard.Index] ??= new ChannelMembers(this, shard);
            members.OpenAt(_log.Head);
            subscription.Cursor = _log.Head;
            _subscribers++;
        }

        members.Add(subscription);
        return true;
    }

    /// <summary>Takes a subscription out. True: it was the last one, the channel is retired and must be taken out of the hub.</summary>
    public bool Leave(Subscription subscription)
    {
        var members = subscription.Members;
        members.Remove(subscription);
        bool isLast;
        TaskCompletionSource? room;
        lock (_lock)
        {
            if (members.Count == 0)
            {
                // What this shard alone had not walked may go now. No walk of it will follow, and a publisher may be waiting for that room.
                members.Close();
                _log.Trim(WalkedLocked());
            }

            isLast = _isRetired = --_subscribers == 0;
            room = TakeRoomLocked();
        }

        // Not the field: another shard may have retired the channel since, and there is one last one.
        room?.SetResult();
        return isLast;
    }

    /// <summary>Appends a message. False: the channel was retired meanwhile, so nobody here wants it. Callers serialise, in the order of sequences.</summary>
    public bool TryAppend(in PushMessage message, byte[] frame, MessageId id)
    {
        lock (_lock)
        {
            if (_isRetired)
            {
                return false;
            }

            _log.Append(new Entry(Name, message.Kind, frame, id, _lastSequence));
            _lastSequence = id.Sequence;
            _log.Trim(WalkedLocked());
            return true;
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
            return _log.IsOverfull && !_isRetired
                ? (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task
                : Task.CompletedTask;
        }
    }

    /// <summary>A shard has offered everything before its position to its subscribers.</summary>
    public void OnWalked()
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            _log.Trim(WalkedLocked());
            room = TakeRoomLocked();
        }

        room?.SetResult();
    }

    /// <summary>Whether the log has an entry at <paramref name="position"/> or later.</summary>
    public bool HasEntriesFrom(long position)
    {
        lock (_lock)
        {
            return _log.Head > position;
        }
    }

    /// <summary>Copies entries from <paramref name="position"/> on. Tells also where the log begins: a position before it has lost entries, and nothing is copied.</summary>
    public int Read(long position, Span<Entry> destination, out long tail)
    {
        lock (_lock)
        {
            tail = _log.Tail;
            return position < tail ? 0 : _log.CopyTo(position, destination);
        }
    }

    private long WalkedLocked()
    {
        long walked = _log.Head;
        foreach (var members in _members)
        {
            walked = Math.Min(walked, members?.Walked ?? walked);
        }

        return walked;
    }

    private TaskCompletionSource? TakeRoomLocked()
    {
        if (_log.IsOverfull && !_isRetired)
        {
            return null;
        }

        var room = _room;
        _room = null;
        return room;
    }
}
