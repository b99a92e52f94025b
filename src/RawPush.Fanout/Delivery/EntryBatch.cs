using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Delivery;

/// <summary>The entries that a walk offers, read from the log once and shared by every subscriber of the walk. One per shard, used by it alone.</summary>
internal sealed class EntryBatch
{
    /// <summary>Entries offered at a time; also the most that leave in one gathered write.</summary>
    public const int EntriesMax = 64;

    private readonly Entry[] _entries = new Entry[EntriesMax];
    private readonly byte[][]?[] _forms = new byte[][]?[(int)WireFormat.ServerSentEventNamed + 1];
    private readonly int[] _formCounts = new int[(int)WireFormat.ServerSentEventNamed + 1];
    private int _count;

    /// <summary>Position of the first entry.</summary>
    public long First { get; private set; }

    /// <summary>Position after the last entry.</summary>
    public long End => First + _count;

    /// <summary>Position of the oldest entry that the log still has.</summary>
    public long Tail { get; private set; }

    public void Load(Channel channel, long position)
    {
        First = position;
        _count = channel.Read(position, _entries, out long tail);
        Tail = tail;
        Array.Clear(_formCounts);
    }

    /// <summary>The entries from <paramref name="position"/> on, as they stand on that wire. Empty when the position is after the last one.</summary>
    public ReadOnlySpan<byte[]> FormsFrom(long position, WireFormat format)
    {
        if (position >= End)
        {
            return default;
        }

        var forms = _forms[(int)format] ??= new byte[EntriesMax][];
        for (ref int i = ref _formCounts[(int)format]; i < _count; i++)
        {
            forms[i] = _entries[i].GetForm(format);
        }

        return forms.AsSpan((int)(position - First), (int)(End - position));
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
