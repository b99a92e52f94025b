using System.Text;
using RawPush.Protocol.WebSockets;
using RawPush.TestKit;
using static RawPush.Conformance.Tests.WebSockets.Payloads;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>5: messages in fragments, and control frames between them (RFC 6455 sections 5.4 and 5.5).</summary>
public sealed class FragmentationTests(EchoHost echo) : IClassFixture<EchoHost>
{
    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(5);
            AddMessages(cases);
            AddLongMessages(cases);
            AddControlFramesBetween(cases);
            AddOutOfOrder(cases);
            AddFragmentedControlFrames(cases);
            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task OverASocket(WebSocketCase sample) => SocketRunner.RunAsync(echo, sample);

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(WebSocketCase sample) => ParserRunner.Run(sample);

    private static void AddMessages(CaseList cases)
    {
        cases.Section(1);
        byte[] hello = "Hello"u8.ToArray();
        for (int cut = 0; cut <= hello.Length; cut++)
        {
            cases.Add($"A text in fragments of {cut} and {hello.Length - cut} bytes is one message",
                ClientFrames.Fragments(Opcode.Text, hello[..cut], hello[cut..]), Reply.Text("Hello"));
        }

        cases.Add("A text of a byte per fragment is one message", ClientFrames.Fragments(Opcode.Text, Pieces(hello, 1)), Reply.Text("Hello"));
        cases.Add("A binary message in three fragments is one message",
            ClientFrames.Fragments(Opcode.Binary, [0xFF], [0x00], [0xC0]), Reply.Binary([0xFF, 0x00, 0xC0]));
        cases.Add("Empty fragments in every place add nothing", ClientFrames.Fragments(Opcode.Text, [], "a"u8.ToArray(), [], [], "b"u8.ToArray(), []), Reply.Text("ab"));
        cases.Add("Nothing but empty fragments is an empty text", ClientFrames.Fragments(Opcode.Text, [], [], []), Reply.Text(""));
        cases.Add("Nothing but empty fragments is an empty binary message", ClientFrames.Fragments(Opcode.Binary, [], []), Reply.Binary([]));
        cases.Add(
            "Fragments may each have their own mask",
            [
                .. ClientFrames.Frame(Opcode.Text, "ab"u8, isFinal: false, maskKey: 0x01020304),
                .. ClientFrames.Frame(Opcode.Continuation, "cde"u8, isFinal: false, maskKey: 0), .. ClientFrames.Frame(Opcode.Continuation, "f"u8, maskKey: uint.MaxValue),
            ],
            Reply.Text("abcdef"));
        cases.Add(
            "Two messages in fragments, of different kinds, stay apart",
            [.. ClientFrames.Fragments(Opcode.Text, [0x61], [0x62]), .. ClientFrames.Fragments(Opcode.Binary, [1], [2])],
            Reply.Text("ab"), Reply.Binary([1, 2]));
        cases.Add(
            "A whole message follows one in fragments",
            [.. ClientFrames.Fragments(Opcode.Binary, [1], [2]), .. ClientFrames.Text("c"), .. ClientFrames.Binary([])],
            Reply.Binary([1, 2]), Reply.Text("c"), Reply.Binary([]));
        cases.Add(
            "Fragments that come one by one are answered behind the last",
            new Exchange(ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false)),
            new Exchange(ClientFrames.Frame(Opcode.Continuation, "b"u8, isFinal: false)),
            new Exchange(ClientFrames.Frame(Opcode.Continuation, []), Reply.Text("ab")));
    }

    private static void AddLongMessages(CaseList cases)
    {
        cases.Section(2);
        foreach (var (length, piece) in ((int Length, int Piece)[])[(256, 1), (65_536, 125), (65_536, 126), (65_536, 1000), (1_048_576, 65_535), (1_048_576, 65_536), (1_048_576, 4096)])
        {
            string text = Letters(length);
            byte[] noise = Noise(length);
            cases.Add($"A text of {length} bytes in fragments of {piece} is one message",
                ClientFrames.Fragments(Opcode.Text, Pieces(Encoding.ASCII.GetBytes(text), piece)), Reply.Text(text));
            cases.Add($"A binary message of {length} bytes in fragments of {piece} is one message",
                ClientFrames.Fragments(Opcode.Binary, Pieces(noise, piece)), Reply.Binary(noise));
        }

        foreach (int chop in (int[])[1, 2, 997])
        {
            cases.Setting = sample => sample with { ChopBytes = chop };
            cases.Add($"Fragments sent in chops of {chop} are one message",
                ClientFrames.Fragments(Opcode.Binary, Pieces(Noise(3000), 130)), Reply.Binary(Noise(3000)));
        }
    }

    // Section 5.4: control frames MAY be injected in the middle of a fragmented message.
    private static void AddControlFramesBetween(CaseList cases)
    {
        cases.Section(3);
        cases.Add("A ping between two fragments is answered before the message",
            [.. First("ab"), .. ClientFrames.Ping("p"u8), .. Last("cd")], Reply.Pong("p"u8), Reply.Text("abcd"));
        cases.Add("A ping between two fragments is answered before the last one comes",
            new Exchange([.. First("ab"), .. ClientFrames.Ping("p"u8)], Reply.Pong("p"u8)), new Exchange(Last("cd"), Reply.Text("abcd")));
        cases.Add("Pings behind each of four fragments are answered in order",
            [
                .. First("a"), .. ClientFrames.Ping("1"u8), .. Next("b"), .. ClientFrames.Ping("2"u8), .. Next("c"), .. ClientFrames.Ping("3"u8),
                .. Last("d"), .. ClientFrames.Ping("4"u8),
            ],
            Reply.Pong("1"u8), Reply.Pong("2"u8), Reply.Pong("3"u8), Reply.Text("abcd"), Reply.Pong("4"u8));
        cases.Add("Ten pings between two fragments are answered in order",
            [.. First("a"), .. Enumerable.Range(0, 10).SelectMany(i => ClientFrames.Ping([(byte)i])), .. Last("b")],
            [.. Enumerable.Range(0, 10).Select(i => Reply.Pong([(byte)i])), Reply.Text("ab")]);
        cases.Add("A ping of 125 bytes between fragments leaves the message alone",
            [.. First("ab"), .. ClientFrames.Ping(Noise(125)), .. Last("cd")], Reply.Pong(Noise(125)), Reply.Text("abcd"));
        cases.Add("An empty ping between empty fragments is answered",
            [.. First(""), .. ClientFrames.Ping([]), .. Last("")], Reply.Pong([]), Reply.Text(""));
        cases.Add("A ping that itself comes in pieces between fragments is answered",
            new Exchange([.. First("ab"), .. ClientFrames.Ping("12345"u8)[..8]]), new Exchange(ClientFrames.Ping("12345"u8)[8..], Reply.Pong("12345"u8)),
            new Exchange(Last("cd"), Reply.Text("abcd")));
        cases.Add("Pongs between fragments change nothing",
            [.. First("a"), .. ClientFrames.Pong("x"u8), .. Next("b"), .. ClientFrames.Pong([]), .. Last("c")], Reply.Text("abc"));
        cases.Add("A close between fragments is answered, and the message is not",
            [.. First("ab"), .. ClientFrames.Close(1000)], Reply.Close(1000));
        cases.Add("A close without a status between fragments is answered, and the rest of the message is ignored",
            [.. First("ab"), .. ClientFrames.Close(), .. Last("cd")], Reply.EmptyClose);
        cases.Add("A ping, then a close between fragments are both answered",
            [.. First("ab"), .. ClientFrames.Ping("p"u8), .. ClientFrames.Close(1001, "leaving")], Reply.Pong("p"u8), Reply.Close(1001));
        foreach (int chop in (int[])[1, 2])
        {
            cases.Setting = sample => sample with { ChopBytes = chop };
            cases.Add($"Pings between fragments sent in chops of {chop} are answered in order",
                [.. First("ab"), .. ClientFrames.Ping("one"u8), .. Next("cd"), .. ClientFrames.Ping("two"u8), .. Last("ef")],
                Reply.Pong("one"u8), Reply.Pong("two"u8), Reply.Text("abcdef"));
        }
    }

    private static void AddOutOfOrder(CaseList cases)
    {
        cases.Section(4);
        cases.Add("A continuation as the first frame is refused", ClientFrames.Frame(Opcode.Continuation, "a"u8), Reply.Refusal(1002));
        cases.Add("A continuation that is not final as the first frame is refused", Next("a"), Reply.Refusal(1002));
        cases.Add("An empty continuation as the first frame is refused", Last(""), Reply.Refusal(1002));
        cases.AddRefused("A continuation behind a whole message is refused", 1002, Last("a"));
        cases.AddRefused("A continuation that is not final behind a whole message is refused, and so is the rest", 1002, Next("a"), Last("b"));
        cases.Add("A continuation behind the last one is refused",
            [.. First("a"), .. Last("b"), .. Last("c")], Reply.Text("ab"), Reply.Refusal(1002));
        cases.Add("A continuation behind a ping, with no message begun, is refused",
            [.. ClientFrames.Ping("p"u8), .. Last("a")], Reply.Pong("p"u8), Reply.Refusal(1002));
        cases.AddRefused("A text inside a text is refused", 1002, First("a"), ClientFrames.Text("b"));
        cases.AddRefused("A binary message inside a text is refused", 1002, First("a"), ClientFrames.Binary([1]));
        cases.AddRefused("A text inside a binary message is refused", 1002, ClientFrames.Frame(Opcode.Binary, [1], isFinal: false), ClientFrames.Text("b"));
        cases.AddRefused("A text that begins in fragments inside another is refused", 1002, First("a"), First("b"));
        cases.AddRefused("A text inside one of which an empty fragment has come is refused", 1002, First(""), ClientFrames.Text("b"));
        cases.AddRefused("A text inside one that was continued is refused", 1002, First("a"), Next("b"), ClientFrames.Text("c"));
        cases.Add("A text behind a ping inside a text is refused",
            [.. First("a"), .. ClientFrames.Ping("p"u8), .. ClientFrames.Text("b")], Reply.Pong("p"u8), Reply.Refusal(1002));
        cases.AddRefusedAtLastByte("A continuation of nothing is refused at its header", 1002, ClientFrames.Header(Opcode.Continuation, 1000));
        cases.Add("A message inside another is refused at its header",
            new Exchange([.. First("a"), .. ClientFrames.Header(Opcode.Binary, 1000)[..^1]]),
            new Exchange(ClientFrames.Header(Opcode.Binary, 1000)[^1..], Reply.Refusal(1002)));
    }

    // Section 5.5: control frames MUST NOT be fragmented.
    private static void AddFragmentedControlFrames(CaseList cases)
    {
        cases.Section(5);
        foreach (var opcode in (Opcode[])[Opcode.Close, Opcode.Ping, Opcode.Pong])
        {
            cases.AddRefused($"A {opcode} frame that is not final, between fragments, is refused", 1002,
                First("a"), ClientFrames.Frame(opcode, [], isFinal: false), Last("b"));
        }

        cases.Add("A Close frame that is not final is refused at its first byte", [0x08], Reply.Refusal(1002));
        cases.AddRefused("A Close frame in two fragments is refused", 1002,
            ClientFrames.Frame(Opcode.Close, [0x03], isFinal: false), ClientFrames.Frame(Opcode.Continuation, [0xE8]));
    }

    private static byte[] First(string text) => ClientFrames.Frame(Opcode.Text, Encoding.UTF8.GetBytes(text), isFinal: false);

    private static byte[] Next(string text) => ClientFrames.Frame(Opcode.Continuation, Encoding.UTF8.GetBytes(text), isFinal: false);

    private static byte[] Last(string text) => ClientFrames.Frame(Opcode.Continuation, Encoding.UTF8.GetBytes(text));
}
