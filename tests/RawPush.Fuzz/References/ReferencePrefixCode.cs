namespace RawPush.Fuzz.References;

/// <summary>The code that lengths stand for (RFC 1951, section 3.2.2).</summary>
/// <remarks>A word is a code with a one in front of it, which makes its length a part of it.</remarks>
internal sealed class ReferencePrefixCode
{
    private const int BitsMax = 15;

    private readonly Dictionary<int, int> _symbols = [];
    private readonly int _used;   // of the 2^15 words of 15 bits, those that begin with a code
    private readonly int _bitsMax;

    public ReferencePrefixCode(int[] lengths)
    {
        int code = 0;
        for (int bits = 1; bits <= BitsMax; bits++)
        {
            code *= 2;
            foreach (int symbol in Enumerable.Range(0, lengths.Length).Where(symbol => lengths[symbol] == bits))
            {
                _symbols[(1 << bits) | (code & ((1 << bits) - 1))] = symbol;
                code++;
                _used += 1 << (BitsMax - bits);
                _bitsMax = bits;
            }
        }
    }

    /// <summary>No word longer than this is the beginning of a code.</summary>
    public static int WordMax => (1 << BitsMax) - 1;

    /// <summary>Every sequence of bits begins with one of its codes, and with one only.</summary>
    public bool IsComplete => _used == 1 << BitsMax;

    /// <summary>It has one code, of one bit.</summary>
    public bool IsSingle => _bitsMax == 1 && _used == 1 << (BitsMax - 1);

    public bool IsEmpty => _used == 0;

    public int? Find(int word) => _symbols.TryGetValue(word, out int symbol) ? symbol : null;
}
