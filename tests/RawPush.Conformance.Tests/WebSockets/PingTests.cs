using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>2: pings and pongs (RFC 6455 sections 5.5, 5.5.2 and 5.5.3).</summary>
public sealed class PingTests(EchoHost echo) : IClassFixture<EchoHost>
{
    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(2);
            AddSizes(cases);
            AddContents(cases);
            AddPongs(cases);
            AddMany(cases);
            AddRefused(cases);
            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task OverASocket(WebSocketCase sample) => SocketRunner.RunAsync(echo, sample);

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(WebSocketCase sample) => ParserRunner.Run(sample);

    // Section 5.5.3: an endpoint that has not yet answered earlier pings MAY answer the last one only.
    [Fact(DisplayName = "2.6.1 Of ten pings that come while the client reads nothing, the last is answered when it does")]
    public async Task WhoDoesNotReadGetsTheLastPong()
    {
        await using var client = await PipeClient.OpenAsync(echo.Host, Heads.Upgrade("/channels/unread"));
        await echo.Host.PublishAsync("unread", Payloads.Letters(300_000));

        // Delivered now: a ping in the same turn would be answered first.
        await echo.Host.SettleAsync();
        for (byte i = 0; i < 10; i++)
        {
            await client.SendAsync(ClientFrames.Ping([i]));
        }

        // The message with a header of ten bytes, the pong with one of two.
        byte[] received = await client.ReceiveAsync(10 + 300_000 + 2 + 1);
        Assert.Equal([0x8A, 0x01, 9], received[^3..]);
        await client.SendAsync(ClientFrames.Ping("read"u8));
        Assert.Equal([0x8A, 0x04, .. "read"u8], client.Received[received.Length..]);
    }

    // Section 5.5.3: a pong has the same application data as the ping that it answers.
    private static void AddSizes(CaseList cases)
    {
        cases.Section(1);
        cases.Add("An empty ping is answered with an empty pong", ClientFrames.Ping([]), Reply.Pong([]));
        foreach (int size in (int[])[1, 2, 64, 124, 125])
        {
            cases.Add($"A ping of {size} bytes is answered byte for byte", ClientFrames.Ping(Count(size)), Reply.Pong(Count(size)));
        }

        cases.Add(
            "Pings of every size from 0 to 125 bytes are answered byte for byte",
            [.. Enumerable.Range(0, 126).SelectMany(size => ClientFrames.Ping(Count(size)))],
            [.. Enumerable.Range(0, 126).Select(size => Reply.Pong(Count(size)))]);
    }

    private static void AddContents(CaseList cases)
    {
        cases.Section(2);
        cases.Add("A ping need not hold text", ClientFrames.Ping([0xC0, 0x80, 0xFF, 0xFE]), Reply.Pong([0xC0, 0x80, 0xFF, 0xFE]));
        cases.Add("A ping may hold zeros", ClientFrames.Ping(new byte[20]), Reply.Pong(new byte[20]));
        cases.Add("A ping may hold what looks like a frame", ClientFrames.Ping(ClientFrames.Close(1000)), Reply.Pong(ClientFrames.Close(1000)));
        cases.Add(
            "Pings of every byte value are answered byte for byte",
            [.. Enumerable.Range(0, 16).SelectMany(i => ClientFrames.Ping(Count(16, i * 16)))],
            [.. Enumerable.Range(0, 16).Select(i => Reply.Pong(Count(16, i * 16)))]);
    }

    // Section 5.5.3: a pong may be sent unsolicited, and a response to it is not expected.
    private static void AddPongs(CaseList cases)
    {
        cases.Section(3);
        cases.Add("An unasked pong is not answered", ClientFrames.Pong([]));
        cases.Add("An unasked pong with a payload is not answered", ClientFrames.Pong("unasked"u8));
        cases.Add("An unasked pong of 125 bytes is not answered", ClientFrames.Pong(Count(125)));
        cases.Add("A ping behind an unasked pong is answered", [.. ClientFrames.Pong("a"u8), .. ClientFrames.Ping("b"u8)], Reply.Pong("b"u8));
        cases.Add("A ping with the payload of an unasked pong is answered", [.. ClientFrames.Pong("a"u8), .. ClientFrames.Ping("a"u8)], Reply.Pong("a"u8));
        cases.Add(
            "Ten unasked pongs and a message between them are the message",
            [.. Enumerable.Range(0, 10).SelectMany(i => ClientFrames.Pong([(byte)i])), .. ClientFrames.Text("x"), .. ClientFrames.Pong([])],
            Reply.Text("x"));
    }

    private static void AddMany(CaseList cases)
    {
        cases.Section(4);
        AddRow(cases, 10, "in one segment", chopBytes: 0);
        AddRow(cases, 10, "in chops of 1 byte", chopBytes: 1);
        AddRow(cases, 10, "in chops of 2 bytes", chopBytes: 2);
        AddRow(cases, 1000, "in one segment", chopBytes: 0);
        cases.Setting = static sample => sample;
        cases.Add(
            "Pings, each sent after the answer to the one before, are answered",
            [.. Enumerable.Range(0, 10).Select(i => new Exchange(ClientFrames.Ping([(byte)i]), Reply.Pong([(byte)i])))]);
        cases.Add(
            "Pings between messages are answered in their places",
            [.. ClientFrames.Text("1"), .. ClientFrames.Ping("2"u8), .. ClientFrames.Text("3"), .. ClientFrames.Ping("4"u8)],
            Reply.Text("1"), Reply.Pong("2"u8), Reply.Text("3"), Reply.Pong("4"u8));
    }

    private static void AddRow(CaseList cases, int count, string how, int chopBytes)
    {
        cases.Setting = sample => sample with { ChopBytes = chopBytes };
        cases.Add(
            $"{count} pings {how} are answered in order",
            [.. Enumerable.Range(0, count).SelectMany(i => ClientFrames.Ping([(byte)i, (byte)(i >> 8)]))],
            [.. Enumerable.Range(0, count).Select(i => Reply.Pong([(byte)i, (byte)(i >> 8)]))]);
    }

    // Section 5.5: control frames have at most 125 bytes and MUST NOT be fragmented.
    private static void AddRefused(CaseList cases)
    {
        cases.Section(5);
        foreach (var opcode in (Opcode[])[Opcode.Ping, Opcode.Pong])
        {
            cases.AddRefused($"A {opcode} of 126 bytes is refused", 1002, ClientFrames.Frame(opcode, Count(126)));
            cases.AddRefusedAtLastByte($"A {opcode} with a 16-bit length is refused at its second byte", 1002, (byte)(0x80 | (byte)opcode), 0xFE);
            cases.AddRefusedAtLastByte($"A {opcode} with a 64-bit length is refused at its second byte", 1002, (byte)(0x80 | (byte)opcode), 0xFF);
            cases.Add($"A {opcode} that is not final is refused at its first byte", [(byte)opcode], Reply.Refusal(1002));
            cases.AddRefused(
                $"A {opcode} in two fragments is refused",
                1002,
                ClientFrames.Frame(opcode, "a"u8, isFinal: false), ClientFrames.Frame(Opcode.Continuation, "b"u8));
        }
    }

    private static byte[] Count(int length, int first = 1) => [.. Enumerable.Range(first, length).Select(i => (byte)i)];
}
