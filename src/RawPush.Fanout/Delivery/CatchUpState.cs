using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Delivery;

/// <summary>What a subscriber that is behind needs to know until it has caught up: what of its logs was gone when it came, and what it was told of.</summary>
internal sealed class CatchUpState
{
    private readonly Dictionary<Subscription, Past> _pasts = [];

    /// <summary>A position in another epoch that it came with and has not been told about yet.</summary>
    public MessageId? Foreign { get; set; }

    /// <summary>The first message that came when the subscriber had gone past it, and that it has not been told about yet, and of which of its channels; <c>default</c> for several.</summary>
    public (ChannelFilter Filter, long Sequence)? Late { get; set; }

    /// <summary>Up to where it was told of gaps, in any of its logs.</summary>
    public long ToldThrough { get; private set; }

    /// <summary>Notes up to where entries were missing already when it came: that is not its slowness.</summary>
    /// <param name="subscription">Whose log it is.</param>
    /// <param name="sequence">The newest that was missing.</param>
    /// <param name="isGap">It had a position of its own, so it misses them.</param>
    public void NoteStart(Subscription subscription, long sequence, bool isGap)
    {
        _pasts[subscription] = new Past(sequence, 0);
        if (!isGap)
        {
            NoteTold(subscription, sequence);
        }
    }

    /// <summary>Whether the loss of all up to a sequence is news to one who has read up to another, and how much of that was lost before it came.</summary>
    public bool IsNews(Subscription subscription, long cursor, long dropped, out long goneAtStart)
    {
        var past = _pasts.GetValueOrDefault(subscription);
        long known = Math.Max(cursor, past.ToldThrough);
        goneAtStart = past.GoneAtStart > known ? past.GoneAtStart : 0;
        return dropped > known;
    }

    /// <summary>A message came too late.</summary>
    public void NoteLate(ChannelFilter filter, long sequence) =>
        Late = Late is { } known ? (known.Filter == filter ? filter : default, Math.Min(known.Sequence, sequence)) : (filter, sequence);

    /// <summary>Up to where it was told of gaps in one of its logs.</summary>
    public long ToldThroughOf(Subscription subscription) => _pasts.GetValueOrDefault(subscription).ToldThrough;

    /// <summary>It was told.</summary>
    public void NoteTold(Subscription subscription, long through)
    {
        _pasts[subscription] = _pasts.GetValueOrDefault(subscription) with { ToldThrough = through };
        ToldThrough = Math.Max(ToldThrough, through);
    }

    private readonly record struct Past(long GoneAtStart, long ToldThrough);
}
