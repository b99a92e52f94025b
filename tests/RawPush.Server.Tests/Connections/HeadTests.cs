using Microsoft.Extensions.Time.Testing;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Connections;

public sealed class HeadTests
{
    private const string ForeignHead = "GET /hello?x=1 HTTP/1.1\r\nHost: h\r\nCookie: a=b\r\n\r\n";

    public static TheoryData<string, string> Answers => new()
    {
        { Heads.Upgrade("/channels/a", "Sec-WebSocket-Protocol: rawpush.json\r\n"), "HTTP/1.1 101 " },
        { Heads.Events("/channels/a,b"), "HTTP/1.1 200 " },
        { Heads.Events("/channels/a?after=x"), "HTTP/1.1 400 " },
        { Heads.Get("/channels/a", "Bad Field: x\r\n"), "HTTP/1.1 400 " },
        { "\r\n" + Heads.Upgrade("/echo"), "HTTP/1.1 101 " },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task AHeadMeansTheSameHoweverItIsCut(string head, string answer)
    {
        await using var host = await PushHost.StartAsync();
        for (int cut = 1; cut < head.Length; cut++)
        {
            await using var client = PipeClient.Connect(host);
            await client.SendAsync(head[..cut]);
            await client.SendAsync(head[cut..]);
            Assert.StartsWith(answer, client.ReceivedText, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task AHeadMayComeAByteAtATime(string head, string answer)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = PipeClient.Connect(host);
        foreach (char c in head)
        {
            await client.SendAsync($"{c}");
        }

        Assert.StartsWith(answer, client.ReceivedText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AForeignRequestIsHandedOnWholeHoweverItIsCut()
    {
        await using var host = await PushHost.StartAsync();
        for (int cut = 1; cut < ForeignHead.Length; cut++)
        {
            await using var client = PipeClient.Connect(host);
            await client.SendAsync(ForeignHead[..cut]);
            await client.SendAsync(ForeignHead[cut..]);
            await client.Served.WaitAsync(Patience.Token);

            // Handed on at the end of the request line at the latest, with every byte that has come by then.
            Assert.Contains("GET /hello?x=1 HTTP/1.1\r\n", client.HandedOn, StringComparison.Ordinal);
            Assert.StartsWith(client.HandedOn!, ForeignHead, StringComparison.Ordinal);
            Assert.Empty(client.Received);
        }
    }

    [Fact]
    public async Task AHeadWithItsFramesMeansTheSameHoweverTheyAreCut()
    {
        await using var host = await PushHost.StartAsync();
        byte[] head = System.Text.Encoding.ASCII.GetBytes(Heads.Upgrade("/echo"));
        byte[] wire = [.. head, .. ClientFrames.Fragments(Opcode.Text, "gr"u8.ToArray(), [0xC3], [0xBC, (byte)'n']), .. ClientFrames.Close(1000)];
        byte[]? expected = null;
        for (int cut = 1; cut < wire.Length; cut++)
        {
            await using var client = PipeClient.Connect(host);
            await client.SendAsync(wire[..cut]);
            await client.SendAsync(wire[cut..]);
            expected ??= client.Received;
            Assert.Equal(expected, client.Received);
        }

        Assert.True(expected.AsSpan().EndsWith((ReadOnlySpan<byte>)[0x81, 5, .. "grün"u8, 0x88, 2, 0x03, 0xE8]));
    }

    [Fact]
    public async Task AspNetCoreAnswersWhatIsNotOurs()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync(ForeignHead);
        var (head, body) = await client.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        Assert.Equal(PushHost.Hello, body);
    }

    [Fact]
    public async Task AspNetCoreAnswersWhatIsNotOursAlsoWhenItComesAByteAtATime()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.ConnectAsync();
        foreach (char c in ForeignHead)
        {
            await client.SendAsync($"{c}");
        }

        Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
    }

    [Fact]
    public async Task AKeptAliveConnectionCanBecomeAWebSocket()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await KeptAliveAsync(host);
        await client.SendAsync(Heads.Upgrade("/channels/a?format=json", "Sec-WebSocket-Protocol: x, rawpush.json\r\n"));
        string head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Equal(Heads.Accept, RawClient.FieldOf(head, "Sec-WebSocket-Accept"));
        Assert.Equal("rawpush.json", RawClient.FieldOf(head, "Sec-WebSocket-Protocol"));
        Assert.Equal("websocket", RawClient.FieldOf(head, "Upgrade"));

        // It has joined before the head was sent: no message can fall in between.
        await host.PublishAsync("a", "x");
        Assert.StartsWith("{\"channel\":\"a\"", (await client.ReadFrameAsync()).Text, StringComparison.Ordinal);
        await client.SendAsync(ClientFrames.Close(1000));
        Assert.Equal(1000, (await client.ReadFrameAsync()).Status);
        Assert.Empty(await client.ReadToEndAsync());
        await host.Metrics.WaitForEndedAsync("ClientClosed");
    }

    [Fact]
    public async Task AKeptAliveConnectionCanBecomeAnEcho()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await KeptAliveAsync(host);
        await client.SendAsync(Heads.Upgrade("/echo"));
        await client.ReadHeadAsync();
        await client.SendAsync(ClientFrames.Binary(new byte[300_000]));
        Assert.Equal(300_000, (await client.ReadFrameAsync()).Payload.Length);
    }

    [Fact]
    public async Task AKeptAliveConnectionCanBecomeAnEventStream()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await KeptAliveAsync(host);
        await client.SendAsync(Heads.Events("/channels/a"));
        string head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        Assert.Equal("text/event-stream", RawClient.FieldOf(head, "Content-Type"));
        await host.PublishAsync("a", "one");
        await client.ReadUntilAsync("data: one\n\n");
        await host.PublishAsync("a", "two");
        await client.ReadUntilAsync("data: two\n\n");
        client.Reset();
        await host.Metrics.WaitForActiveAsync(0);
        Assert.Equal(1, host.Metrics.Ended("ClientClosed"));
    }

    [Fact]
    public async Task AnEventStreamOnAKeptAliveConnectionEndsWhenTheServerStops()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await KeptAliveAsync(host);
        await client.SendAsync(Heads.Events("/channels/a"));
        await client.ReadHeadAsync();
        await host.Metrics.WaitForActiveAsync(1);
        await host.StopAsync();
        await client.ReadToEndAsync();
        Assert.Equal(1, host.Metrics.Ended("ServerDraining"));
    }

    [Fact]
    public async Task AHeadThatIsLateIsAnswered408()
    {
        var time = new FakeTimeProvider();
        await using var host = await PushHost.StartAsync(setup => setup.Time = time);
        await using var client = PipeClient.Connect(host);
        await client.SendAsync("GET /channels/a HTTP/1.1\r\nHost: ");
        await host.AdvanceAsync(TimeSpan.FromSeconds(9));
        Assert.Empty(client.Received);
        await client.SendAsync("h\r\n");
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.StartsWith("HTTP/1.1 408 ", client.ReceivedText, StringComparison.Ordinal);
        Assert.EndsWith("the request head did not arrive in time\n", client.ReceivedText, StringComparison.Ordinal);
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        await client.Served.WaitAsync(Patience.Token);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AConnectionThatSaysNothingIsClosedInSilence()
    {
        var time = new FakeTimeProvider();
        await using var host = await PushHost.StartAsync(setup => setup.Time = time);
        await using var client = PipeClient.Connect(host);
        await host.AdvanceAsync(TimeSpan.FromSeconds(11));
        await client.Served.WaitAsync(Patience.Token);
        Assert.Empty(client.Received);
        Assert.Null(client.HandedOn);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AClientMayLeaveInTheMiddleOfItsHead()
    {
        await using var host = await PushHost.StartAsync();
        foreach (string part in (string[])["", "G", "GET /chan", "GET /channels/a HTTP/1.1\r\n", "GET /channels/a HTTP/1.1\r\nHost: h\r\n"])
        {
            await using var polite = await host.ConnectAsync();
            await polite.SendAsync(part);
            polite.EndSending();
            await polite.ReadToEndAsync();
            await using var rude = await host.ConnectAsync();
            await rude.SendAsync(part);
            rude.Reset();
        }

        await using var client = await host.UpgradeAsync("/echo");
        Assert.Empty(host.Logs.AboveDebug);
    }

    private static async Task<RawClient> KeptAliveAsync(PushHost host)
    {
        var client = await host.ConnectAsync();
        await client.SendAsync(ForeignHead);
        Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
        return client;
    }
}
