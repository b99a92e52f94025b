using System.IO.Compression;
using System.Text;
using RawPush.Protocol.WebSockets;
using RawPush.TestKit;
using static RawPush.Conformance.Tests.WebSockets.DeflatePayloads;
using static RawPush.Conformance.Tests.WebSockets.Payloads;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>12: compressed messages of clients (RFC 7692 sections 6 and 7.2).</summary>
public sealed class DeflateTests(DeflateHost echo) : IClassFixture<DeflateHost>
{
    // Around each step: the forms of a length, the buffers that grow, the windows.
    private static readonly int[] Lengths =
    [
        0, 1, 2, 3, 124, 125, 126, 127, 258, 1000, 4095, 4096, 4097, 8192, 32_768, 32_769, 65_534, 65_535, 65_536, 65_537, 1_048_575, 1_048_576, 1_048_577,
    ];

    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(12);
            AddSamples(cases);
            AddTexts(cases);
            AddBinaries(cases);
            AddWireLengths(cases);
            AddBlocks(cases);
            AddMatches(cases);
            AddLastBlocks(cases);
            AddFragments(cases);
            AddReservedBits(cases);
            AddControlFrames(cases);
            AddUncompressed(cases);
            AddTakeover(cases);
            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task OverASocket(WebSocketCase sample) => SocketRunner.RunAsync(echo, sample);

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(WebSocketCase sample) => ParserRunner.Run(sample);

    // Section 7.2.3.
    private static void AddSamples(CaseList cases)
    {
        cases.BeginCompressed(1);
        cases.AddText("The sample of section 7.2.3.1 is read", Hello, "Hello");
        cases.Add("The sample of section 7.2.3.1 in two fragments is read", Compressed.Frames(Opcode.Text, Hello[..3], Hello[3..]), Reply.Text("Hello"));
        cases.Add("The sample of section 7.2.3.2, twice the same message by itself, is read", [.. Text(Hello), .. Text(Hello)], Reply.Text("Hello"), Reply.Text("Hello"));
        cases.AddText("The sample of section 7.2.3.3, a stored block, is read", Convert.FromHexString("000500FAFF48656C6C6F00"), "Hello");
        cases.AddText("The sample of section 7.2.3.4, a block that says that it is the last, is read", Convert.FromHexString("F348CDC9C9070000"), "Hello");
        cases.AddText("The sample of section 7.2.3.5, two blocks, is read", Convert.FromHexString("F24805000000FFFFCAC9C90700"), "Hello");
        cases.AddText("The sample of section 7.2.3.6, an empty message, is read", [0x00], "");
        cases.Add("The same as a binary message is read", Binary([0x00]), Reply.Binary([]));
    }

    private static void AddTexts(CaseList cases)
    {
        cases.BeginCompressed(2);
        foreach (int length in Lengths)
        {
            cases.AddText($"A text of {length} bytes comes back", Of(Letters(length)), Letters(length));
        }
    }

    private static void AddBinaries(CaseList cases)
    {
        cases.BeginCompressed(3);
        foreach (int length in Lengths)
        {
            cases.AddBinary($"{length} bytes that cannot be made shorter come back", Compressed.Of(Noise(length)), Noise(length));
        }
    }

    // Stored blocks of whatever makes up the length: five bytes for each, and one at the end.
    private static void AddWireLengths(CaseList cases)
    {
        cases.BeginCompressed(4);
        foreach (int length in (int[])[6, 7, 125, 126, 127, 65_535, 65_536, 65_541])
        {
            cases.AddBinary($"A payload of {length} bytes comes back as {length - 6}", new DeflateWriter().Store(Noise(length - 6)).ToMessage(), Noise(length - 6));
        }

        cases.AddBinary("A payload of 65,547 bytes, in two blocks, comes back as 65,536", Stored(Noise(65_536), 65_535), Noise(65_536));
        cases.AddBinary("A byte in a payload of 5,006 comes back alone", Stored([.. Noise(1)], 1, emptyBlocks: 999), Noise(1));
        foreach (int chop in (int[])[1, 2, 997])
        {
            cases.Setting = sample => sample with { IsCompressed = true, ChopBytes = chop };
            cases.AddBinary($"A message sent in chops of {chop} comes back", Compressed.Of(Noise(3000)), Noise(3000));
        }
    }

    // RFC 1951 section 3.2.3.
    private static void AddBlocks(CaseList cases)
    {
        cases.BeginCompressed(5);
        string text = Letters(10_000);
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        cases.AddBinary("Every byte in a stored block comes back", Made(new DeflateWriter().Store(bytes), DeflateBlock.Stored), bytes);
        cases.AddBinary("Every byte in a fixed block comes back", Made(new DeflateWriter().BeginFixed().Literals(bytes).End(), DeflateBlock.Fixed), bytes);
        cases.AddBinary("Every byte in a block with its own codes comes back", Made(new DeflateWriter().BeginDynamic(AllCodes, [1]).Literals(bytes).End(), DeflateBlock.Dynamic), bytes);
        cases.AddText("An empty fixed block is an empty text", Made(new DeflateWriter().BeginFixed().End(), DeflateBlock.Fixed), "");
        cases.AddText("An empty block with its own codes is an empty text", Made(new DeflateWriter().BeginDynamic(AllCodes, [1]).End(), DeflateBlock.Dynamic), "");
        cases.AddText("An empty stored block in front of another is an empty text", Made(new DeflateWriter().Store([]), DeflateBlock.Stored), "");
        cases.AddText(
            "A block of each kind is one text",
            Made(
                new DeflateWriter().Store("ab"u8).BeginFixed().Literals("cd"u8).End().BeginDynamic(AllCodes, [1]).Literals("ef"u8).End(),
                DeflateBlock.Stored, DeflateBlock.Fixed, DeflateBlock.Dynamic),
            "abcdef");
        cases.AddText("Empty blocks between others add nothing",
            new DeflateWriter().Store([]).BeginFixed().Literals("a"u8).End().BeginFixed().End().Store([]).BeginDynamic(AllCodes, [1]).End().Store("b"u8).Store([]).ToMessage(), "ab");
        cases.AddText("A stored block to each letter is one text", Stored(Encoding.ASCII.GetBytes(Letters(300)), 1), Letters(300));
        cases.AddText("A fixed block to each letter is one text",
            Letters(300).Aggregate(new DeflateWriter(), (writer, letter) => writer.BeginFixed().Literals([(byte)letter]).End()).ToMessage(), Letters(300));
        cases.AddText("A thousand empty blocks in front of a text add nothing", [.. Enumerable.Repeat((byte[])[0x00, 0x00, 0x00, 0xFF, 0xFF], 1000).SelectMany(block => block), .. Hello], "Hello");
        cases.AddText("A block with but one code, its end, is an empty text", new DeflateWriter().BeginDynamic(Codes(257, (256, 1)), [0]).End().ToMessage(), "");
        cases.AddText("A block with but one distance is read",
            new DeflateWriter().BeginDynamic(Codes(258, ('a', 2), (256, 2), (257, 1)), [1]).Literals("a"u8).Match(3, 1).End().ToMessage(), "aaaa");
        cases.AddText("A block with codes of one to fifteen bits is read",
            new DeflateWriter().BeginDynamic(Codes(257, [.. Enumerable.Range(0, 14).Select(i => ('a' + i, i + 1)), ('a' + 14, 15), (256, 15)]), [0])
                .Literals("onmlkjihgfedcba"u8).End().ToMessage(),
            "onmlkjihgfedcba");
        for (int level = 0; level <= 9; level++)
        {
            cases.AddText($"What was deflated at level {level} comes back", Compressed.Of(Encoding.ASCII.GetBytes(text), new ZLibCompressionOptions { CompressionLevel = level }), text);
        }

        foreach (var strategy in Enum.GetValues<ZLibCompressionStrategy>())
        {
            cases.AddText($"What was deflated with the strategy {strategy} comes back",
                Compressed.Of(Encoding.ASCII.GetBytes(text), new ZLibCompressionOptions { CompressionStrategy = strategy }), text);
        }
    }

    // RFC 1951 section 3.2.5. A client that was not held to a shorter window may go back as far as there is (RFC 7692 section 7.1.2.2).
    private static void AddMatches(CaseList cases)
    {
        cases.BeginCompressed(6);
        byte[] noise = Noise(32_768);
        var lengths = new DeflateWriter().BeginFixed().Literals("abcdefg"u8);
        for (int length = 3; length <= 258; length++)
        {
            lengths.Match(length, 7);
        }

        cases.AddText("Matches of every length are found", lengths.End().ToMessage(), string.Concat(Enumerable.Repeat("abcdefg", 5000))[..(7 + (256 * 261 / 2))]);
        foreach (int distance in (int[])[1, 2, 3, 4, 5, 255, 256, 257, 258, 259, 4095, 4096, 4097, 8192, 16_384, 24_577, 32_506, 32_507, 32_767, 32_768])
        {
            byte[] source = noise[..distance];
            byte[] copied = [.. Enumerable.Range(0, 258).Select(i => source[i % distance])];
            cases.AddBinary($"A match {distance} bytes back is found", new DeflateWriter().Store(source).BeginFixed().Match(258, distance).End().ToMessage(), [.. source, .. copied]);
        }

        cases.AddBinary("The furthest match behind 100,000 bytes is found",
            Blocks(Noise(100_000), 50_000).BeginFixed().Match(258, 32_768).End().ToMessage(), [.. Noise(100_000), .. Noise(100_000).AsSpan(100_000 - 32_768, 258)]);
        cases.AddText("A match reaches over the borders of blocks", new DeflateWriter().Store("ab"u8).BeginFixed().Literals("c"u8).End().Store("d"u8).BeginFixed().Match(8, 4).End().ToMessage(), "abcdabcdabcd");
        cases.AddText("A match over what it itself makes is found", new DeflateWriter().BeginFixed().Literals("ab"u8).Match(258, 2).Match(100, 1).End().ToMessage(),
            string.Concat(Enumerable.Repeat("ab", 130)) + new string('b', 100));
    }

    // Section 7.2.3.4.
    private static void AddLastBlocks(CaseList cases)
    {
        cases.BeginCompressed(7);
        cases.AddText("A last block that is stored is read", new DeflateWriter().Store("abc"u8, isLast: true).ToMessage(), "abc");
        cases.AddText("A last block that is fixed is read", new DeflateWriter().BeginFixed(isLast: true).Literals("abc"u8).End().ToMessage(), "abc");
        cases.AddText("A last block with its own codes is read", new DeflateWriter().BeginDynamic(AllCodes, [1], isLast: true).Literals("abc"u8).End().ToMessage(), "abc");
        cases.AddText("An empty last block is an empty text", new DeflateWriter().BeginFixed(isLast: true).End().ToMessage(), "");
        cases.AddText("A last block behind others is read", new DeflateWriter().Store("a"u8).BeginFixed().Literals("b"u8).End().BeginFixed(isLast: true).Literals("c"u8).End().ToMessage(), "abc");
        cases.AddText("Blocks behind a last one are read", new DeflateWriter().BeginFixed(isLast: true).Literals("a"u8).End().Store("b"u8).BeginFixed().Literals("c"u8).End().ToMessage(), "abc");
        cases.AddText("Three last blocks are read", new DeflateWriter().Store("a"u8, isLast: true).BeginFixed(isLast: true).Literals("b"u8).End().Store("c"u8, isLast: true).ToMessage(), "abc");
        cases.AddText("A match reaches over a last block", new DeflateWriter().BeginFixed(isLast: true).Literals("abc"u8).End().BeginFixed().Match(6, 3).End().ToMessage(), "abcabcabc");
        cases.Add("A message behind one with a last block is read",
            [.. Text(new DeflateWriter().Store("a"u8, isLast: true).ToMessage()), .. Text(Hello)], Reply.Text("a"), Reply.Text("Hello"));
        cases.Add("A last block in fragments of a byte is read",
            Compressed.Frames(Opcode.Text, Pieces(new DeflateWriter().BeginFixed(isLast: true).Literals("abc"u8).End().ToMessage(), 1)), Reply.Text("abc"));
        cases.AddCorrupt("A last block with nothing behind it", new DeflateWriter().BeginFixed(isLast: true).Literals("abc"u8).End().ToBytes());
        cases.AddCorrupt("A last block with a fault behind it", [.. new DeflateWriter().BeginFixed(isLast: true).Literals("abc"u8).End().ToBytes(), 0x07, 0x00]);
    }

    // Section 6.1: RSV1 stands on the first fragment, and the message is deflated as a whole.
    private static void AddFragments(CaseList cases)
    {
        cases.BeginCompressed(8);
        for (int cut = 0; cut <= Hello.Length; cut++)
        {
            cases.Add($"A text in fragments of {cut} and {Hello.Length - cut} bytes is one message", Compressed.Frames(Opcode.Text, Hello[..cut], Hello[cut..]), Reply.Text("Hello"));
        }

        cases.Add("A text of a byte per fragment is one message", Compressed.Frames(Opcode.Text, Pieces(Hello, 1)), Reply.Text("Hello"));
        cases.Add("Empty fragments in every place add nothing", Compressed.Frames(Opcode.Text, [], Hello[..1], [], [], Hello[1..], []), Reply.Text("Hello"));
        cases.Add("An empty text in fragments is an empty text", Compressed.Frames(Opcode.Text, [], [0x00], []), Reply.Text(""));
        cases.Add("Fragments that come one by one are answered behind the last",
            new Exchange(First(Hello[..2])), new Exchange(ClientFrames.Frame(Opcode.Continuation, Hello.AsSpan(2, 3), isFinal: false)), new Exchange(Last(Hello[5..]), Reply.Text("Hello")));
        cases.Add("Two messages in fragments, of different kinds, stay apart",
            [.. Compressed.Frames(Opcode.Text, Hello[..3], Hello[3..]), .. Compressed.Frames(Opcode.Binary, Hello[..4], Hello[4..])],
            Reply.Text("Hello"), Reply.Binary("Hello"u8));
        foreach (var (length, piece) in ((int Length, int Piece)[])[(1000, 1), (65_536, 125), (65_536, 126), (65_536, 1000), (1_048_576, 65_535), (1_048_576, 65_536)])
        {
            cases.Add($"{length} bytes in fragments of {piece} are one message", Compressed.Frames(Opcode.Binary, Pieces(Compressed.Of(Noise(length)), piece)), Reply.Binary(Noise(length)));
        }

        cases.Add("A mebibyte of letters in fragments of a byte is one message", Compressed.Frames(Opcode.Text, Pieces(Of(Letters(1_048_576)), 1)), Reply.Text(Letters(1_048_576)));
    }

    private static void AddReservedBits(CaseList cases)
    {
        cases.BeginCompressed(9);
        byte[] rest = WithBits(4, Last(Hello[3..]));
        cases.AddRefused("RSV1 on the last fragment of a compressed message is refused", 1002, First(Hello[..3]), rest);
        cases.AddRefused("RSV1 on a fragment in the middle of a compressed message is refused", 1002,
            First(Hello[..3]), WithBits(4, ClientFrames.Frame(Opcode.Continuation, Hello.AsSpan(3), isFinal: false)));
        cases.AddRefused("RSV1 on the last fragment of a message that is not compressed is refused", 1002, ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), rest);
        cases.AddRefused("RSV1 on an empty last fragment is refused", 1002, First(Hello), WithBits(4, Last([])));
        cases.AddRefused("RSV1 on a continuation of nothing is refused", 1002, rest);
        cases.Add("RSV1 on a continuation is refused at its first byte", new Exchange(First(Hello[..3])), new Exchange([0xC0], Reply.Refusal(1002)));
        foreach (var opcode in (Opcode[])[Opcode.Close, Opcode.Ping, Opcode.Pong])
        {
            cases.AddRefused($"RSV1 on a {opcode} frame is refused", 1002, WithBits(4, ClientFrames.Frame(opcode, [])));
            cases.AddRefused($"RSV1 on a {opcode} frame between fragments is refused", 1002, First(Hello[..3]), WithBits(4, ClientFrames.Frame(opcode, [])), Last(Hello[3..]));
        }

        foreach (int bits in (int[])[1, 2, 3, 5, 6, 7])
        {
            string name = Convert.ToString(bits, 2).PadLeft(3, '0');
            cases.AddRefused($"RSV {name} on a text is refused", 1002, WithBits(bits, ClientFrames.Frame(Opcode.Text, Hello)));
            cases.AddRefused($"RSV {name} on a binary message is refused", 1002, WithBits(bits, ClientFrames.Frame(Opcode.Binary, Hello)));
        }

        foreach (int opcode in (int[])[3, 7, 11, 15])
        {
            cases.AddRefused($"RSV1 on the reserved opcode {opcode} is refused", 1002, WithBits(4, ClientFrames.Frame((Opcode)opcode, [])));
        }

        cases.AddRefused("A compressed message inside another is refused", 1002, First(Hello[..3]), Text(Hello));
        cases.AddRefused("A compressed message inside one that is not is refused", 1002, ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), Text(Hello));
        cases.AddRefused("A message inside a compressed one is refused", 1002, First(Hello[..3]), ClientFrames.Text("a"));
        cases.AddRefused("A compressed message that is not masked is refused", 1002, [0xC1, 0x07, .. Hello]);
        cases.AddRefused("A compressed message whose length is not in its shortest form is refused", 1002, [0xC1, 0xFE, 0x00, 0x07, 0, 0, 0, 0, .. Hello]);
    }

    // Section 6.1: control frames between the fragments are not part of what is deflated.
    private static void AddControlFrames(CaseList cases)
    {
        cases.BeginCompressed(10);
        cases.Add("A ping between fragments is answered before the message", [.. First(Hello[..3]), .. ClientFrames.Ping("p"u8), .. Last(Hello[3..])], Reply.Pong("p"u8), Reply.Text("Hello"));
        cases.Add("A ping between fragments is answered before the last one comes",
            new Exchange([.. First(Hello[..3]), .. ClientFrames.Ping("p"u8)], Reply.Pong("p"u8)), new Exchange(Last(Hello[3..]), Reply.Text("Hello")));
        cases.Add("A ping behind every byte is answered",
            [.. First([]), .. Hello.SelectMany(value => (byte[])[.. ClientFrames.Frame(Opcode.Continuation, [value], isFinal: false), .. ClientFrames.Ping([value])]), .. Last([])],
            [.. Hello.Select(value => Reply.Pong([value])), Reply.Text("Hello")]);
        cases.Add("A ping with deflated bytes is answered with the same", [.. First(Hello[..3]), .. ClientFrames.Ping(Hello), .. Last(Hello[3..])], Reply.Pong(Hello), Reply.Text("Hello"));
        cases.Add("A ping that itself comes in pieces between fragments is answered",
            new Exchange([.. First(Hello[..3]), .. ClientFrames.Ping("12345"u8)[..8]]), new Exchange(ClientFrames.Ping("12345"u8)[8..], Reply.Pong("12345"u8)),
            new Exchange(Last(Hello[3..]), Reply.Text("Hello")));
        cases.Add("Pongs between fragments change nothing", [.. First(Hello[..3]), .. ClientFrames.Pong(Noise(125)), .. Last(Hello[3..])], Reply.Text("Hello"));
        cases.Add("A close between fragments is answered, and the message is not", [.. First(Hello[..3]), .. ClientFrames.Close(1000)], Reply.Close(1000));
        cases.Add("A close behind a compressed message is answered behind it", [.. Text(Hello), .. ClientFrames.Close(1001)], Reply.Text("Hello"), Reply.Close(1001));
    }

    // Section 6: RSV1 says it of each message by itself.
    private static void AddUncompressed(CaseList cases)
    {
        cases.BeginCompressed(11);
        cases.Add("A message that is not compressed comes back", ClientFrames.Text("plain"), Reply.Text("plain"));
        cases.Add("Messages of both ways come back in order",
            [.. Text(Hello), .. ClientFrames.Text("plain"), .. Binary(Hello), .. ClientFrames.Binary([1, 2]), .. Text([0x00]), .. ClientFrames.Text("")],
            Reply.Text("Hello"), Reply.Text("plain"), Reply.Binary("Hello"u8), Reply.Binary([1, 2]), Reply.Text(""), Reply.Text(""));
        cases.Add("Fragments of both ways come back in order",
            [
                .. Compressed.Frames(Opcode.Text, Hello[..3], Hello[3..]), .. ClientFrames.Fragments(Opcode.Text, [0x61], [0x62]),
                .. Compressed.Frames(Opcode.Text, Hello[..5], Hello[5..]), .. ClientFrames.Fragments(Opcode.Binary, [1], [2]),
            ],
            Reply.Text("Hello"), Reply.Text("ab"), Reply.Text("Hello"), Reply.Binary([1, 2]));
        cases.Add("Deflated bytes without RSV1 come back as they are", ClientFrames.Binary(Hello), Reply.Binary(Hello));
        cases.Add("Deflated bytes in fragments without RSV1 come back as they are", ClientFrames.Fragments(Opcode.Binary, Hello[..3], Hello[3..]), Reply.Binary(Hello));
        cases.Add("A hundred messages, every other one compressed, come back in order",
            [.. Enumerable.Range(0, 100).SelectMany(i => i % 2 == 0 ? Text(Of(Letters(10 * i))) : ClientFrames.Text(Letters(10 * i)))],
            [.. Enumerable.Range(0, 100).Select(i => Reply.Text(Letters(10 * i)))]);
        cases.AddRefusedAtLastByte("Malformed text that is not compressed is refused at its byte", 1007, [.. ClientFrames.Header(Opcode.Text, 1000), .. ClientFrames.Mask([0x61, 0xFF], ClientFrames.SampleMaskKey)]);
        cases.Setting = static sample => sample;
        cases.Add("Without the extension deflated bytes come back as they are", ClientFrames.Binary(Hello), Reply.Binary(Hello));
        cases.AddRefused("Without the extension a compressed text is refused", 1002, Text(Hello));
        cases.AddRefused("Without the extension a compressed binary message is refused", 1002, Binary(Hello));
        cases.AddRefused("Without the extension an empty compressed message is refused", 1002, Text([]));
        cases.AddRefused("Without the extension a compressed message in fragments is refused", 1002, First(Hello[..3]), Last(Hello[3..]));
    }

    // Section 7.1.1.2: the answer holds every client to it.
    private static void AddTakeover(CaseList cases)
    {
        cases.BeginCompressed(12);
        byte[] hello = Encoding.ASCII.GetBytes("Hello");
        byte[] second = Compressed.WithTakeover(hello, hello)[1];
        cases.Add("Messages each by itself come back", [.. Text(Of("Hello")), .. Text(Of("Hello")), .. Text(Of("Hello"))], Reply.Text("Hello"), Reply.Text("Hello"), Reply.Text("Hello"));
        cases.Add("The sample of section 7.2.3.2 that refers to the message before is refused",
            [.. Text(Hello), .. Text(Convert.FromHexString("F200110000"))], Reply.Text("Hello"), Reply.Refusal(1007));
        cases.Add("A text that refers to the message before is refused", [.. Text(Hello), .. Text(second)], Reply.Text("Hello"), Reply.Refusal(1007));
        cases.Add("A binary message that refers to the message before is refused", [.. Binary(Hello), .. Binary(second)], Reply.Binary("Hello"u8), Reply.Refusal(1007));
        cases.Add("A reference to a message in front of the one before is refused", [.. Text(Hello), .. Text(Of("abc")), .. Text(second)], Reply.Text("Hello"), Reply.Text("abc"), Reply.Refusal(1007));
        cases.Add("A reference to a message that was not compressed is refused", [.. ClientFrames.Text("Hello"), .. Text(second)], Reply.Text("Hello"), Reply.Refusal(1007));
        cases.Add("A reference over a last block of the message before is refused",
            [.. Text(new DeflateWriter().Store(hello, isLast: true).ToMessage()), .. Text(second)], Reply.Text("Hello"), Reply.Refusal(1007));
        cases.Add("A reference in the second fragment to the message before is refused",
            [.. Text(Hello), .. Compressed.Frames(Opcode.Text, second[..1], second[1..])], Reply.Text("Hello"), Reply.Refusal(1007));
        cases.Add("Takeover of a stream that has nothing to refer to is not noticed",
            [.. Compressed.WithTakeover(Noise(1000), [1, 2, 3]).SelectMany(message => Binary(message))], Reply.Binary(Noise(1000)), Reply.Binary([1, 2, 3]));
    }
}
