namespace RawPush.Fanout.Channels;

/// <summary>A bounded, ordered ring of entries. A position counts the entries ever appended, so it never goes back and a cursor is one number.</summary>
/// <remarks>Not safe for threads by itself: the channel's lock guards it. The ring starts small and grows by doubling, so a quiet channel stays cheap.</remarks>
internal sealed class ChannelLog(ChannelLimits limits)
{
    private const int FirstCapacity = 4;

    private Entry?[] _ring = new Entry?[FirstCapacity];
    private long _bytes;

    /// <summary>Position of the oldest entry kept.</summary>
    public long Tail { get; private set; }

    /// <summary>Position that the next entry will have.</summary>
    public long Head { get; private set; }

    public int Count => (int)(Head - Tail);

    public long Bytes => _bytes;

    /// <summary>More is kept than the limits allow, because a shard has not yet walked it. Publishers wait until that has passed.</summary>
    public bool IsOverfull => Count > limits.LogEntriesMax || (_bytes > limits.LogBytesMax && Count > 1);

    public void Append(Entry entry)
    {
        if (Count == _ring.Length)
        {
            Grow();
        }

        SlotOf(Head++) = entry;
        _bytes += entry.PayloadBytes;
    }

    /// <summary>Drops the oldest entries until the limits hold, but none from <paramref name="walked"/> on: every shard must have offered an entry
    /// to its subscribers before it may go, or a burst of publishing would cut off subscribers that are not slow at all.</summary>
    public void Trim(long walked)
    {
        while (IsOverfull && Tail < walked)
        {
            ref var oldest = ref SlotOf(Tail++);
            _bytes -= oldest!.PayloadBytes;
            oldest = null;
        }
    }

    /// <summary>Copies entries from <paramref name="position"/> on, as many as fit and are there. The position must not be before the tail.</summary>
    public int CopyTo(long position, Span<Entry> destination)
    {
        int count = (int)Math.Clamp(Head - position, 0, destination.Length);
        for (int i = 0; i < count; i++)
        {
            destination[i] = SlotOf(position + i)!;
        }

        return count;
    }

    private ref Entry? SlotOf(long position) => ref _ring[position & (_ring.Length - 1)];

    private void Grow()
    {
        var larger = new Entry?[_ring.Length * 2];
        for (long position = Tail; position < Head; position++)
        {
            larger[position & (larger.Length - 1)] = SlotOf(position);
        }

        _ring = larger;
    }
}
