using System.Net.Sockets;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;
using static RawPush.Conformance.Tests.WebSockets.Payloads;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>7: the closing handshake (RFC 6455 sections 5.5.1, 7.1 and 7.4).</summary>
public sealed class ClosingTests(EchoHost echo) : IClassFixture<EchoHost>
{
    private static readonly int[] Sendable = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999];

    private static readonly int[] Forbidden =
    [
        0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1100, 1999, 2000, 2500, 2999, 5000, 5001, 9999, 32_767, 32_768, 65_535,
    ];

    /// <summary>Played over a socket and in the parser.</summary>
    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(7);
            AddStatuses(cases);
            AddBodies(cases);
            AddMalformed(cases);
            AddBehindTheClose(cases);
            AddBeforeTheClose(cases);
            AddEnds(cases);
            return cases.Rows;
        }
    }

    /// <summary>Cases in which the server closes first, on an address where nobody takes messages. A parser alone has no such thing.</summary>
    public static IEnumerable<TheoryDataRow<WebSocketCase>> ServerFirstCases
    {
        get
        {
            var cases = new CaseList(7);
            AddServerFirst(cases);
            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    [MemberData(nameof(ServerFirstCases))]
    public Task OverASocket(WebSocketCase sample) => SocketRunner.RunAsync(echo, sample);

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(WebSocketCase sample) => ParserRunner.Run(sample);

    [Fact(DisplayName = "7.8.1 A server that stops says 1001, and ends the stream when the client has answered")]
    public async Task TheServerStops()
    {
        await using var host = await StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        var stopping = host.StopAsync();
        Assert.Equal(Reply.Refusal(1001), Reply.Of(await client.ReadFrameAsync()));
        await client.SendAsync(ClientFrames.Close(1001));
        Assert.Empty(await client.ReadToEndAsync());
        await stopping;
        Assert.Equal((1, 1), (host.Metrics.Ended("ServerDraining"), host.Metrics.EndedInAll));
    }

    [Fact(DisplayName = "7.8.2 A close of the client that crosses the server's is its answer, and is not answered again")]
    public async Task TheClosesCross()
    {
        await using var host = await StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        var stopping = host.StopAsync();

        // The server's close has come, and the client has not read it yet.
        await client.Socket.ReceiveAsync(new byte[1], SocketFlags.Peek, Patience.Token);
        await client.SendAsync(ClientFrames.Close(4000, "crossing"));
        Assert.Equal(Reply.Refusal(1001), Reply.Of(await client.ReadFrameAsync()));
        Assert.Empty(await client.ReadToEndAsync());
        await stopping;
        Assert.Equal((1, 1), (host.Metrics.Ended("ServerDraining"), host.Metrics.EndedInAll));
    }

    [Fact(DisplayName = "7.8.3 A close of the client that comes before the server stops is answered with its own status, and the server says no other")]
    public async Task TheClientIsFirst()
    {
        await using var host = await StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        await client.SendAsync(ClientFrames.Close(4000));
        Assert.Equal(Reply.Close(4000), Reply.Of(await client.ReadFrameAsync()));
        await host.StopAsync();
        Assert.Empty(await client.ReadToEndAsync());
        Assert.Equal((1, 1), (host.Metrics.Ended("ClientClosed"), host.Metrics.EndedInAll));
    }

    [Fact(DisplayName = "7.8.4 Whoever is first when a hundred clients close and the server stops, each gets one close and the end of the stream")]
    public async Task AHundredRaces()
    {
        await using var host = await StartAsync();
        var clients = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => host.UpgradeAsync("/echo")));
        var closing = Task.WhenAll(clients.Select(client => client.SendAsync(ClientFrames.Close(4000))));
        var stopping = host.StopAsync();
        foreach (var client in clients)
        {
            Assert.Contains(Reply.Of(await client.ReadFrameAsync()), (string[])[Reply.Close(4000), Reply.Refusal(1001)]);
            Assert.Empty(await client.ReadToEndAsync());
            await client.DisposeAsync();
        }

        await closing;
        await stopping;
        Assert.Equal(100, host.Metrics.Ended("ServerDraining") + host.Metrics.Ended("ClientClosed"));
    }

    // Time enough for the clients to leave by themselves, however busy the machine is.
    private static Task<PushHost> StartAsync() => PushHost.StartAsync(setup => setup.Options = options => options.DrainTimeout = TimeSpan.FromSeconds(60));

    private static void AddStatuses(CaseList cases)
    {
        cases.Section(1);
        foreach (int status in Sendable)
        {
            cases.Add($"Status {status} is answered with itself", ClientFrames.Close(status), Reply.Close(status));
        }

        cases.Section(2);
        foreach (int status in Forbidden)
        {
            cases.AddRefused($"Status {status}, which may not be sent, is refused", 1002, ClientFrames.Close(status));
        }
    }

    private static void AddBodies(CaseList cases)
    {
        cases.Section(3);
        cases.Add("A close without a status is answered without one", ClientFrames.Close(), Reply.EmptyClose);
        foreach (var (what, reason) in ((string, string)[])
            [("of one letter", "x"), ("of 122 bytes", Letters(122)), ("of 123 bytes", Letters(123)), ("of 41 characters of three bytes", new string('€', 41)), ("with NUL", "a\0b"), ("with U+10FFFF", "\U0010FFFF")])
        {
            cases.Add($"A reason {what} is taken, and only the status comes back", ClientFrames.Close(1000, reason), Reply.Close(1000));
        }
    }

    private static void AddMalformed(CaseList cases)
    {
        cases.Section(4);
        cases.AddRefused("A body of one byte is refused", 1002, ClientFrames.Frame(Opcode.Close, [0x03]));
        cases.AddRefused("A body of one zero byte is refused", 1002, ClientFrames.Frame(Opcode.Close, [0]));
        cases.AddRefused("A reason of 124 bytes, which makes the body too long, is refused", 1002, ClientFrames.Close(1000, Letters(124)));
        cases.AddRefusedAtLastByte("A body with a 16-bit length is refused at its second byte", 1002, 0x88, 0xFE);
        cases.AddRefusedAtLastByte("A body with a 64-bit length is refused at its second byte", 1002, 0x88, 0xFF);
        foreach (string hex in (string[])["FF", "C3", "E282", "C080", "EDA080", "F4908080", "61FF61"])
        {
            cases.AddRefused($"A reason that is not UTF-8 ({hex}) is refused", 1007, ClientFrames.Frame(Opcode.Close, [0x03, 0xE8, .. Convert.FromHexString(hex)]));
        }

        cases.AddRefused("A forbidden status with a malformed reason is refused for the status", 1002, ClientFrames.Frame(Opcode.Close, [0x03, 0xED, 0xFF]));
    }

    // Section 5.5.1: the application MUST NOT send any more data frames after sending a Close frame. What comes all the same is not read.
    private static void AddBehindTheClose(CaseList cases)
    {
        cases.Section(5);
        foreach (var (what, behind) in ((string, byte[])[])
        [
            ("A text", ClientFrames.Text("late")),
            ("A ping", ClientFrames.Ping("late"u8)),
            ("A second close", ClientFrames.Close(1000)),
            ("A second close with another status", ClientFrames.Close(1001)),
            ("A forbidden close", ClientFrames.Close(1005)),
            ("An unmasked frame", [0x81, 0x01, 0x61]),
            ("A reserved opcode", [0x83]),
            ("Malformed text", ClientFrames.Frame(Opcode.Text, [0xFF])),
            ("Half a header", [0x81, 0xFE]),
            ("A kilobyte of noise", Noise(1024)),
        ])
        {
            cases.Add($"{what} behind a close is ignored", [.. ClientFrames.Close(1000), .. behind], Reply.Close(1000));
        }
    }

    private static void AddBeforeTheClose(CaseList cases)
    {
        cases.Section(6);
        cases.Add("A message before a close in one segment is answered first", [.. ClientFrames.Text("last"), .. ClientFrames.Close(1000)], Reply.Text("last"), Reply.Close(1000));
        cases.Add("A ping before a close in one segment is answered first", [.. ClientFrames.Ping("p"u8), .. ClientFrames.Close(1001)], Reply.Pong("p"u8), Reply.Close(1001));
        cases.Add("An unfinished message before a close is dropped",
            [.. ClientFrames.Text("whole"), .. ClientFrames.Frame(Opcode.Text, "unfinished"u8, isFinal: false), .. ClientFrames.Close(1000)],
            Reply.Text("whole"), Reply.Close(1000));
        cases.Add("An unfinished character before a close is dropped with its message",
            [.. ClientFrames.Frame(Opcode.Text, [0xE2], isFinal: false), .. ClientFrames.Close(1000)], Reply.Close(1000));
        cases.Add("A message of 1 MiB before a close is answered first",
            [.. ClientFrames.Binary(Noise(1 << 20)), .. ClientFrames.Close(1000)], Reply.Binary(Noise(1 << 20)), Reply.Close(1000));
        foreach (int chop in (int[])[1, 2])
        {
            cases.Setting = sample => sample with { ChopBytes = chop };
            cases.Add($"A close sent in chops of {chop} is answered", ClientFrames.Close(4999, "bye"), Reply.Close(4999));
        }
    }

    // Section 7.1.7: having failed the connection, the server sends a close frame and ends the stream; it need not wait for the client's.
    private static void AddEnds(CaseList cases)
    {
        cases.Section(7);
        cases.Setting = static sample => sample with { WaitsForTheEnd = true };
        cases.AddRefused("After a violation the server ends the stream by itself", 1002, [0x83]);
        cases.AddRefused("After malformed text the server ends the stream by itself", 1007, ClientFrames.Frame(Opcode.Text, [0xFF]));
        cases.AddRefused("After a message that is too long the server ends the stream by itself", 1009, ClientFrames.Header(Opcode.Text, long.MaxValue));
    }

    private static void AddServerFirst(CaseList cases)
    {
        cases.Section(9);
        cases.Setting = static sample => sample with { Target = "/channels/a", WaitsForTheEnd = true };
        var refused = new Exchange(ClientFrames.Text("unwanted"), Reply.Refusal(1003));
        cases.Add("The server's close is answered with the same status, and the stream ends", refused, new Exchange(ClientFrames.Close(1003)));
        cases.Add("The server's close is answered with another status, and the stream ends", refused, new Exchange(ClientFrames.Close(4000, "as you like")));
        cases.Add("The server's close is answered without a status, and the stream ends", refused, new Exchange(ClientFrames.Close()));
        cases.Add("Messages between the server's close and the client's are ignored",
            refused, new Exchange(ClientFrames.Text("ignored")), new Exchange([.. ClientFrames.Binary(Noise(1000)), .. ClientFrames.Close(1003)]));
        cases.Add("A ping behind the server's close is not answered", refused, new Exchange(ClientFrames.Ping("p"u8)), new Exchange(ClientFrames.Close(1003)));
        cases.Add("A close in the segment of what made the server close crosses its close, and is not answered again",
            [.. ClientFrames.Text("unwanted"), .. ClientFrames.Close(1000)], Reply.Refusal(1003));
        cases.Add("A message unfinished when the client answers is dropped",
            refused, new Exchange([.. ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), .. ClientFrames.Close(1003)]));
        cases.Add("A violation instead of an answer ends the stream, without a second close", refused, new Exchange([0x83]));
        cases.Add("Where nobody takes messages, a close is answered all the same", ClientFrames.Close(4999, "bye"), Reply.Close(4999));
        cases.Add("Where nobody takes messages, pings are answered all the same", ClientFrames.Ping("p"u8), Reply.Pong("p"u8));
        cases.Add("A forbidden status as an answer ends the stream, without a second close", refused, new Exchange(ClientFrames.Close(1005)));
    }
}
