using System.Text;
using RawPush.Protocol;
using RawPush.Protocol.WebSockets;
using RawPush.TestKit;
using static RawPush.Conformance.Tests.WebSockets.Payloads;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>9: how long a message may be, and what is said to a longer one (RFC 6455 sections 7.4.1 and 10.4).</summary>
public sealed class LimitTests(EchoHost echo) : IClassFixture<EchoHost>
{
    private const int Limit = EchoHost.SmallMessageBytesMax;

    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(9);
            AddWhole(cases);
            AddAnnounced(cases);
            AddFragments(cases);
            AddControlFrames(cases);
            AddLarge(cases);
            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task OverASocket(WebSocketCase sample) => SocketRunner.RunAsync(echo, sample);

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(WebSocketCase sample) => ParserRunner.Run(sample);

    [Theory]
    [InlineData(4 * 1024 * 1024, Label = "9.6.1 A text of 4 MiB in fragments of a byte costs memory in proportion to its length")]
    [InlineData(16 * 1024 * 1024, Label = "9.6.2 A text of 16 MiB in fragments of a byte costs memory in proportion to its length")]
    public void FragmentsOfAByteAreLinear(int length)
    {
        // Were each fragment to copy or check all before it, 16 MiB would be 10^14 bytes of work, and the test would not end.
        // A buffer that doubles is twice the text at most, over all its sizes; the rest is the pool's own.
        Assert.InRange(ReadByteFragments(length), 0, (2L * length) + (64 * 1024));
    }

    private static void Begin(CaseList cases, int section)
    {
        cases.Section(section);
        cases.Setting = static sample => sample with { MessageBytesMax = Limit };
    }

    private static void AddWhole(CaseList cases)
    {
        Begin(cases, 1);
        cases.Add("A text a byte below the limit comes back", ClientFrames.Text(Letters(Limit - 1)), Reply.Text(Letters(Limit - 1)));
        cases.Add("A text of the limit comes back", ClientFrames.Text(Letters(Limit)), Reply.Text(Letters(Limit)));
        cases.Add("A binary message of the limit comes back", ClientFrames.Binary(Noise(Limit)), Reply.Binary(Noise(Limit)));
        cases.Add("Characters of three bytes count as three", ClientFrames.Text("a" + new string('€', 333)), Reply.Text("a" + new string('€', 333)));
        cases.AddRefused("A text a byte over the limit is refused", 1009, ClientFrames.Text(Letters(Limit + 1)));
        cases.AddRefused("A binary message a byte over the limit is refused", 1009, ClientFrames.Binary(Noise(Limit + 1)));
        cases.AddRefused("Characters of three bytes that together are over the limit are refused", 1009, ClientFrames.Text("ab" + new string('€', 333)));
        cases.AddRefused("Malformed text over the limit is refused for its length", 1009, ClientFrames.Frame(Opcode.Text, Enumerable.Repeat((byte)0xFF, Limit + 1).ToArray()));
        cases.AddRefused("What follows a message over the limit is not read", 1009, ClientFrames.Binary(Noise(Limit + 1)), ClientFrames.Text("after"));
        cases.Add("The limit is for each message",
            [.. ClientFrames.Binary(Noise(Limit)), .. ClientFrames.Text(Letters(Limit)), .. ClientFrames.Binary(Noise(Limit))],
            Reply.Binary(Noise(Limit)), Reply.Text(Letters(Limit)), Reply.Binary(Noise(Limit)));
    }

    private static void AddAnnounced(CaseList cases)
    {
        Begin(cases, 2);
        foreach (long length in (long[])[Limit + 1, 65_535, 65_536, int.MaxValue, 1L + int.MaxValue, uint.MaxValue, 1L + uint.MaxValue, (1L << 32) + Limit, long.MaxValue])
        {
            cases.AddRefusedAtLastByte($"A frame that announces {length} bytes is refused before any of them comes", 1009, ClientFrames.Header(Opcode.Binary, length));
        }

        cases.AddRefusedAtLastByte("A first fragment that announces too much is refused at its header", 1009, ClientFrames.Header(Opcode.Text, Limit + 1, isFinal: false));
    }

    private static void AddFragments(CaseList cases)
    {
        Begin(cases, 3);
        foreach (int first in (int[])[0, 1, 500, Limit - 1, Limit])
        {
            byte[] fits = Noise(Limit);
            cases.Add($"Fragments of {first} and {Limit - first} bytes come back", ClientFrames.Fragments(Opcode.Binary, fits[..first], fits[first..]), Reply.Binary(fits));
            cases.AddRefusedAtLastByte($"Behind a fragment of {first} bytes, one of {Limit + 1 - first} is refused at its header", 1009,
                [.. ClientFrames.Frame(Opcode.Binary, fits.AsSpan(0, first), isFinal: false), .. ClientFrames.Header(Opcode.Continuation, Limit + 1 - first)]);
        }

        cases.Add("Empty fragments behind the limit are taken", ClientFrames.Fragments(Opcode.Binary, Noise(Limit), [], [], []), Reply.Binary(Noise(Limit)));
        cases.Add("A byte per fragment up to the limit comes back",
            ClientFrames.Fragments(Opcode.Text, Pieces(Encoding.ASCII.GetBytes(Letters(Limit)), 1)), Reply.Text(Letters(Limit)));
        cases.AddRefusedAtLastByte("Fragments whose lengths add up beyond 63 bits are refused", 1009,
            [.. ClientFrames.Frame(Opcode.Binary, "ab"u8, isFinal: false), .. ClientFrames.Header(Opcode.Continuation, long.MaxValue)]);
    }

    private static void AddControlFrames(CaseList cases)
    {
        Begin(cases, 4);
        byte[] payload = Noise(Limit);
        cases.Add("Pings inside a message of the limit do not count",
            [
                .. ClientFrames.Frame(Opcode.Binary, payload.AsSpan(0, 900), isFinal: false), .. ClientFrames.Ping(Noise(125)), .. ClientFrames.Ping(Noise(125)),
                .. ClientFrames.Frame(Opcode.Continuation, payload.AsSpan(900)),
            ],
            Reply.Pong(Noise(125)), Reply.Pong(Noise(125)), Reply.Binary(payload));
        cases.Add("A ping behind a message of the limit is answered", [.. ClientFrames.Binary(payload), .. ClientFrames.Ping("p"u8)], Reply.Binary(payload), Reply.Pong("p"u8));
        cases.Add("A close inside a message of the limit is answered",
            [.. ClientFrames.Frame(Opcode.Binary, payload, isFinal: false), .. ClientFrames.Close(1000)], Reply.Close(1000));
    }

    private static void AddLarge(CaseList cases)
    {
        cases.Section(5);
        int limit = Server.Tests.Fixture.PushHost.EchoBytesMax;
        cases.Add("A text of 16 MiB, where that is the limit, comes back", ClientFrames.Text(Letters(limit)), Reply.Text(Letters(limit)));
        cases.Add("A binary message of 16 MiB comes back", ClientFrames.Binary(Noise(limit)), Reply.Binary(Noise(limit)));
        cases.AddRefusedAtLastByte("16 MiB and a byte are refused at the header", 1009, ClientFrames.Header(Opcode.Text, limit + 1));
        cases.Add("A text of 65,536 bytes, each a fragment, comes back",
            ClientFrames.Fragments(Opcode.Text, Pieces(Encoding.ASCII.GetBytes(Letters(65_536)), 1)), Reply.Text(Letters(65_536)));
        cases.Add("4 MiB in fragments of 4 KiB come back", ClientFrames.Fragments(Opcode.Binary, Pieces(Noise(4 << 20), 4096)), Reply.Binary(Noise(4 << 20)));
    }

    /// <summary>Reads a text, a byte to a fragment, and returns what that has allocated.</summary>
    private static long ReadByteFragments(int length)
    {
        // Masked with zeros, so that the bytes can be given to the reader again and again.
        byte[] first = ClientFrames.Frame(Opcode.Text, "x"u8, isFinal: false, maskKey: 0);
        byte[] next = ClientFrames.Frame(Opcode.Continuation, "x"u8, isFinal: false, maskKey: 0);
        byte[] last = ClientFrames.Frame(Opcode.Continuation, "x"u8, maskKey: 0);
        var reader = new MessageReader(length, fragmentsMax: length);
        var total = default(Total);
        long before = GC.GetAllocatedBytesForCurrentThread();
        reader.Read(first.AsSpan(), ref total, out _);
        for (int i = 2; i < length; i++)
        {
            reader.Read(next.AsSpan(), ref total, out _);
        }

        reader.Read(last.AsSpan(), ref total, out _);
        Assert.Equal(length, total.Bytes);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private struct Total : IMessageHandler
    {
        public int Bytes { get; private set; }

        public bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload)
        {
            Bytes += payload.Length;
            return true;
        }

        public readonly bool OnPing(ReadOnlySpan<byte> payload) => true;

        public readonly bool OnPong(ReadOnlySpan<byte> payload) => true;

        public readonly void OnClose(CloseStatus status, ReadOnlySpan<byte> reason)
        {
        }
    }
}
