using System.Text;
using RawPush.Protocol.WebSockets;
using RawPush.Protocol.WebSockets.Deflate;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;
using static RawPush.Conformance.Tests.WebSockets.DeflatePayloads;
using static RawPush.Conformance.Tests.WebSockets.Payloads;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>14: compressed messages that are none, that are not text, or that become too long (RFC 7692 sections 7.2.2 and 8).</summary>
public sealed class DeflateFaultTests(DeflateHost echo) : IClassFixture<DeflateHost>
{
    private const int Limit = EchoHost.SmallMessageBytesMax;

    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(14);
            AddCorrupt(cases);
            AddCorruptCodes(cases);
            AddTails(cases);
            AddUtf8(cases);
            AddLimits(cases);
            AddBombs(cases);
            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task OverASocket(WebSocketCase sample) => SocketRunner.RunAsync(echo, sample);

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(WebSocketCase sample) => ParserRunner.Run(sample);

    // Inflaters are shared, and a window is not emptied by itself.
    [Theory]
    [InlineData(false, Label = "14.8.1 A message cannot refer to what another client has sent")]
    [InlineData(true, Label = "14.8.2 A message cannot refer to a part of one that another client has not finished")]
    public async Task OfAnotherClient(bool isUnfinished)
    {
        byte[][] messages = Compressed.WithTakeover("a secret of another client"u8.ToArray(), "a secret of another client"u8.ToArray());
        var compressed = new WebSocketCase("14.8", string.Empty, []) { IsCompressed = true };
        await using var first = await echo.OpenAsync(compressed);
        await using var second = await echo.OpenAsync(compressed);
        byte[] wire = Compressed.Frames(Opcode.Text, messages[0], []);
        await first.SendAsync(isUnfinished ? wire.AsMemory(0, wire.Length - 1) : wire);
        if (!isUnfinished)
        {
            Assert.Equal("a secret of another client", (await first.ReadFrameAsync()).Text);
        }

        await echo.Host.SettleAsync();
        await second.SendAsync(Compressed.Frames(Opcode.Text, messages[1]));
        Assert.Equal(Reply.Refusal(1007), Reply.Of(await second.ReadFrameAsync()));
    }

    [Theory]
    [InlineData(1, Label = "14.9.1 Of 64 MiB no more is produced than the limit of a byte, and the byte that says that it is passed")]
    [InlineData(1000, Label = "14.9.2 Of 64 MiB no more is produced than the limit of 1,000 bytes and one byte")]
    [InlineData(65_536, Label = "14.9.3 Of 64 MiB no more is produced than the limit of 65,536 bytes and one byte")]
    [InlineData(1_048_576, Label = "14.9.4 Of 64 MiB no more is produced than the limit of 1 MiB and one byte")]
    public void BombsStopAtTheLimit(int limit)
    {
        using var inflater = new MessageInflater();

        Assert.Equal(InflateStatus.TooBig, inflater.Inflate(Compressed.Of(new byte[64 << 20]), limit, out var message));

        Assert.Equal(limit + 1, inflater.InflatedBytes);
        Assert.True(message.IsEmpty);
    }

    // Section 7.2.2: what is not DEFLATE fails the connection.
    private static void AddCorrupt(CaseList cases)
    {
        cases.BeginCompressed(1);
        cases.AddCorrupt("A block of a kind that there is not", [0x06, 0x00]);
        cases.AddCorrupt("A last block of a kind that there is not", [0x07, 0x00]);
        cases.AddCorrupt("A block of no kind behind one in order", new DeflateWriter().Store("a"u8).Bits(6, 3).ToMessage());
        cases.AddCorrupt("A stored block whose length its complement denies", Convert.FromHexString("000500FAFE48656C6C6F00"));
        cases.AddCorrupt("A stored block of which nothing came", Convert.FromHexString("000500FAFF"));
        cases.AddCorrupt("Bytes that were never deflated", [.. "Hello, world"u8]);
        cases.AddCorrupt("Ones", [0xFF, 0xFF, 0xFF, 0xFF]);
        cases.AddCorrupt("The frame of zlib", [0x78, 0x9C, .. Hello]);
        cases.AddCorrupt("The frame of gzip", [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 0x03, .. Hello]);
        cases.AddCorrupt("A match in front of the first byte", new DeflateWriter().BeginFixed().Match(3, 1).End().ToMessage());
        cases.AddCorrupt("A match one byte too far back", new DeflateWriter().Store("abcd"u8).BeginFixed().Match(3, 5).End().ToMessage());
        cases.AddCorrupt("A match 32,768 bytes back behind 32,767", new DeflateWriter().Store(Noise(32_767)).BeginFixed().Match(3, 32_768).End().ToMessage());
        cases.AddCorrupt("A fault behind 100,000 bytes in order", Blocks(Noise(100_000), 50_000).Bits(6, 3).ToMessage());
        cases.AddRefused("A fault in the second fragment is refused", 1007, Compressed.Frames(Opcode.Text, new DeflateWriter().Store("a"u8).ToBytes(), [0x06, 0x00]));
        cases.Add("A fault in the first fragment is refused when the message is whole",
            new Exchange(First([0x07])), new Exchange(Last([0x00]), Reply.Refusal(1007)));
        cases.Add("A message in order in front of one at fault comes back", [.. Text(Hello), .. Text([0x07])], Reply.Text("Hello"), Reply.Refusal(1007));
        cases.AddRefused("What follows a message at fault is not read", 1007, Text([0x07]), Text(Hello), ClientFrames.Ping([]));
    }

    // RFC 1951 sections 3.2.5 to 3.2.7.
    private static void AddCorruptCodes(CaseList cases)
    {
        cases.BeginCompressed(2);
        foreach (int symbol in (int[])[286, 287])
        {
            cases.AddCorrupt($"The length {symbol}, which stands for nothing,", new DeflateWriter().Store("aaaa"u8).BeginFixed().Symbol(symbol).Distance(0).End().ToMessage());
        }

        foreach (int symbol in (int[])[30, 31])
        {
            cases.AddCorrupt($"The distance {symbol}, which stands for nothing,", new DeflateWriter().Store("aaaa"u8).BeginFixed().Symbol(257).Distance(symbol).End().ToMessage());
        }

        cases.AddCorrupt("Codes of which there are too many for their bits", new DeflateWriter().BeginDynamic(Codes(257, ('a', 1), ('b', 1), (256, 1)), [0]).End().ToMessage());
        cases.AddCorrupt("Codes of which there are too few for their bits", new DeflateWriter().BeginDynamic(Codes(257, ('a', 2), (256, 2)), [0]).End().ToMessage());
        cases.AddCorrupt("Codes without one for the end", new DeflateWriter().BeginDynamic(Codes(257, ('a', 1), ('b', 1)), [0]).Literals("a"u8).ToMessage());
        cases.AddCorrupt("No codes at all", new DeflateWriter().BeginDynamic(Codes(257), [0]).ToMessage());
        cases.AddCorrupt("Distances of which there are too many for their bits", new DeflateWriter().BeginDynamic(Codes(257, ('a', 1), (256, 1)), [1, 1, 1]).End().ToMessage());
        cases.AddCorrupt("Distances of which there are too few for their bits", new DeflateWriter().BeginDynamic(Codes(257, ('a', 1), (256, 1)), [2, 2]).End().ToMessage());
        cases.AddCorrupt("A match where there are no distances",
            new DeflateWriter().BeginDynamic(Codes(258, ('a', 2), (256, 2), (257, 1)), [0]).Literals("a"u8).Symbol(257).Bits(0, 1).End().ToMessage());
        cases.AddCorrupt("The other half of a code of which there is but one", new DeflateWriter().BeginDynamic(Codes(257, (256, 1)), [0]).Bits(1, 1).ToMessage());
        cases.AddCorrupt("287 literals and lengths", new DeflateWriter().BeginDynamic([.. Codes(258, (256, 1)), .. new int[29]], [0]).End().ToMessage());
        cases.AddCorrupt("31 distances", new DeflateWriter().BeginDynamic(Codes(257, (256, 1)), new int[31]).End().ToMessage());
        cases.AddCorrupt("Code lengths of which there are too many for their bits", new DeflateWriter().BeginDynamic(257, 1, [.. Enumerable.Repeat(1, 19)]).ToMessage());
        cases.AddCorrupt("Code lengths of which there are too few for their bits", new DeflateWriter().BeginDynamic(257, 1, [.. Enumerable.Repeat(6, 19)]).ToMessage());
        cases.AddCorrupt("No code lengths at all", new DeflateWriter().BeginDynamic(257, 1, new int[19]).Bits(0, 300).ToMessage());

        // Codes of one bit: 0 for the length that the sentence needs, 1 for a run of another.
        cases.AddCorrupt("A code length that repeats the one before the first", new DeflateWriter().BeginDynamic(257, 1, Codes(19, (1, 1), (16, 1))).Bits(0b1, 1).Bits(0, 2).ToMessage());
        cases.AddCorrupt("A run of code lengths beyond the last",
            new DeflateWriter().BeginDynamic(257, 1, Codes(19, (1, 1), (18, 1))).Bits(1, 1).Bits(127, 7).Bits(1, 1).Bits(127, 7).ToMessage());
    }

    // Section 7.2.1: 00 00 FF FF is taken off the end, and nothing else.
    private static void AddTails(CaseList cases)
    {
        cases.BeginCompressed(3);
        cases.AddCorrupt("An empty payload", []);
        cases.AddRefused("An empty payload in fragments is refused", 1007, Compressed.Frames(Opcode.Text, [], [], []));
        for (int length = 1; length < Hello.Length; length++)
        {
            cases.AddCorrupt($"A message of which but {length} of {Hello.Length} bytes came", Hello[..length]);
        }

        cases.AddCorrupt("A message from which its end was not taken", [.. Hello, 0x00, 0x00, 0xFF, 0xFF]);
        cases.AddText("A message with its end, and another empty block begun behind it, is read", [.. Hello, 0x00, 0x00, 0xFF, 0xFF, 0x00], "Hello");
        cases.AddCorrupt("A message from which three bytes of its end were taken", [.. Hello, 0x00]);
        cases.AddCorrupt("A message with two bytes of its end", [.. Hello, 0x00, 0x00]);
        cases.AddCorrupt("A message with three bytes of its end", [.. Hello, 0x00, 0x00, 0xFF]);
        cases.AddCorrupt("A message with a byte behind it", [.. Hello, 0x01]);
        cases.AddCorrupt("A message with another message behind it", [.. Hello, .. Hello]);
        cases.AddCorrupt("A message that ends with its block, at the end of a byte,", new DeflateWriter().BeginFixed().Literals([200, 201, 202, 203, 204, 205]).End().ToBytes());
        cases.AddBinary("The end that was taken off is what a stored block says that it is", Convert.FromHexString("000500FAFF48"), [0x48, 0x00, 0x00, 0xFF, 0xFF]);
    }

    // RFC 6455 section 8.1 is about what was inflated.
    private static void AddUtf8(CaseList cases)
    {
        cases.BeginCompressed(4);
        string many = string.Concat(Enumerable.Repeat("日本語😀é.", 10_000));
        cases.AddText("A long text of every length of character comes back", Of(many), many);
        byte[] smile = Encoding.UTF8.GetBytes("😀");
        cases.AddText("A character cut by the end of a block comes back", new DeflateWriter().Store(smile.AsSpan(0, 1)).BeginFixed().Literals(smile.AsSpan(1, 2)).End().Store(smile.AsSpan(3)).ToMessage(), "😀");
        cases.Add("A character cut by the end of a fragment comes back", Compressed.Frames(Opcode.Text, Pieces(Stored(smile, 4), 1)), Reply.Text("😀"));
        foreach (string hex in (string[])["80", "FF", "C080", "C1BF", "E09FBF", "EDA080", "EDBFBF", "F08FBFBF", "F4908080", "F8888080", "C241", "E28241"])
        {
            byte[] bad = [.. "κ"u8, .. Convert.FromHexString(hex), .. "b"u8];
            cases.AddRefused($"Text with {hex} is refused", 1007, Text(Compressed.Of(bad)));
            cases.Add($"A binary message with {hex} comes back", Binary(Compressed.Of(bad)), Reply.Binary(bad));
        }

        foreach (string hex in (string[])["C2", "E282", "F09F98"])
        {
            cases.AddRefused($"A text that ends inside a character ({hex}) is refused", 1007, Text(Compressed.Of([.. "a"u8, .. Convert.FromHexString(hex)])));
        }

        cases.AddRefused("Malformed text at the end of 100,000 bytes is refused", 1007, Text(Compressed.Of([.. Encoding.ASCII.GetBytes(Letters(99_999)), 0xFF])));
        cases.Add("Malformed text in the first fragment is refused when the message is whole",
            new Exchange(First(Stored([0x61, 0xFF, 0x62], 3)[..^1])), new Exchange(Last([0x00]), Reply.Refusal(1007)));
        cases.Add("Text behind a binary message that ended inside a character is read anew", [.. Binary(Compressed.Of([0xE2, 0x82])), .. Text(Hello)], Reply.Binary([0xE2, 0x82]), Reply.Text("Hello"));
    }

    // The limit is for what a message becomes. On the wire it may be a 64th and 256 bytes longer, for blocks that cannot be made shorter.
    private static void AddLimits(CaseList cases)
    {
        const int WireLimit = Limit + (Limit / 64) + 256;
        cases.BeginCompressed(5, Limit);
        cases.AddText("A text a byte below the limit comes back", Of(Letters(Limit - 1)), Letters(Limit - 1));
        cases.AddText("A text of the limit comes back", Of(Letters(Limit)), Letters(Limit));
        cases.AddBinary("Noise of the limit comes back", Compressed.Of(Noise(Limit)), Noise(Limit));
        cases.AddBinary("The limit in blocks of 20 bytes, which is longer, comes back", Stored(Noise(Limit), 20), Noise(Limit));
        cases.AddBinary("The limit in as long a payload as there may be comes back", Stored(Noise(Limit), Limit, emptyBlocks: (WireLimit - Limit - 1 - 5) / 5), Noise(Limit));
        cases.AddTooBig("A text a byte over the limit", Of(Letters(Limit + 1)));
        cases.AddTooBig("Noise a byte over the limit", Compressed.Of(Noise(Limit + 1)));
        cases.AddTooBig("A match that reaches over the limit", new DeflateWriter().BeginFixed().Literals("a"u8).Match(258, 1).Match(258, 1).Match(258, 1).Match(226, 1).End().ToMessage());
        cases.AddTooBig("A last byte over the limit behind a last block", Blocks(Noise(Limit), Limit).Store([], isLast: true).Store("a"u8).ToMessage());
        cases.AddRefused("Fragments that together are over the limit are refused", 1009, Compressed.Frames(Opcode.Text, Pieces(Of(Letters(Limit + 1)), 10)));
        cases.Add("The limit is for each message", [.. Text(Of(Letters(Limit))), .. Text(Of(Letters(Limit)))], Reply.Text(Letters(Limit)), Reply.Text(Letters(Limit)));
        cases.AddRefusedAtLastByte("A payload longer than blocks can make it is refused at its header", 1009, WithBits(4, ClientFrames.Header(Opcode.Binary, WireLimit + 1)));
        cases.AddRefusedAtLastByte("Fragments longer than blocks can make them are refused at the header", 1009,
            [.. First(new byte[WireLimit]), .. ClientFrames.Header(Opcode.Continuation, 1)]);
        cases.AddRefusedAtLastByte("A message that is not compressed has no such room", 1009, ClientFrames.Header(Opcode.Binary, Limit + 1));
        cases.Add("Nor has one behind one that is compressed",
            new Exchange(Text(Hello), Reply.Text("Hello")), new Exchange(ClientFrames.Header(Opcode.Binary, Limit + 1), Reply.Refusal(1009)));
        cases.AddRefusedAtLastByte("Nor have fragments that are not compressed", 1009,
            [.. ClientFrames.Frame(Opcode.Binary, [1], isFinal: false), .. ClientFrames.Header(Opcode.Continuation, Limit)]);
    }

    // What lies behind the limit is not looked at.
    private static void AddBombs(CaseList cases)
    {
        cases.BeginCompressed(6, Limit);
        byte[] bomb = Compressed.Of(new byte[1_000_000]);
        Assert.InRange(bomb.Length, 1, Limit);
        cases.AddTooBig("A thousand times the limit in less than the limit", bomb);
        cases.AddRefused("The same as a binary message is refused", 1009, Binary(bomb));
        cases.AddRefused("The same in fragments of a byte is refused", 1009, Compressed.Frames(Opcode.Binary, Pieces(bomb, 1)));
        cases.Add("The same in fragments is refused when it is whole", new Exchange(First(bomb[..^1])), new Exchange(Last(bomb[^1..]), Reply.Refusal(1009)));
        cases.AddTooBig("A fault behind the limit", new DeflateWriter().Store(Noise(Limit + 1)).Bits(6, 3).ToMessage());
        cases.AddCorrupt("A fault at the limit", new DeflateWriter().Store(Noise(Limit)).Bits(6, 3).ToMessage());
        cases.AddTooBig("Malformed text over the limit", Compressed.Of(Enumerable.Repeat((byte)0xFF, Limit + 1).ToArray()));
        cases.AddTooBig("A bomb whose last block is followed by another", [.. new DeflateWriter().BeginFixed(isLast: true).Literals("a"u8).Match(258, 1).End().ToBytes(), .. bomb]);
        cases.AddRefused("What follows a bomb is not read", 1009, Text(bomb), Text(Hello));

        cases.BeginCompressed(7);
        cases.AddTooBig("A byte more than 16 MiB, where that is the limit,", Compressed.Of(new byte[PushHost.EchoBytesMax + 1]));
        cases.AddTooBig("64 MiB in a thousandth of that", Compressed.Of(new byte[64 << 20]));
        cases.AddBinary("16 MiB in a thousandth of that come back", Compressed.Of(new byte[PushHost.EchoBytesMax]), new byte[PushHost.EchoBytesMax]);
    }
}
