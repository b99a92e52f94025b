namespace RawPush.TestKit;

/// <summary>Writes DEFLATE (RFC 1951) symbol by symbol: every block that there can be, and those that there must not be.</summary>
/// <remarks>Each method returns the writer, so that a message can be read as a sentence.</remarks>
public sealed class DeflateWriter
{
    private const int Stored = 0;
    private const int Fixed = 1;
    private const int Dynamic = 2;

    private readonly List<byte> _bytes = [];
    private int _freeBits;   // Of the last byte.
    private bool _isLast;    // The block being written says that it is the last.
    private int[] _lengths = [];
    private int[] _codes = [];
    private int[] _distanceLengths = [];
    private int[] _distanceCodes = [];

    /// <summary>A block of bytes as they are, at most 65,535 (section 3.2.4).</summary>
    public DeflateWriter Store(ReadOnlySpan<byte> bytes, bool isLast = false)
    {
        Begin(Stored, isLast).Align().Bits(bytes.Length, 16).Bits(~bytes.Length & 0xFFFF, 16);
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>A block whose codes the standard has fixed (section 3.2.6). Ends with <see cref="End"/>.</summary>
    public DeflateWriter BeginFixed(bool isLast = false)
    {
        Begin(Fixed, isLast);
        Use(DeflateCodes.FixedLengths, DeflateCodes.FixedDistanceLengths);
        return this;
    }

    /// <summary>A block that brings its codes (section 3.2.7). Ends with <see cref="End"/>.</summary>
    /// <param name="lengths">The bits of each literal and length: 257 to 288 of them, of which two must not be.</param>
    /// <param name="distanceLengths">The bits of each distance: 1 to 32, of which two must not be.</param>
    /// <param name="isLast">Whether it says that it is the last.</param>
    public DeflateWriter BeginDynamic(int[] lengths, int[] distanceLengths, bool isLast = false)
    {
        BeginDynamic(lengths.Length, distanceLengths.Length, CodeLengthsOfFourBits, isLast);
        Use(lengths, distanceLengths);
        foreach (int length in (int[])[.. lengths, .. distanceLengths])
        {
            Code(length, 4);
        }

        return this;
    }

    /// <summary>The beginning of a block that brings its codes, up to the lengths of the code in which those are written.</summary>
    public DeflateWriter BeginDynamic(int literals, int distances, int[] codeLengths, bool isLast = false)
    {
        Begin(Dynamic, isLast).Bits(literals - 257, 5).Bits(distances - 1, 5).Bits(DeflateCodes.CodeLengthOrder.Length - 4, 4);
        foreach (int symbol in DeflateCodes.CodeLengthOrder)
        {
            Bits(codeLengths[symbol], 3);
        }

        return this;
    }

    public DeflateWriter Literals(ReadOnlySpan<byte> bytes)
    {
        foreach (byte literal in bytes)
        {
            Symbol(literal);
        }

        return this;
    }

    /// <summary>As many bytes as were there so far back: 3 to 258, up to 32,768 (section 3.2.5).</summary>
    public DeflateWriter Match(int length, int distance)
    {
        // 258 has a symbol of its own, and another one with all of its bits set.
        int symbol = length == 258 ? DeflateCodes.LengthBases.Length - 1 : LastNotAbove(DeflateCodes.LengthBases, length);
        Symbol(DeflateCodes.FirstLength + symbol).Bits(length - DeflateCodes.LengthBases[symbol], DeflateCodes.LengthBits[symbol]);
        int distanceSymbol = LastNotAbove(DeflateCodes.DistanceBases, distance);
        return Distance(distanceSymbol).Bits(distance - DeflateCodes.DistanceBases[distanceSymbol], DeflateCodes.DistanceBits[distanceSymbol]);
    }

    /// <summary>A literal or length by its number, 286 and 287 too, which stand for nothing.</summary>
    public DeflateWriter Symbol(int symbol) => Code(_codes[symbol], _lengths[symbol]);

    /// <summary>A distance by its number, 30 and 31 too, which stand for nothing.</summary>
    public DeflateWriter Distance(int symbol) => Code(_distanceCodes[symbol], _distanceLengths[symbol]);

    /// <summary>The end of a block with codes.</summary>
    public DeflateWriter End()
    {
        Symbol(DeflateCodes.EndOfBlock);

        // Section 3.2.3: the stream ends with the last block, and what follows is another that begins with a byte.
        return _isLast ? Align() : this;
    }

    /// <summary>A number, its lowest bit first (section 3.1.1).</summary>
    public DeflateWriter Bits(int value, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Bit((value >> i) & 1);
        }

        return this;
    }

    /// <summary>The payload of a message: behind the blocks an empty stored one, without its last four bytes (RFC 7692, section 7.2.1).</summary>
    public byte[] ToMessage() => [.. Bits(0, 3)._bytes];

    /// <summary>No more than what was written.</summary>
    public byte[] ToBytes() => [.. _bytes];

    /// <summary>Sixteen of the 19, so that each length is written as itself, and no run of them.</summary>
    private static int[] CodeLengthsOfFourBits => [.. Enumerable.Repeat(4, 16), 0, 0, 0];

    private static int LastNotAbove(ReadOnlySpan<int> bases, int value)
    {
        int index = 0;
        while (index + 1 < bases.Length && bases[index + 1] <= value)
        {
            index++;
        }

        return index;
    }

    private DeflateWriter Begin(int type, bool isLast)
    {
        _isLast = isLast;
        return Bits(isLast ? 1 : 0, 1).Bits(type, 2);
    }

    private void Use(int[] lengths, int[] distanceLengths)
    {
        (_lengths, _codes) = (lengths, DeflateCodes.Assign(lengths));
        (_distanceLengths, _distanceCodes) = (distanceLengths, DeflateCodes.Assign(distanceLengths));
    }

    // A code of Huffman's, its highest bit first.
    private DeflateWriter Code(int code, int count)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            Bit((code >> i) & 1);
        }

        return this;
    }

    private DeflateWriter Align()
    {
        _freeBits = 0;
        return this;
    }

    private void Bit(int bit)
    {
        if (_freeBits == 0)
        {
            _bytes.Add(0);
            _freeBits = 8;
        }

        _bytes[^1] |= (byte)(bit << (8 - _freeBits));
        _freeBits--;
    }
}
