using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace RawPush.Fanout.Delivery;

/// <summary>Runs work one piece at a time. What belongs to a shard – subscribers, cursors, connections, timers – is touched by it alone and needs no lock.</summary>
/// <remarks>Derived classes decide which thread runs the turns. Both queues are bounded by what feeds them: a channel is queued once for what is
/// new and once for a walk that is waiting to go on, and a connection has at most one read and one write outstanding.</remarks>
public abstract class Shard
{
    /// <summary>The most encoded entries that a subscriber is offered in one write.</summary>
    protected const int EntriesPerWriteMax = EntryBatch.EntriesMax;

    /// <summary>Subscribers visited before a turn lets reads, pings and other channels go first.</summary>
    private const int VisitsPerTurn = 256;

    [ThreadStatic]
    private static Shard? _current;

    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly ConcurrentQueue<ChannelMembers> _dirty = new();

    /// <summary>Makes a shard.</summary>
    /// <param name="index">Its number among the shards of the hub, from 0.</param>
    protected Shard(int index) => Index = index;

    /// <summary>Its number among the shards of the hub.</summary>
    public int Index { get; }

    /// <summary>Whether the calling thread is running this shard now.</summary>
    public bool IsCurrent => _current == this;

    /// <summary>Whether a turn has something to do.</summary>
    protected bool HasWork => !_posted.IsEmpty || !_dirty.IsEmpty;

    /// <summary>What a walk offers.</summary>
    internal EntryBatch Batch { get; } = new();

    /// <summary>What one that is behind reads: it may do so in the middle of a walk, whose batch is for those that come after it.</summary>
    internal EntryBatch CatchUpBatch { get; } = new();

    internal SequenceMerge Merge { get; } = new();

    /// <summary>Whose subscribers its subscribers are, where that is known.</summary>
    internal UserTable Users { get; } = new();

    /// <summary>Queues work. Any thread. The work must not throw and must not wait.</summary>
    public void Post(Action work)
    {
        _posted.Enqueue(work);
        Wake();
    }

    /// <summary><c>await shard.SwitchTo()</c>: what follows runs on the shard, until the next await that really waits.</summary>
    public ShardSwitch SwitchTo() => new(this);

    internal void EnqueueDirty(ChannelMembers members)
    {
        _dirty.Enqueue(members);
        Wake();
    }

    /// <summary>Makes sure that a turn runs soon. Any thread; many calls before the turn cost one wake-up.</summary>
    protected abstract void Wake();

    /// <summary>The calling thread runs this shard from now on, until <see cref="Exit"/>.</summary>
    protected void Enter() => _current = this;

    /// <summary>The calling thread runs no shard any more.</summary>
    protected static void Exit() => _current = null;

    /// <summary>One turn: posted work first, then deliveries within their budget. Between <see cref="Enter"/> and <see cref="Exit"/>; again while <see cref="HasWork"/>.</summary>
    protected void RunTurn()
    {
        Debug.Assert(IsCurrent, "A turn is run by the thread that runs the shard.");
        RunPosted();
        Deliver();
    }

    private void RunPosted()
    {
        // Work that is posted by this work waits for the next turn, so that deliveries get theirs.
        for (int count = _posted.Count; count > 0 && _posted.TryDequeue(out var work); count--)
        {
            work();
        }
    }

    private void Deliver()
    {
        int budget = VisitsPerTurn;
        while (budget > 0 && _dirty.TryDequeue(out var members))
        {
            // An empty or finished walk costs one as well, so that a turn always ends.
            budget--;
            if (!members.Walk(ref budget))
            {
                _dirty.Enqueue(members);
            }
        }
    }

    /// <summary>What <see cref="SwitchTo"/> awaits.</summary>
    public readonly struct ShardSwitch : ICriticalNotifyCompletion
    {
        private readonly Shard _shard;

        internal ShardSwitch(Shard shard) => _shard = shard;

        /// <summary>Already there: no switch is needed.</summary>
        public bool IsCompleted => _shard.IsCurrent;

        /// <summary>Itself.</summary>
        public ShardSwitch GetAwaiter() => this;

        /// <summary>Nothing to get: returns when the switch is done.</summary>
        public void GetResult()
        {
        }

        /// <inheritdoc/>
        public void OnCompleted(Action continuation) => _shard.Post(continuation);

        /// <inheritdoc/>
        public void UnsafeOnCompleted(Action continuation) => _shard.Post(continuation);
    }
}
