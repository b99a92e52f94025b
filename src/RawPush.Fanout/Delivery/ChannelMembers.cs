using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Delivery;

/// <summary>A channel's subscribers on one shard. Touched by that shard alone, but for <see cref="MarkDirty"/>, <see cref="Walked"/>, <see cref="Laggards"/> and <see cref="FindUsersAsync"/>.</summary>
internal sealed class ChannelMembers(Channel channel, Shard shard)
{
    private const int NoWalk = -1;

    private Subscription?[] _items = new Subscription?[1];
    private int _next = NoWalk;
    private long _walkEnd;
    private long _walked = long.MaxValue;
    private int _laggards;
    private int _dirty;
    private long _late = EntryBatch.NoneLate;
    private long _walkLate;

    public int Count { get; private set; }

    /// <summary>Finds out which users are among them. Any thread.</summary>
    public Task<HashSet<string>> FindUsersAsync() => new UserWalk(this, shard).RunAsync();

    /// <summary>Every entry up to this sequence was offered to each subscriber here that can take some. Any thread may read it.</summary>
    public long Walked => Volatile.Read(ref _walked);

    /// <summary>Subscribers here that have not got everything up to <see cref="Walked"/>. Any thread may read it.</summary>
    public int Laggards => Volatile.Read(ref _laggards);

    /// <summary>Its subscribers, in no order that lasts.</summary>
    public Subscription this[int index] => _items[index]!;

    /// <summary>Someone is about to join. If nobody was here, there is nothing to catch up with.</summary>
    public void OpenAt(long sequence)
    {
        if (Count == 0)
        {
            Volatile.Write(ref _walked, sequence);
        }
    }

    /// <summary>Subscribers here have begun to lag, or have caught up.</summary>
    public void CountLaggards(int change) => Volatile.Write(ref _laggards, _laggards + change);

    /// <summary>The same for one of them; what was kept for the last laggard may go.</summary>
    public void OnLaggingChanged(bool isLagging)
    {
        CountLaggards(isLagging ? 1 : -1);
        if (_laggards == 0)
        {
            channel.OnWalked();
        }
    }

    /// <summary>Nobody is left here, so nothing in the log waits for this shard.</summary>
    public void Close() => Volatile.Write(ref _walked, long.MaxValue);

    public void Add(Subscription subscription)
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Count * 2);
        }

        subscription.Members = this;
        subscription.Index = Count;
        _items[Count++] = subscription;
    }

    /// <summary>O(1): the last one takes the place that becomes free.</summary>
    /// <remarks>A walk goes from the end to the start, so the one that moves has been visited already, and nobody is missed.</remarks>
    public void Remove(Subscription subscription)
    {
        var last = _items[--Count]!;
        _items[subscription.Index] = last;
        last.Index = subscription.Index;
        _items[Count] = null;
        if (_items.Length > 4 && Count < _items.Length / 4)
        {
            Array.Resize(ref _items, _items.Length / 2);
        }
    }

    /// <summary>Something was appended. Queues the walk, once, however many messages come before it starts. Any thread.</summary>
    public void MarkDirty()
    {
        if (Interlocked.Exchange(ref _dirty, 1) == 0)
        {
            shard.EnqueueDirty(this);
        }
    }

    /// <summary>A message has come behind others that stand behind it in the stream. Before the walk that is to bring it. Any thread.</summary>
    public void NoteLate(long sequence)
    {
        long late = Volatile.Read(ref _late);
        while (sequence < late && Interlocked.CompareExchange(ref _late, sequence, late) is var seen && seen != late)
        {
            late = seen;
        }
    }

    /// <summary>Offers what is new to the subscribers here, at most <paramref name="budget"/> of them; what it used is taken off.</summary>
    /// <returns>False: there is more to do. Call again after others had their turn.</returns>
    public bool Walk(ref int budget)
    {
        if (Count == 0)
        {
            _next = NoWalk;
            Interlocked.Exchange(ref _dirty, 0);
            return true;
        }

        var batch = shard.Batch;
        if (_next == NoWalk)
        {
            // Cleared before the log is read: what is appended after our look marks us anew.
            Interlocked.Exchange(ref _dirty, 0);
            _walkLate = Interlocked.Exchange(ref _late, EntryBatch.NoneLate);
            batch.Load(channel, _walked);
            _walkEnd = batch.Through;
            _next = Count - 1;
        }
        else
        {
            batch.Load(channel, _walked);
        }

        batch.Late = _walkLate;
        VisitMembers(batch, ref budget);
        batch.Clear();
        if (_next != NoWalk)
        {
            return false;
        }

        FinishWalk();
        return true;
    }

    private void VisitMembers(EntryBatch batch, ref int budget)
    {
        _next = Math.Min(_next, Count - 1);
        while (_next >= 0)
        {
            if (budget <= 0)
            {
                return;
            }

            budget--;
            var subscription = _items[_next]!;
            subscription.Subscriber.Offer(subscription, batch);

            // A visit may end the subscriber, and others with it.
            _next = Math.Min(_next, Count) - 1;
        }
    }

    private void FinishWalk()
    {
        if (Count == 0)
        {
            return;
        }

        // Never back: everybody may have left and others come while the walk was waiting for its next turn.
        Volatile.Write(ref _walked, Math.Max(_walked, _walkEnd));
        channel.OnWalked();
        if (channel.HasEntriesAfter(_walked))
        {
            MarkDirty();
        }
    }
}
