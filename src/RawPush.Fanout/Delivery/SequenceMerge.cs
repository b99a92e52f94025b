using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Delivery;

/// <summary>Puts the waiting entries of several channels in the order of the stream, each once, so that the last id a client saw stands for all of its channels.</summary>
/// <remarks>One per shard, used by it alone. Picks by a scan over the channels, whose number is limited per connection and mostly two or three. An entry that is in
/// several of the logs, because patterns overlap, has one sequence, and that is what cursors count. Where logs have lost entries, that comes before any entry that
/// is left: which of them stood where is not known, and who has an entry must have been told of all that was lost before it.</remarks>
internal sealed class SequenceMerge
{
    private readonly byte[][] _forms = new byte[EntryBatch.EntriesMax][];
    private readonly long[] _sequences = new long[EntryBatch.EntriesMax];
    private Head[] _heads = new Head[8];
    private int _headCount;
    private int _count;

    public ReadOnlySpan<byte[]> Forms => _forms.AsSpan(0, _count);

    /// <summary>A subscription whose log has lost entries that the subscriber has not been told of. There are no forms then.</summary>
    public Subscription? Hole { get; private set; }

    /// <summary>The last sequence that is missing there.</summary>
    public long HoleThrough { get; private set; }

    /// <summary>There is another one.</summary>
    public bool IsOneOfSeveral { get; private set; }

    /// <summary>The first sequence that is there; <see cref="long.MaxValue"/> for none.</summary>
    public long NextSequence { get; private set; }

    public long SequenceAt(int index) => _sequences[index];

    /// <summary>Gathers the next entries of all subscriptions, up to the watermark, or finds a hole.</summary>
    /// <param name="first">The subscriber's list of subscriptions.</param>
    /// <param name="cursor">The last sequence that it has.</param>
    /// <param name="watermark">The last sequence up to which every message is in its log.</param>
    /// <param name="format">How the entries are to be encoded.</param>
    /// <param name="catchUp">What the subscriber knows of holes; null for nothing.</param>
    public void Load(Subscription first, long cursor, long watermark, WireFormat format, CatchUpState? catchUp)
    {
        for (var subscription = first; subscription is not null; subscription = subscription.Next)
        {
            if (_headCount == _heads.Length)
            {
                Array.Resize(ref _heads, _headCount * 2);
            }

            ref var head = ref _heads[_headCount++];
            head.Subscription = subscription;
            NoteHole(subscription, head.Advance(cursor, watermark), cursor, catchUp);
        }

        NextSequence = EarliestHead().Sequence;
        if (Hole is null)
        {
            Gather(watermark, format, catchUp);
        }
    }

    public void Clear()
    {
        Array.Clear(_forms, 0, _count);
        Array.Clear(_heads, 0, _headCount);
        _count = 0;
        _headCount = 0;
        Hole = null;
        IsOneOfSeveral = false;
    }

    private void NoteHole(Subscription subscription, long dropped, long cursor, CatchUpState? catchUp)
    {
        if (!IsHole(subscription, dropped, cursor, catchUp))
        {
            return;
        }

        IsOneOfSeveral = Hole is not null;
        (Hole, HoleThrough) = (subscription, dropped);
    }

    private static bool IsHole(Subscription subscription, long dropped, long cursor, CatchUpState? catchUp) =>
        dropped > cursor && (catchUp is null || catchUp.IsNews(subscription, cursor, dropped, out _));

    private void Gather(long watermark, WireFormat format, CatchUpState? catchUp)
    {
        while (_count < EntryBatch.EntriesMax)
        {
            ref var next = ref EarliestHead();
            if (next.Entry is null)
            {
                return;
            }

            long sequence = next.Sequence;
            _forms[_count] = next.Entry.GetForm(format);
            _sequences[_count++] = sequence;
            if (!TryAdvancePast(sequence, watermark, catchUp))
            {
                // A hole that has come up meanwhile is for the next load.
                return;
            }
        }
    }

    private bool TryAdvancePast(long sequence, long watermark, CatchUpState? catchUp)
    {
        bool isWhole = true;
        foreach (ref var head in _heads.AsSpan(0, _headCount))
        {
            if (head.Sequence == sequence)
            {
                isWhole &= !IsHole(head.Subscription, head.Advance(sequence, watermark), sequence, catchUp);
            }
        }

        return isWhole;
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

        /// <summary>Looks at what comes after a sequence. Returns the newest sequence that the log has lost.</summary>
        public long Advance(long sequence, long watermark)
        {
            Entry = null;
            int count = Subscription.Channel.Read(sequence, new Span<Entry>(ref Entry!), out _, out long droppedThrough);
            if (count > 0 && Entry!.Sequence <= watermark)
            {
                Sequence = Entry.Sequence;
            }
            else
            {
                (Entry, Sequence) = (null, long.MaxValue);
            }

            return droppedThrough;
        }
    }
}
