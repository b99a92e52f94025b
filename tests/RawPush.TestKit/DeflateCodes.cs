namespace RawPush.TestKit;

/// <summary>The numbers of DEFLATE (RFC 1951, section 3.2), for <see cref="DeflateWriter"/> and <see cref="ReferenceInflater"/>.</summary>
internal static class DeflateCodes
{
    public const int EndOfBlock = 256;
    public const int FirstLength = 257;
    public const int BitsMax = 15;

    // Section 3.2.5: what the symbols from 257 on stand for, and how many bits follow them.
    public static ReadOnlySpan<int> LengthBases => [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

    public static ReadOnlySpan<int> LengthBits => [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

    public static ReadOnlySpan<int> DistanceBases =>
    [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12_289, 16_385, 24_577,
    ];

    public static ReadOnlySpan<int> DistanceBits => [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];

    /// <summary>Section 3.2.7: the order in which the lengths of the code for code lengths stand.</summary>
    public static ReadOnlySpan<int> CodeLengthOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <summary>Section 3.2.6: the bits of each literal and length, the two that stand for nothing among them.</summary>
    public static int[] FixedLengths =>
        [.. Enumerable.Repeat(8, 144), .. Enumerable.Repeat(9, 112), .. Enumerable.Repeat(7, 24), .. Enumerable.Repeat(8, 8)];

    /// <summary>All 32, two of which stand for nothing.</summary>
    public static int[] FixedDistanceLengths => [.. Enumerable.Repeat(5, 32)];

    /// <summary>Section 3.2.2: the code of each symbol, out of their lengths alone.</summary>
    public static int[] Assign(IReadOnlyList<int> lengths)
    {
        int[] codes = new int[lengths.Count];
        int next = 0;
        for (int bits = 1; bits <= BitsMax; bits++, next <<= 1)
        {
            for (int symbol = 0; symbol < lengths.Count; symbol++)
            {
                if (lengths[symbol] == bits)
                {
                    codes[symbol] = next++;
                }
            }
        }

        return codes;
    }
}
