namespace RawPush.TestKit;

/// <summary>What a DEFLATE block is made of.</summary>
public enum DeflateBlock
{
    Stored,
    Fixed,
    Dynamic,
}

/// <summary>A message that was deflated, and how.</summary>
/// <param name="Message">What it says.</param>
/// <param name="Blocks">Its blocks, in order, up to the empty one of which four bytes were taken off.</param>
/// <param name="FurthestMatch">How far back its matches reach; 0 without any.</param>
public sealed record DeflatedMessage(byte[] Message, IReadOnlyList<DeflateBlock> Blocks, int FurthestMatch);

/// <summary>Inflates a message of permessage-deflate as RFC 1951 says it, a bit at a time and for no other virtue than that.</summary>
/// <remarks>The base class library's inflater is of the same family as the server's, and would take a match of any distance. What is not DEFLATE throws.</remarks>
public sealed class ReferenceInflater
{
    private readonly byte[] _input;
    private readonly List<byte> _output = [];
    private readonly List<DeflateBlock> _blocks = [];
    private int _position;   // In bits.
    private int _furthest;

    private ReferenceInflater(byte[] input) => _input = input;

    /// <summary>Reads the payload of a message.</summary>
    public static DeflatedMessage Read(ReadOnlySpan<byte> payload)
    {
        // RFC 7692, section 7.2.2.
        var inflater = new ReferenceInflater([.. payload, 0x00, 0x00, 0xFF, 0xFF]);
        while (inflater._position < 8 * inflater._input.Length)
        {
            inflater.ReadBlock();
        }

        return new DeflatedMessage([.. inflater._output], inflater._blocks[..^1], inflater._furthest);
    }

    private void ReadBlock()
    {
        bool isLast = Bits(1) == 1;
        var kind = (DeflateBlock)Bits(2);
        _blocks.Add(kind);
        switch (kind)
        {
            case DeflateBlock.Stored:
                ReadStored();
                break;
            case DeflateBlock.Fixed:
                ReadSymbols(new Code(DeflateCodes.FixedLengths), new Code(DeflateCodes.FixedDistanceLengths));
                break;
            case DeflateBlock.Dynamic:
                ReadDynamic();
                break;
            default:
                throw new FormatException("There is no such block.");
        }

        if (isLast)
        {
            Align();
        }
    }

    // Section 3.2.4.
    private void ReadStored()
    {
        Align();
        int length = Bits(16);
        if (Bits(16) != (~length & 0xFFFF))
        {
            throw new FormatException("The length and its complement do not agree.");
        }

        for (int i = 0; i < length; i++)
        {
            _output.Add((byte)Bits(8));
        }
    }

    // Section 3.2.7.
    private void ReadDynamic()
    {
        int literals = Bits(5) + 257;
        int distances = Bits(5) + 1;
        int count = Bits(4) + 4;
        int[] codeLengths = new int[DeflateCodes.CodeLengthOrder.Length];
        for (int i = 0; i < count; i++)
        {
            codeLengths[DeflateCodes.CodeLengthOrder[i]] = Bits(3);
        }

        var code = new Code(codeLengths);
        var lengths = new List<int>();
        while (lengths.Count < literals + distances)
        {
            int symbol = Next(code);
            var (length, times) = symbol switch
            {
                16 => (lengths[^1], 3 + Bits(2)),
                17 => (0, 3 + Bits(3)),
                18 => (0, 11 + Bits(7)),
                _ => (symbol, 1),
            };
            lengths.AddRange(Enumerable.Repeat(length, times));
        }

        ReadSymbols(new Code([.. lengths[..literals]]), new Code([.. lengths[literals..]]));
    }

    // Section 3.2.3.
    private void ReadSymbols(Code code, Code distances)
    {
        for (int symbol = Next(code); symbol != DeflateCodes.EndOfBlock; symbol = Next(code))
        {
            if (symbol < DeflateCodes.EndOfBlock)
            {
                _output.Add((byte)symbol);
                continue;
            }

            int lengthSymbol = symbol - DeflateCodes.FirstLength;
            int length = DeflateCodes.LengthBases[lengthSymbol] + Bits(DeflateCodes.LengthBits[lengthSymbol]);
            int distanceSymbol = Next(distances);
            int distance = DeflateCodes.DistanceBases[distanceSymbol] + Bits(DeflateCodes.DistanceBits[distanceSymbol]);
            _furthest = Math.Max(_furthest, distance);
            for (int i = 0; i < length; i++)
            {
                _output.Add(_output[^distance]);
            }
        }
    }

    private int Next(Code code)
    {
        int bits = 0;
        for (int length = 1; length <= DeflateCodes.BitsMax; length++)
        {
            bits = (bits << 1) | Bits(1);
            if (code.Find(length, bits) is { } symbol)
            {
                return symbol;
            }
        }

        throw new FormatException("There is no such code.");
    }

    private int Bits(int count)
    {
        int value = 0;
        for (int i = 0; i < count; i++, _position++)
        {
            value |= ((_input[_position >> 3] >> (_position & 7)) & 1) << i;
        }

        return value;
    }

    private void Align() => _position = (_position + 7) & ~7;

    private sealed class Code
    {
        private readonly Dictionary<(int Length, int Bits), int> _symbols = [];

        public Code(int[] lengths)
        {
            int[] codes = DeflateCodes.Assign(lengths);
            for (int symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] > 0)
                {
                    _symbols.Add((lengths[symbol], codes[symbol]), symbol);
                }
            }
        }

        public int? Find(int length, int bits) => _symbols.TryGetValue((length, bits), out int symbol) ? symbol : null;
    }
}
