namespace RawPush.Fuzz;

/// <summary>Takes an input apart, front to back. Where it ends too early, zeros follow, so that every input means something.</summary>
internal sealed class FuzzInput(byte[] bytes)
{
    private const int CutsMax = 15;

    private int _at;

    public bool IsAtEnd => _at == bytes.Length;

    public byte TakeByte() => IsAtEnd ? (byte)0 : bytes[_at++];

    /// <summary>A byte of length, and as many bytes.</summary>
    public byte[] TakeBlock()
    {
        int length = Math.Min(TakeByte(), bytes.Length - _at);
        _at += length;
        return bytes[(_at - length).._at];
    }

    public byte[] TakeRest()
    {
        int start = _at;
        _at = bytes.Length;
        return bytes[start..];
    }

    /// <summary>The lengths of pieces in which what follows arrives: a byte says how many, each is a byte. What they leave is the last piece.</summary>
    public int[] TakePieceLengths()
    {
        var lengths = new int[TakeByte() % (CutsMax + 1)];
        for (int i = 0; i < lengths.Length; i++)
        {
            lengths[i] = TakeByte();
        }

        return lengths;
    }

    /// <summary>Where the pieces end, the last one included. Some may be empty.</summary>
    public static int[] EndsOf(int[] pieceLengths, int total)
    {
        var ends = new int[pieceLengths.Length + 1];
        int end = 0;
        for (int i = 0; i < pieceLengths.Length; i++)
        {
            end = Math.Min(end + pieceLengths[i], total);
            ends[i] = end;
        }

        ends[^1] = total;
        return ends;
    }
}
