using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Delivery;

/// <summary>Puts the waiting entries of several channels in the order of the stream, each once, so that the last id a client saw stands for all of its channels.</summary>
/// <remarks>One per shard, used by it alone. Picks by a scan over the channels, whose number is limited per connection and mostly two or three. An entry that is in
/// several of the logs, because patterns overlap, has one sequence, and that is what cursors count. Where entries are missing stands a hole, in its place among the others.</remarks>
internal sealed class SequenceMerge
{
    private readonly byte[][] _forms = new byte[EntryBatch.EntriesMax][];
    private readonly long[] _sequences = new long[EntryBatch.EntriesMax];
    private Head[] _heads = new Head[8];
    private int _headCount;
    private int _count;

    public ReadOnlySpan<byte[]> Forms => _forms.AsSpan(0, _count);

    /// <summary>Before any other entry comes a hole: the subscription whose log has lost entries.</summary>
    public Subscription? Hole { get; private set; }

    /// <summary>The last sequence that is missing there.</summary>
    public long HoleThrough { get; private set; }

    public long SequenceAt(int index) => _sequences[index];

    /// <summary>Gathers the next entries of all subscriptions, up to the watermark and up to the next hole.</summary>
    /// <param name="first">The subscriber's list of subscriptions.</param>
    /// <param name="cursor">The last sequence that it has.</param>
    /// <param name="watermark">The last sequence up to which every message is in its log.</param>
    /// <param name="format">How the entries are to be encoded.</param>
    public void Load(Subscription first, long cursor, long watermark, WireFormat format)
    {
        for (var subscription = first; subscription is not null; subscription = subscription.Next)
        {
            if (_headCount == _heads.Length)
            {
                Array.Resize(ref _heads, _headCount * 2);
            }

            ref var head = ref _heads[_headCount++];
            head.Subscription = subscription;
            head.Advance(cursor, watermark);
        }

        Gather(watermark, format);
    }

    public void Clear()
    {
        Array.Clear(_forms, 0, _count);
        Array.Clear(_heads, 0, _headCount);
        _count = 0;
        _headCount = 0;
        Hole = null;
    }

    private void Gather(long watermark, WireFormat format)
    {
        while (_count < EntryBatch.EntriesMax)
        {
            ref var next = ref EarliestHead();
            if (next.IsHole)
            {
                // News of a hole comes alone; what stands before it, first.
                Hole = _count == 0 ? next.Subscription : null;
                HoleThrough = next.Sequence;
                return;
            }

            if (next.Entry is null)
            {
                return;
            }

            long sequence = next.Sequence;
            _forms[_count] = next.Entry.GetForm(format);
            _sequences[_count++] = sequence;
            AdvancePast(sequence, watermark);
        }
    }

    private void AdvancePast(long sequence, long watermark)
    {
        foreach (ref var head in _heads.AsSpan(0, _headCount))
        {
            if (head.Sequence == sequence)
            {
                head.Advance(sequence, watermark);
            }
        }
    }

    private ref Head EarliestHead()
    {
        int earliest = 0;
        for (int i = 1; i < _headCount; i++)
        {
            if (_heads[i].Sequence < _heads[earliest].Sequence)
            {
                earliest = i;
            }
        }

        return ref _heads[earliest];
    }

    /// <summary>What comes next in one log.</summary>
    private struct Head
    {
        public Subscription Subscription;
        public Entry? Entry;
        public long Sequence;

        public readonly bool IsHole => Entry is null && Sequence != long.MaxValue;

        /// <summary>Looks at what comes after a sequence: an entry, a hole, or nothing.</summary>
        public void Advance(long sequence, long watermark)
        {
            Entry = null;
            int count = Subscription.Channel.Read(sequence, new Span<Entry>(ref Entry!), out _, out long droppedThrough);
            Sequence = count > 0 && Entry!.Sequence <= watermark ? Entry.Sequence : long.MaxValue;

            // In the log of a pattern older entries than the missing ones may be kept.
            if (droppedThrough > sequence && droppedThrough < Sequence)
            {
                Sequence = droppedThrough;
                Entry = null;
            }
            else if (Sequence == long.MaxValue)
            {
                Entry = null;
            }
        }
    }
}
