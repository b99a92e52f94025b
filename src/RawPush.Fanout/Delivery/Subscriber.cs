using System.Diagnostics;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Delivery;

/// <summary>Somebody who gets the messages of one or more channels. Holds one cursor, the sequence of the last message it has, and no queue.</summary>
/// <remarks>Touched by its shard alone. One that cannot take more is <em>blocked</em>: it is passed over at no cost until it calls <see cref="Resume"/>, and
/// then reads on from its cursor. If entries are gone that it has not taken, the channel's policy says what follows; nothing is left out in silence.
/// Messages of several channels come in the order of the stream.</remarks>
public abstract class Subscriber
{
    // A list through the subscriptions themselves: most have one, and 100,000 lists of one are 8 MB.
    private Subscription? _first;
    private ChannelHub? _hub;
    private CatchUpState? _catchUp;
    private long _cursor;

    /// <summary>Makes a subscriber that has joined nothing yet.</summary>
    protected Subscriber(Shard shard, WireFormat format)
    {
        Shard = shard;
        Format = format;
    }

    /// <summary>The shard that owns it.</summary>
    public Shard Shard { get; }

    /// <summary>How its entries are encoded.</summary>
    public WireFormat Format { get; }

    /// <summary>It could not take all that it was given, and is passed over until it resumes.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>The last message that it has, or was told that it missed: whoever resumes from here goes on where it stopped.</summary>
    public MessageId Position => Id(_cursor);

    /// <summary>It has not got everything that was offered to its neighbours: it is blocked, or catches up.</summary>
    internal bool IsLagging { get; private set; }

    /// <summary>The channel it joined last, and through it the others.</summary>
    internal Subscription? FirstSubscription => _first;

    /// <summary>Joins channels, and patterns, all at once. <see cref="BeginDelivery"/> is to follow.</summary>
    /// <param name="hub">Whose channels.</param>
    /// <param name="filters">Without repeats.</param>
    /// <param name="start">Where to begin to read.</param>
    /// <param name="user">Who it is, for those who ask; null if that is not known, which costs nothing. See <see cref="Presence.UserList.IsName"/>.</param>
    /// <returns>False: the node has no room for another channel, and nothing was joined.</returns>
    public bool TrySubscribe(ChannelHub hub, ReadOnlySpan<ChannelFilter> filters, StartPoint start = default, string? user = null)
    {
        ArgumentNullException.ThrowIfNull(hub);
        Debug.Assert(Shard.IsCurrent && _first is null, "A subscriber belongs to its shard, and joins all its channels at once.");
        _hub = hub;

        // From before the first join on nothing that is kept may go: it counts as slow until it has caught up.
        IsLagging = !start.IsLatest;
        _catchUp = IsLagging ? new CatchUpState() : null;
        long last = 0;
        foreach (var filter in filters)
        {
            var subscription = hub.Join(this, filter, out var extent);
            if (subscription is null)
            {
                Unsubscribe();
                return false;
            }

            subscription.Next = _first;
            _first = subscription;
            long dropped = filter.IsPattern && IsLagging ? hub.Seed(subscription.Channel) : extent.DroppedThrough;
            last = Math.Max(last, Math.Max(extent.LastSequence, dropped));
            last = Math.Max(last, start.IsLatest ? subscription.Channel.BornAt : 0);
            _catchUp?.NoteStart(subscription, dropped, isGap: !start.IsOpen);
        }

        if (user is not null)
        {
            Shard.Users.Add(this, user);
        }

        // What is in the logs by now was published before we had joined everything; what comes later is not dropped before we have it.
        SetStart(start, Math.Max(last, hub.Appended));
        return true;
    }

    /// <summary>Leaves every channel. Safe to call twice, and from within <see cref="Write"/>.</summary>
    public void Unsubscribe()
    {
        Debug.Assert(Shard.IsCurrent, "A subscriber belongs to its shard.");
        if (Shard.Users.Count > 0)
        {
            Shard.Users.Remove(this);
        }

        while (_first is { } subscription)
        {
            _first = subscription.Next;
            _hub!.Leave(subscription);
        }
    }

    /// <summary>Takes encoded entries in order and says how many. Fewer than given means blocked: call <see cref="Resume"/> when there is room.
    /// An entry of which a part has been written counts as taken; the rest of it is the subscriber's own matter.</summary>
    protected abstract int Write(ReadOnlySpan<byte[]> forms);

    /// <summary>Takes a gap notice. False: blocked. Who has no place for one in its format must leave before this returns.</summary>
    protected virtual bool WriteGap(in GapNotice gap) => Write([EntryEncoder.Encode(gap, Format)]) == 1;

    /// <summary>Everything that is there has been offered, by a walk or while catching up.</summary>
    protected virtual void OnDelivered()
    {
    }

    /// <summary>Entries were dropped from the log before this subscriber took them, and the channel's policy is to disconnect. It must leave before this returns.</summary>
    /// <param name="filter">Whose log it was.</param>
    protected abstract void OnLagged(ChannelFilter filter);

    /// <summary>An exception came out of the subscriber's own code. It must end; its neighbours must not notice.</summary>
    protected abstract void OnFault(Exception exception);

    /// <summary>There is room again: sends what has come meanwhile.</summary>
    protected void Resume()
    {
        Debug.Assert(Shard.IsCurrent, "A subscriber belongs to its shard.");
        if (IsBlocked)
        {
            IsBlocked = false;
            CatchUp();
        }
    }

    /// <summary>Sends what has been published up to now, as far as it is taken, without waiting for the walk that would bring it. Not from within <see cref="Write"/>.</summary>
    protected void DeliverNow()
    {
        Debug.Assert(Shard.IsCurrent, "A subscriber belongs to its shard.");
        CatchUp();
    }

    /// <summary>Sends what is there of a start in the past. Where it starts at the newest message there is nothing to do.</summary>
    protected void BeginDelivery()
    {
        if (IsLagging)
        {
            CatchUp();
        }
    }

    /// <summary>A walk has come to this subscriber.</summary>
    internal void Offer(Subscription subscription, EntryBatch batch)
    {
        try
        {
            if (batch.Late <= _cursor && !IsAlone(subscription))
            {
                (_catchUp ??= new CatchUpState()).NoteLate(subscription.Channel.Filter, batch.Late);
            }

            if (IsLagging)
            {
                OfferToLaggard(subscription, batch);
                return;
            }

            if (batch.MissedThrough > _cursor || _catchUp is not null)
            {
                // What the node itself never had, or had too late, is told of at its place, as to one who comes back.
                SetLagging(true);
                CatchUp();
                return;
            }

            if (_first!.Next is null)
            {
                WriteFrom(batch);
            }
            else
            {
                WriteMergedThrough(batch.Through);
            }

            OnDelivered();
        }
        catch (Exception exception)
        {
            // One subscriber's fault must not end the walk over all the others. This is the top of a connection.
            OnFault(exception);
        }
    }

    private static bool IsDisconnecting(Channel channel) => channel.Namespace.Settings.LagPolicy == LagPolicy.Disconnect;

    private void SetStart(StartPoint start, long newest)
    {
        if (start.IsLatest)
        {
            _cursor = newest;
        }
        else if (start.Position is not { } position)
        {
            _cursor = start.Count > 0 ? FindCursorOfLast(start.Count) : 0;
        }
        else if (position.Epoch == _hub!.Broker.Epoch)
        {
            // A position that is not there yet is none of ours; taken at its word it would hide what is to come.
            _cursor = Math.Min(position.Sequence, Math.Max(newest, _hub.Known));
        }
        else
        {
            _cursor = 0;
            _catchUp!.Foreign = position;
        }
    }

    private long FindCursorOfLast(int count)
    {
        var newest = new List<long>();
        for (var subscription = _first; subscription is not null; subscription = subscription.Next)
        {
            subscription.Channel.AddNewest(newest, count);
        }

        var sequences = newest.Distinct().OrderDescending().Take(count).ToArray();
        return sequences.Length == count ? sequences[^1] - 1 : 0;
    }

    private void OfferToLaggard(Subscription subscription, EntryBatch batch)
    {
        // The others are told of what they missed when they have room for the notice.
        if (IsBlocked && IsDisconnecting(subscription.Channel) && IsHole(subscription, batch.DroppedThrough, out long blameless) && batch.DroppedThrough > blameless)
        {
            OnLagged(subscription.Channel.Filter);
        }
    }

    /// <summary>Whether entries are gone that it has not been told of.</summary>
    /// <param name="subscription">Whose log it is.</param>
    /// <param name="dropped">The newest that is gone there.</param>
    /// <param name="blameless">Up to where that is not for its slowness: it was gone when it came, or the node never had it. 0: it is all its own.</param>
    private bool IsHole(Subscription subscription, long dropped, out long blameless)
    {
        blameless = 0;
        if (dropped <= _cursor || (_catchUp is not null && !_catchUp.IsNews(subscription, _cursor, dropped, out blameless)))
        {
            return false;
        }

        long missed = subscription.Channel.MissedThrough;
        long known = Math.Max(_cursor, _catchUp?.ToldThroughOf(subscription) ?? 0);
        blameless = missed > known ? Math.Max(blameless, missed) : blameless;
        return true;
    }

    /// <summary>Sends what a walk offers, and before it what stands before it in the stream, from whichever channel.</summary>
    /// <remarks>All of it, and not in stages: when a walk has passed, the log may drop what it offered, and who takes everything must have got it.
    /// What is sent here is what the walks of the other channels then find sent.</remarks>
    private void WriteMergedThrough(long end)
    {
        bool isAny = true;
        while (isAny && !IsBlocked && _cursor < end && _first is { } first)
        {
            isAny = WriteMerged(first);
        }
    }

    /// <summary>Sends until nothing is left or no more is taken, in one go: one that yielded while it is behind could be cut off although it takes
    /// everything. It ends, since publishers wait when the log is full of what this shard has not walked meanwhile.</summary>
    private void CatchUp()
    {
        try
        {
            while (!IsBlocked && _first is { } first && ReadOn(first))
            {
            }

            if (!IsBlocked)
            {
                _catchUp = null;
                SetLagging(false);
            }

            OnDelivered();
        }
        catch (Exception exception)
        {
            OnFault(exception);
        }
    }

    private bool ReadOn(Subscription first)
    {
        if (_catchUp?.Foreign is { } foreign)
        {
            TellOfEpoch(foreign);
            return true;
        }

        if (_catchUp?.Late is { } late)
        {
            TellOfLate(late.Filter, late.Sequence);
            return true;
        }

        return IsAlone(first) ? ReadOnOne(first) : WriteMerged(first);
    }

    /// <summary>It reads the log of one channel, in which what comes late still stands in order.</summary>
    private bool IsAlone(Subscription subscription) => _first!.Next is null && !subscription.Channel.Filter.IsPattern;

    /// <summary>Sends one batch from the cursor on. False: there is nothing left.</summary>
    private bool ReadOnOne(Subscription subscription)
    {
        var batch = Shard.CatchUpBatch;
        try
        {
            batch.Load(subscription.Channel, _cursor);
            return IsHole(subscription, batch.DroppedThrough, out _) ? PassHole(subscription, batch.DroppedThrough, isAlone: true, batch.FirstSequence) : WriteFrom(batch);
        }
        finally
        {
            batch.Clear();
        }
    }

    private bool WriteFrom(EntryBatch batch)
    {
        int start = batch.IndexAfter(_cursor);
        var forms = batch.FormsFrom(start, Format);
        if (forms.IsEmpty)
        {
            // What may have been there is void.
            _cursor = Math.Max(_cursor, batch.Through);
            return false;
        }

        int taken = Write(forms);
        if (taken == forms.Length)
        {
            _cursor = batch.Through;
            return true;
        }

        _cursor = taken > 0 ? batch.SequenceAt(start + taken - 1) : _cursor;
        Block();
        return true;
    }

    /// <summary>Sends one batch from all channels, in the order of the stream. False: there is nothing left.</summary>
    private bool WriteMerged(Subscription first)
    {
        var merge = Shard.Merge;
        try
        {
            long watermark = _hub!.Watermark;
            merge.Load(first, _cursor, watermark, Format, _catchUp);
            if (merge.Hole is { } subscription)
            {
                return PassHole(subscription, merge.HoleThrough, !merge.IsOneOfSeveral, Math.Min(merge.NextSequence, watermark + 1));
            }

            var forms = merge.Forms;
            if (forms.IsEmpty)
            {
                return PassTold(watermark);
            }

            int taken = Write(forms);
            _cursor = taken > 0 ? merge.SequenceAt(taken - 1) : _cursor;
            if (taken < forms.Length)
            {
                Block();
            }

            return true;
        }
        finally
        {
            // After a fault as well: the next subscriber would be given what was gathered for this one.
            merge.Clear();
        }
    }

    /// <summary>Tells of entries that are gone. False: that was its end.</summary>
    /// <param name="subscription">Whose log has lost them.</param>
    /// <param name="through">The last of them.</param>
    /// <param name="isAlone">There is no other hole to be told of.</param>
    /// <param name="next">The sequence before which nothing is left.</param>
    private bool PassHole(Subscription subscription, long through, bool isAlone, long next)
    {
        IsHole(subscription, through, out long blameless);
        if (blameless == 0 && IsDisconnecting(subscription.Channel))
        {
            OnLagged(subscription.Channel.Filter);
            return false;
        }

        if (blameless > 0 && through > blameless)
        {
            // What was lost since is told of apart.
            (through, isAlone) = (blameless, false);
        }

        var catchUp = _catchUp ??= new CatchUpState();
        long position = isAlone ? Math.Max(_cursor, Math.Min(Math.Max(through, catchUp.ToldThrough), next - 1)) : _cursor;
        var gap = new GapNotice(subscription.Channel.Filter, Id(_cursor), Id(through), ReasonOf(subscription, blameless)) { Position = Id(position) };
        if (WriteGap(gap))
        {
            catchUp.NoteTold(subscription, through);
            _cursor = position;
        }
        else
        {
            Block();
        }

        return true;
    }

    private static GapReason ReasonOf(Subscription subscription, long blameless) =>
        blameless == 0 ? GapReason.Slow : blameless == subscription.Channel.MissedThrough ? GapReason.Bus : GapReason.Retention;

    /// <summary>Nothing is left up to the watermark, so what it was told of is behind it.</summary>
    private bool PassTold(long watermark)
    {
        long told = _catchUp?.ToldThrough ?? 0;
        _cursor = Math.Max(_cursor, Math.Min(told, watermark));
        return told > watermark;
    }

    private MessageId Id(long sequence) => new(_hub!.Broker.Epoch, sequence);

    private void TellOfEpoch(MessageId foreign)
    {
        var channel = _first!.Next is null ? _first.Channel.Filter : default;
        if (WriteGap(new GapNotice(channel, foreign, Position, GapReason.Epoch)))
        {
            _catchUp!.Foreign = null;
        }
        else
        {
            Block();
        }
    }

    private void TellOfLate(ChannelFilter filter, long sequence)
    {
        if (WriteGap(new GapNotice(filter, Id(sequence - 1), Position, GapReason.Bus)))
        {
            _catchUp!.Late = null;
        }
        else
        {
            Block();
        }
    }

    private void Block()
    {
        IsBlocked = true;
        SetLagging(true);
    }

    private void SetLagging(bool isLagging)
    {
        if (IsLagging == isLagging)
        {
            return;
        }

        IsLagging = isLagging;
        for (var subscription = _first; subscription is not null; subscription = subscription.Next)
        {
            subscription.Members.OnLaggingChanged(isLagging);
        }
    }
}
