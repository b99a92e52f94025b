using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Delivery;

/// <summary>Puts the waiting entries of several channels in the order of the stream, so that the last id a client saw stands for all of its channels.</summary>
/// <remarks>One per shard, used by it alone. Picks by a scan over the channels, whose number is limited per connection and mostly two or three.</remarks>
internal sealed class SequenceMerge
{
    private readonly byte[][] _forms = new byte[EntryBatch.EntriesMax][];
    private readonly Subscription[] _sources = new Subscription[EntryBatch.EntriesMax];
    private Head[] _heads = new Head[8];
    private int _headCount;
    private int _count;

    public ReadOnlySpan<byte[]> Forms => _forms.AsSpan(0, _count);

    /// <summary>Gathers the next entries of all subscriptions, up to the watermark. Returns the subscription whose log has lost entries, if one has.</summary>
    /// <param name="first">The subscriber's list of subscriptions.</param>
    /// <param name="watermark">The last sequence up to which every message is in its log.</param>
    /// <param name="format">How the entries are to be encoded.</param>
    public Subscription? Load(Subscription first, long watermark, WireFormat format)
    {
        for (var subscription = first; subscription is not null; subscription = subscription.Next)
        {
            if (_headCount == _heads.Length)
            {
                Array.Resize(ref _heads, _headCount * 2);
            }

            ref var head = ref _heads[_headCount++];
            head = new Head { Subscription = subscription, Position = subscription.Cursor };
            if (!head.TryPeek(watermark))
            {
                Clear();
                return subscription;
            }
        }

        Gather(watermark, format);
        return null;
    }

    /// <summary>Moves the cursors past the first <paramref name="taken"/> entries.</summary>
    public void Commit(int taken)
    {
        for (int i = 0; i < taken; i++)
        {
            _sources[i].Cursor++;
        }
    }

    public void Clear()
    {
        Array.Clear(_forms, 0, _count);
        Array.Clear(_sources, 0, _count);
        Array.Clear(_heads, 0, _headCount);
        _count = 0;
        _headCount = 0;
    }

    private void Gather(long watermark, WireFormat format)
    {
        while (_count < EntryBatch.EntriesMax)
        {
            ref var next = ref EarliestHead();
            if (next.Entry is null)
            {
                return;
            }

            _forms[_count] = next.Entry.GetForm(format);
            _sources[_count++] = next.Subscription;
            next.Position++;

            if (!next.TryPeek(watermark))
            {
                // The log has dropped it meanwhile. Later entries of other channels must not overtake the news of that, which the next call brings.
                return;
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

    /// <summary>The next entry of one channel.</summary>
    private struct Head
    {
        public Subscription Subscription;
        public long Position;
        public Entry? Entry;

        public readonly long Sequence => Entry?.Id.Sequence ?? long.MaxValue;

        /// <summary>Looks at the entry at the position. False: the log has dropped it.</summary>
        public bool TryPeek(long watermark)
        {
            Entry = null;
            if (Subscription.Channel.Read(Position, new Span<Entry>(ref Entry!), out long tail) > 0 && Entry!.Id.Sequence > watermark)
            {
                Entry = null;
            }

            return Position >= tail;
        }
    }
}
