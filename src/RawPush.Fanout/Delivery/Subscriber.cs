using System.Diagnostics;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Delivery;

/// <summary>Somebody who gets the messages of one or more channels. Holds a cursor per channel and no queue.</summary>
/// <remarks>Touched by its shard alone. One that cannot take more is <em>blocked</em>: it is passed over at no cost until it calls <see cref="Resume"/>, and
/// then reads on from its cursors. If a log's tail passes a cursor meanwhile, <see cref="OnLagged"/> says so; nothing is left out in silence.
/// Messages of several channels come in the order of the stream.</remarks>
public abstract class Subscriber
{
    // A list through the subscriptions themselves: most have one, and 100,000 lists of one are 8 MB.
    private Subscription? _first;
    private ChannelHub? _hub;

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

    /// <summary>The channel it joined last, and through it the others.</summary>
    internal Subscription? FirstSubscription => _first;

    /// <summary>Joins a channel at its head. False: the node has no room for another channel.</summary>
    public bool TrySubscribe(ChannelHub hub, ChannelName channel)
    {
        ArgumentNullException.ThrowIfNull(hub);
        Debug.Assert(Shard.IsCurrent, "A subscriber belongs to its shard.");
        _hub = hub;
        var subscription = hub.Join(this, channel);
        if (subscription is null)
        {
            return false;
        }

        subscription.Next = _first;
        _first = subscription;
        return true;
    }

    /// <summary>Leaves every channel. Safe to call twice, and from within <see cref="Write"/>.</summary>
    public void Unsubscribe()
    {
        Debug.Assert(Shard.IsCurrent, "A subscriber belongs to its shard.");
        while (_first is { } subscription)
        {
            _first = subscription.Next;
            _hub!.Leave(subscription);
        }
    }

    /// <summary>Takes encoded entries in order and says how many. Fewer than given means blocked: call <see cref="Resume"/> when there is room.
    /// An entry of which a part has been written counts as taken; the rest of it is the subscriber's own matter.</summary>
    protected abstract int Write(ReadOnlySpan<byte[]> forms);

    /// <summary>Entries were dropped from the log before this subscriber took them. It must leave before this returns: its cursor points at nothing.</summary>
    /// <param name="channel">Whose log it was.</param>
    protected abstract void OnLagged(ChannelName channel);

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

    /// <summary>A walk has come to this subscriber.</summary>
    internal void Offer(Subscription subscription, EntryBatch batch)
    {
        try
        {
            if (IsBlocked)
            {
                OfferToBlocked(subscription, batch);
            }
            else if (_first!.Next is null)
            {
                WriteFrom(subscription, batch);
            }
            else
            {
                WriteMergedThrough(subscription, batch.End);
            }
        }
        catch (Exception exception)
        {
            // One subscriber's fault must not end the walk over all the others. This is the top of a connection.
            OnFault(exception);
        }
    }

    private void OfferToBlocked(Subscription subscription, EntryBatch batch)
    {
        if (subscription.Cursor < batch.Tail)
        {
            OnLagged(subscription.Channel.Name);
        }
    }

    /// <summary>Sends what a walk offers, and before it what stands before it in the stream, from whichever channel.</summary>
    /// <remarks>All of it, and not in stages: when a walk has passed, the log may drop what it offered, and who takes everything must have got it.
    /// What is sent here is what the walks of the other channels then find sent.</remarks>
    private void WriteMergedThrough(Subscription subscription, long end)
    {
        bool isAny = true;
        while (isAny && !IsBlocked && subscription.Cursor < end && _first is { } first)
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
            while (!IsBlocked && _first is { } first && (first.Next is null ? ReadOn(first) : WriteMerged(first)))
            {
            }
        }
        catch (Exception exception)
        {
            OnFault(exception);
        }
    }

    /// <summary>Sends one batch from the cursor on. False: there is nothing left.</summary>
    private bool ReadOn(Subscription subscription)
    {
        var batch = Shard.Batch;
        try
        {
            batch.Load(subscription.Channel, subscription.Cursor);
            if (subscription.Cursor < batch.Tail)
            {
                OnLagged(subscription.Channel.Name);
                return false;
            }

            return WriteFrom(subscription, batch);
        }
        finally
        {
            batch.Clear();
        }
    }

    private bool WriteFrom(Subscription subscription, EntryBatch batch)
    {
        var forms = batch.FormsFrom(subscription.Cursor, Format);
        if (forms.IsEmpty)
        {
            return false;
        }

        int taken = Write(forms);
        subscription.Cursor += taken;
        IsBlocked = taken < forms.Length;
        return true;
    }

    /// <summary>Sends one batch from all channels, in the order of the stream. False: there is nothing left.</summary>
    private bool WriteMerged(Subscription first)
    {
        var merge = Shard.Merge;
        try
        {
            var laggard = merge.Load(first, _hub!.Watermark, Format);
            if (laggard is not null)
            {
                OnLagged(laggard.Channel.Name);
                return false;
            }

            var forms = merge.Forms;
            if (forms.IsEmpty)
            {
                return false;
            }

            int taken = Write(forms);
            IsBlocked = taken < forms.Length;
            merge.Commit(taken);
            return true;
        }
        finally
        {
            // After a fault as well: the next subscriber would be given what was gathered for this one.
            merge.Clear();
        }
    }
}
