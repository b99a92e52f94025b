using System.Globalization;
using RawPush.Protocol.WebSockets;
using RawPush.TestKit;
using static RawPush.Conformance.Tests.WebSockets.Payloads;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>1: frames of every length, however they are masked and cut (RFC 6455 sections 5.1 to 5.3).</summary>
public sealed class FramingTests(EchoHost echo) : IClassFixture<EchoHost>
{
    // Around each step: the three forms of a length, the mask's four bytes, vectors, buffers.
    private static readonly int[] Lengths =
    [
        0, 1, 2, 3, 4, 5, 31, 32, 33, 124, 125, 126, 127, 128, 255, 256, 257, 1000, 4095, 4096, 4097,
        65_534, 65_535, 65_536, 65_537, 131_072, 1_048_575, 1_048_576, 1_048_577,
    ];

    private static readonly string[] MaskKeys = ["00000000", "FFFFFFFF", "00000080", "01000000", "80808080", "37FA213D", "0000FFFF"];

    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(1);
            AddLengths(cases);
            AddMasks(cases);
            AddTrains(cases);
            AddChops(cases);
            AddCuts(cases);
            AddUnmasked(cases);
            AddBadLengths(cases);
            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task OverASocket(WebSocketCase sample) => SocketRunner.RunAsync(echo, sample);

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(WebSocketCase sample) => ParserRunner.Run(sample);

    private static void AddLengths(CaseList cases)
    {
        cases.Section(1);
        foreach (int length in Lengths)
        {
            string text = Letters(length);
            cases.Add($"A text of {length} bytes comes back", ClientFrames.Text(text), Reply.Text(text));
        }

        cases.Section(2);
        foreach (int length in Lengths)
        {
            byte[] bytes = Noise(length);
            cases.Add($"A binary message of {length} bytes comes back", ClientFrames.Binary(bytes), Reply.Binary(bytes));
        }
    }

    private static void AddMasks(CaseList cases)
    {
        cases.Section(3);
        byte[] payload = Noise(77);
        foreach (string wire in MaskKeys)
        {
            uint key = uint.Parse(wire, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            cases.Add($"The mask {wire} is taken off", ClientFrames.Frame(Opcode.Binary, payload, maskKey: key), Reply.Binary(payload));
        }

        cases.Add("The masked text of section 5.7 is read", Convert.FromHexString("818537FA213D7F9F4D5158"), Reply.Text("Hello"));
        cases.Add(
            "A payload equal to its mask is zeros",
            ClientFrames.Frame(Opcode.Binary, [1, 2, 3, 4, 1, 2, 3, 4], maskKey: 0x04030201),
            Reply.Binary([1, 2, 3, 4, 1, 2, 3, 4]));
        cases.Add(
            "Each frame has its own mask",
            [
                .. ClientFrames.Frame(Opcode.Text, "one"u8, maskKey: 1), .. ClientFrames.Frame(Opcode.Text, "two"u8, maskKey: 0xDEADBEEF),
                .. ClientFrames.Frame(Opcode.Text, "three"u8, maskKey: 0),
            ],
            Reply.Text("one"), Reply.Text("two"), Reply.Text("three"));
    }

    private static void AddTrains(CaseList cases)
    {
        cases.Section(4);
        cases.Add("Two texts in one segment are two messages", [.. ClientFrames.Text("a"), .. ClientFrames.Text("b")], Reply.Text("a"), Reply.Text("b"));
        cases.Add(
            "Text, binary and text again keep their kinds and their order",
            [.. ClientFrames.Text("a"), .. ClientFrames.Binary([0xFF]), .. ClientFrames.Text("c")],
            Reply.Text("a"), Reply.Binary([0xFF]), Reply.Text("c"));
        cases.Add(
            "Empty messages count",
            [.. ClientFrames.Text(""), .. ClientFrames.Binary([]), .. ClientFrames.Text("")],
            Reply.Text(""), Reply.Binary([]), Reply.Text(""));
        cases.Add(
            "A hundred messages of growing length in one segment come back in order",
            [.. Enumerable.Range(0, 100).SelectMany(i => ClientFrames.Text(Letters(i)))],
            [.. Enumerable.Range(0, 100).Select(i => Reply.Text(Letters(i)))]);
        cases.Add(
            "A short message behind one of 100,000 bytes comes back behind it",
            [.. ClientFrames.Binary(Noise(100_000)), .. ClientFrames.Text("short")],
            Reply.Binary(Noise(100_000)), Reply.Text("short"));
    }

    private static void AddChops(CaseList cases)
    {
        cases.Section(5);
        foreach (var (length, chop) in ((int Length, int Chop)[])[(0, 1), (1, 1), (125, 1), (126, 1), (1000, 1), (1000, 2), (5000, 2), (5000, 997), (65_536, 997), (1_048_576, 997)])
        {
            cases.Setting = sample => sample with { ChopBytes = chop };
            string text = Letters(length);
            cases.Add($"A text of {length} bytes sent in chops of {chop} comes back", ClientFrames.Text(text), Reply.Text(text));
            cases.Add($"A binary message of {length} bytes sent in chops of {chop} comes back", ClientFrames.Binary(Noise(length)), Reply.Binary(Noise(length)));
        }
    }

    private static void AddCuts(CaseList cases)
    {
        cases.Section(6);
        AddCuts(cases, "a text with its length in 7 bits", ClientFrames.Text("grün"), last: 11, Reply.Text("grün"));
        AddCuts(cases, "a text with its length in 16 bits", ClientFrames.Text(Letters(126)), last: 10, Reply.Text(Letters(126)));
        AddCuts(cases, "a binary message with its length in 64 bits", ClientFrames.Binary(Noise(65_536)), last: 16, Reply.Binary(Noise(65_536)));
    }

    private static void AddCuts(CaseList cases, string what, byte[] wire, int last, string reply)
    {
        for (int cut = 1; cut < last; cut++)
        {
            cases.Add($"{Capitalized(what)}, cut behind byte {cut}, comes back", new Exchange(wire[..cut]), new Exchange(wire[cut..], reply));
        }
    }

    // Section 5.1: the server MUST close upon a frame that is not masked. The second byte says so.
    private static void AddUnmasked(CaseList cases)
    {
        cases.Section(7);
        foreach (var opcode in Enum.GetValues<Opcode>().Where(opcode => opcode != Opcode.Continuation))
        {
            cases.AddRefused($"An unmasked {opcode} frame is refused", 1002, [(byte)(0x80 | (byte)opcode), 0]);
        }

        cases.AddRefused("An unmasked continuation is refused", 1002, ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), [0x80, 1, (byte)'b']);
        cases.AddRefusedAtLastByte("An unmasked frame is refused at its second byte", 1002, 0x81, 0x05);
        cases.AddRefusedAtLastByte("An unmasked frame of 16-bit length is refused at its second byte", 1002, 0x82, 126);
        cases.AddRefusedAtLastByte("An unmasked frame of 64-bit length is refused at its second byte", 1002, 0x82, 127);
        cases.AddRefused("An unmasked frame behind a masked one is refused, and what follows is not read", 1002, [0x81, 0x01, 0x61], ClientFrames.Text("x"));
    }

    // Section 5.2: the minimal number of bytes MUST be used, and the most significant bit of 64 MUST be 0.
    private static void AddBadLengths(CaseList cases)
    {
        cases.Section(8);
        foreach (int length in (int[])[0, 1, 124, 125])
        {
            cases.AddRefusedAtLastByte($"A length of {length} in 16 bits is refused", 1002, 0x82, 0xFE, 0, (byte)length);
        }

        foreach (int length in (int[])[0, 1, 125, 126, 65_535])
        {
            cases.AddRefused($"A length of {length} in 64 bits is refused", 1002, [0x82, 0xFF, 0, 0, 0, 0, 0, 0, (byte)(length >> 8), (byte)length, 0, 0, 0, 0]);
        }

        cases.AddRefusedAtLastByte("64 bits that can only hold a short length are refused at the sixth of eight bytes", 1002, 0x82, 0xFF, 0, 0, 0, 0, 0, 0);
        cases.AddRefusedAtLastByte("A 64-bit length with its top bit set is refused at the byte that holds it", 1002, 0x81, 0xFF, 0x80);
        cases.AddRefused("A 64-bit length of all ones is refused", 1002, [0x82, 0xFF, .. Enumerable.Repeat((byte)0xFF, 12)]);
        cases.AddRefused("A 64-bit length with nothing but its top bit is refused", 1002, [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        cases.AddRefused(
            "A continuation with the top bit of its length set is refused",
            1002,
            ClientFrames.Frame(Opcode.Binary, "a"u8, isFinal: false), [0x80, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4]);
    }

    private static string Capitalized(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];
}
