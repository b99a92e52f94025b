using System.Buffers;

namespace RawPush.TestKit;

/// <summary>The same bytes laid out over several segments, as a socket would have delivered them.</summary>
public static class SplitSequence
{
    /// <summary>Two segments: the bytes before <paramref name="cut"/> and the rest. Either may be empty.</summary>
    public static ReadOnlySequence<byte> At(byte[] bytes, int cut)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        return Of(bytes.AsMemory(0, cut), bytes.AsMemory(cut));
    }

    /// <summary>One segment for each byte. An empty array gives one empty segment.</summary>
    public static ReadOnlySequence<byte> EveryByte(byte[] bytes) => Every(1, bytes);

    /// <summary>Segments of <paramref name="size"/> bytes; the last may be shorter.</summary>
    public static ReadOnlySequence<byte> Every(int size, byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);

        var pieces = new List<ReadOnlyMemory<byte>>();
        for (int start = 0; start < bytes.Length; start += size)
        {
            pieces.Add(bytes.AsMemory(start, Math.Min(size, bytes.Length - start)));
        }

        return Of([.. pieces]);
    }

    /// <summary>One segment for each piece, in order.</summary>
    public static ReadOnlySequence<byte> Of(params ReadOnlyMemory<byte>[] pieces)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        if (pieces.Length == 0)
        {
            return ReadOnlySequence<byte>.Empty;
        }

        var first = new Segment(pieces[0], runningIndex: 0);
        Segment last = first;
        for (int i = 1; i < pieces.Length; i++)
        {
            last = last.Append(pieces[i]);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
