using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Delivery;

/// <summary>The entries that a walk offers, read from the log once and shared by every subscriber of the walk. One per shard, used by it alone.</summary>
internal sealed class EntryBatch
{
    /// <summary>Entries offered at a time; also the most that leave in one gathered write.</summary>
    public const int EntriesMax = 64;

    /// <summary>What <see cref="Late"/> is while everything comes in order.</summary>
    public const long NoneLate = long.MaxValue;

    private readonly Entry[] _entries = new Entry[EntriesMax];
    private readonly byte[][]?[] _forms = new byte[][]?[(int)WireFormats.Last + 1];
    private readonly int[] _formCounts = new int[(int)WireFormats.Last + 1];
    private int _count;

    /// <summary>Up to where the log was looked at.</summary>
    public long Through { get; private set; }

    /// <summary>The newest sequence that the log has lost.</summary>
    public long DroppedThrough { get; private set; }

    /// <summary>The newest sequence that the node never had.</summary>
    public long MissedThrough { get; private set; }

    /// <summary>The first message that came behind others which stand behind it in the stream.</summary>
    public long Late { get; set; } = NoneLate;

    /// <summary>Reads what comes after a sequence.</summary>
    public void Load(Channel channel, long sequence)
    {
        _count = channel.Read(sequence, _entries, out long through, out long droppedThrough);
        Through = through;
        DroppedThrough = droppedThrough;
        MissedThrough = channel.MissedThrough;
        Array.Clear(_formCounts);
    }

    /// <summary>Index of the first entry after a sequence.</summary>
    public int IndexAfter(long sequence)
    {
        int index = 0;
        while (index < _count && _entries[index].Sequence <= sequence)
        {
            index++;
        }

        return index;
    }

    /// <summary>The first sequence that is there; <see cref="long.MaxValue"/> for none.</summary>
    public long FirstSequence => _count > 0 ? _entries[0].Sequence : long.MaxValue;

    public long SequenceAt(int index) => _entries[index].Sequence;

    /// <summary>The entries from an index on, as they stand on that wire.</summary>
    public ReadOnlySpan<byte[]> FormsFrom(int index, WireFormat format)
    {
        if (index >= _count)
        {
            return default;
        }

        var forms = _forms[(int)format] ??= new byte[EntriesMax][];
        for (ref int i = ref _formCounts[(int)format]; i < _count; i++)
        {
            forms[i] = _entries[i].GetForm(format);
        }

        return forms.AsSpan(index, _count - index);
    }

    /// <summary>Lets go of the entries, so that a quiet shard keeps nothing alive that the log has dropped.</summary>
    public void Clear()
    {
        Array.Clear(_entries, 0, _count);
        for (int format = 0; format < _forms.Length; format++)
        {
            if (_formCounts[format] > 0)
            {
                Array.Clear(_forms[format]!, 0, _formCounts[format]);
            }
        }

        _count = 0;
    }
}
