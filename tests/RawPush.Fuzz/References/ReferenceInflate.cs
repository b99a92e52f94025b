using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Fuzz.References;

/// <summary>RFC 1951 a bit at a time, with RFC 7692, section 7.2.2, around it. What fails first decides, bytes past the limit included.</summary>
/// <remarks>
/// Where RFC 1951 is silent it is as strict as zlib: codes must be complete, but for a single one of one bit; 286 literals and lengths and 30 distances at most; a block has a
/// code for its end. And as lenient: 258 may be written as 227 and 31 more.
/// </remarks>
internal sealed class ReferenceInflate(byte[] wire, int bytesMax)
{
    private const int EndOfBlock = 256;

    // Section 3.2.7: the order in which the lengths of the code length code come.
    private static readonly int[] LengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    // Section 3.2.5. After the first few, so many codes with so many extra bits each, and a table is made by adding up.
    private static readonly (int Base, int ExtraBits)[] Lengths = [.. Ranges(first: 3, plain: 8, perBits: 4).Take(28), (258, 0)];
    private static readonly (int Base, int ExtraBits)[] Distances = [.. Ranges(first: 1, plain: 4, perBits: 2).Take(30)];

    // Section 3.2.6.
    private static readonly ReferencePrefixCode FixedLiterals = new(
        [.. Enumerable.Repeat(8, 144), .. Enumerable.Repeat(9, 112), .. Enumerable.Repeat(7, 24), .. Enumerable.Repeat(8, 8)]);

    private static readonly ReferencePrefixCode FixedDistances = new([.. Enumerable.Repeat(5, 32)]);

    private readonly List<byte> _output = [];
    private int _at;   // in bits
    private int _reach;

    public static InflateOutcome Read(byte[] compressed, int bytesMax)
    {
        var reference = new ReferenceInflate([.. compressed, 0x00, 0x00, 0xFF, 0xFF], bytesMax);
        InflateStatus? status;
        do
        {
            status = reference.ReadBlock();
        }
        while (status is null);
        return new InflateOutcome(status.Value, [.. reference._output], reference._reach);
    }

    private static IEnumerable<(int Base, int ExtraBits)> Ranges(int first, int plain, int perBits)
    {
        for (int i = 0; ; i++)
        {
            int extraBits = i < plain ? 0 : ((i - plain) / perBits) + 1;
            yield return (first, extraBits);
            first += 1 << extraBits;
        }
    }

    /// <summary>Null when there is more to read.</summary>
    private InflateStatus? ReadBlock()
    {
        if (_at == 8 * wire.Length)
        {
            return InflateStatus.Done;
        }

        int? isLast = TakeBits(1);
        var status = TakeBits(2) switch
        {
            0 => ReadStored(),
            1 => ReadSymbols(FixedLiterals, FixedDistances),
            2 => ReadDynamic(),
            _ => InflateStatus.Corrupt,
        };

        // RFC 7692, section 7.2.3.4: a last block ends its byte, and the next one follows.
        _at += isLast == 1 ? BitsLeftOfByte() : 0;
        return status;
    }

    private int BitsLeftOfByte() => (8 - (_at % 8)) % 8;

    private InflateStatus? ReadStored()
    {
        _at += BitsLeftOfByte();
        int? length = TakeBits(16);
        int? complement = TakeBits(16);
        if (length is null || complement != (~length & 0xFFFF))
        {
            return InflateStatus.Corrupt;
        }

        InflateStatus? status = null;
        for (int i = 0; i < length && status is null; i++)
        {
            status = TakeBits(8) is { } value ? Add((byte)value) : InflateStatus.Corrupt;
        }

        return status;
    }

    private InflateStatus? ReadDynamic()
    {
        int? literals = TakeBits(5) + 257;
        int? distances = TakeBits(5) + 1;
        int? codeLengths = TakeBits(4) + 4;
        if (literals is not <= 286 || distances is not <= 30 || ReadCodeLengthCode(codeLengths ?? 0) is not { IsComplete: true } code)
        {
            return InflateStatus.Corrupt;
        }

        if (ReadLengths(code, literals.Value + distances.Value) is not { } lengths || lengths[EndOfBlock] == 0)
        {
            return InflateStatus.Corrupt;
        }

        var literalCode = new ReferencePrefixCode(lengths[..literals.Value]);
        var distanceCode = new ReferencePrefixCode(lengths[literals.Value..]);
        bool isGood = (literalCode.IsComplete || literalCode.IsSingle) && (distanceCode.IsComplete || distanceCode.IsSingle || distanceCode.IsEmpty);
        return isGood ? ReadSymbols(literalCode, distanceCode) : InflateStatus.Corrupt;
    }

    private ReferencePrefixCode? ReadCodeLengthCode(int count)
    {
        var lengths = new int[LengthOrder.Length];
        foreach (int symbol in LengthOrder.Take(count))
        {
            if (TakeBits(3) is not { } length)
            {
                return null;
            }

            lengths[symbol] = length;
        }

        return new ReferencePrefixCode(lengths);
    }

    private int[]? ReadLengths(ReferencePrefixCode code, int count)
    {
        var lengths = new List<int>();
        while (lengths.Count < count)
        {
            int? symbol = TakeSymbol(code);
            int? value = symbol == 16 ? (lengths.Count == 0 ? null : lengths[^1]) : symbol < 16 ? symbol : 0;
            int? repeat = symbol switch { 16 => 3 + TakeBits(2), 17 => 3 + TakeBits(3), 18 => 11 + TakeBits(7), _ => 1 };
            if (symbol is null || value is null || repeat is null)
            {
                return null;
            }

            lengths.AddRange(Enumerable.Repeat(value.Value, repeat.Value));
        }

        return lengths.Count == count ? [.. lengths] : null;
    }

    private InflateStatus? ReadSymbols(ReferencePrefixCode literals, ReferencePrefixCode distances)
    {
        InflateStatus? status = null;
        while (status is null)
        {
            int? symbol = TakeSymbol(literals);
            if (symbol == EndOfBlock)
            {
                return null;
            }

            status = symbol switch
            {
                null => InflateStatus.Corrupt,
                < EndOfBlock => Add((byte)symbol.Value),
                _ => Copy(TakeNumber(Lengths, symbol - EndOfBlock - 1), TakeNumber(Distances, TakeSymbol(distances))),
            };
        }

        return status;
    }

    private InflateStatus? Copy(int? length, int? distance)
    {
        if (length is null || distance is null || distance > _output.Count)
        {
            return InflateStatus.Corrupt;
        }

        _reach = Math.Max(_reach, distance.Value);
        InflateStatus? status = null;
        for (int i = 0; i < length && status is null; i++)
        {
            status = Add(_output[^distance.Value]);
        }

        return status;
    }

    private InflateStatus? Add(byte value)
    {
        _output.Add(value);
        return _output.Count > bytesMax ? InflateStatus.TooBig : null;
    }

    private int? TakeNumber((int Base, int ExtraBits)[] table, int? index) =>
        index < table.Length ? table[index.Value].Base + TakeBits(table[index.Value].ExtraBits) : null;

    // Section 3.1.1: codes come with their first bit first, numbers with their last.
    private int? TakeSymbol(ReferencePrefixCode code)
    {
        int word = 1;
        while (word <= ReferencePrefixCode.WordMax)
        {
            if (TakeBits(1) is not { } bit)
            {
                return null;
            }

            word = (2 * word) + bit;
            if (code.Find(word) is { } symbol)
            {
                return symbol;
            }
        }

        return null;
    }

    private int? TakeBits(int count)
    {
        if (_at + count > 8 * wire.Length)
        {
            return null;
        }

        int number = 0;
        for (int i = 0; i < count; i++, _at++)
        {
            number |= ((wire[_at / 8] >> (_at % 8)) & 1) << i;
        }

        return number;
    }
}
