using System.Net.WebSockets;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Messages;

public sealed class WebSocketProtocolTests
{
    public static TheoryData<int, byte[]> Violations => new()
    {
        { 1002, [0x81, 0x01, (byte)'a'] },
        { 1002, WithFirstByte(ClientFrames.Text("a"), 0xC1) },
        { 1002, WithFirstByte(ClientFrames.Text("a"), 0x91) },
        { 1002, ClientFrames.Frame((Opcode)3, "a"u8) },
        { 1002, ClientFrames.Frame((Opcode)11, "a"u8) },
        { 1002, ClientFrames.Frame(Opcode.Ping, "a"u8, isFinal: false) },
        { 1002, ClientFrames.Frame(Opcode.Ping, new byte[126]) },
        { 1002, ClientFrames.Frame(Opcode.Continuation, "a"u8) },
        { 1002, [.. ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), .. ClientFrames.Text("b")] },
        { 1002, ClientFrames.Frame(Opcode.Close, [3]) },
        { 1002, ClientFrames.Close(1005) },
        { 1002, ClientFrames.Close(999) },
        { 1007, ClientFrames.Frame(Opcode.Text, [0xC3, 0x28]) },
        { 1007, ClientFrames.Fragments(Opcode.Text, [0xF0, 0x9F], [0x41]) },
        { 1007, ClientFrames.Frame(Opcode.Close, [0x03, 0xE8, 0xFF]) },
        { 1009, ClientFrames.Header(Opcode.Binary, PushHost.EchoBytesMax + 1) },
        { 1009, ClientFrames.Header(Opcode.Text, long.MaxValue) },
    };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(1024 * 1024)]
    [InlineData(16 * 1024 * 1024)]
    public async Task MessagesUpToTheLimitComeBack(int length)
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.ClientBytesPerSecond = 0);
        await using var client = await host.UpgradeAsync("/echo");
        byte[] payload = new byte[length];
        Random.Shared.NextBytes(payload);
        byte[] ascii = Array.ConvertAll(payload, b => (byte)('a' + b % 26));
        foreach (var (opcode, message) in ((Opcode, byte[])[])[(Opcode.Binary, payload), (Opcode.Text, ascii)])
        {
            var sending = client.SendAsync(ClientFrames.Frame(opcode, message));
            var frame = await client.ReadFrameAsync();
            await sending;
            Assert.Equal((opcode, true), (frame.Opcode, frame.IsFinal));
            Assert.True(message.AsSpan().SequenceEqual(frame.Payload));
        }

        await client.SendAsync(ClientFrames.Close(1000));
        Assert.Equal(1000, (await client.ReadFrameAsync()).Status);
    }

    [Fact]
    public async Task DotNetsOwnClientGetsItsEchoAndItsClose()
    {
        await using var host = await PushHost.StartAsync();
        using var socket = await host.OpenWebSocketAsync("/echo");
        byte[] buffer = new byte[1000];
        for (int i = 0; i < 100; i++)
        {
            await socket.SendAsync(new byte[i], WebSocketMessageType.Binary, endOfMessage: true, Patience.Token);
            Assert.Equal(i, (await socket.ReceiveAsync(buffer.AsMemory(), Patience.Token)).Count);
        }

        await socket.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "bye", Patience.Token);
        Assert.Equal(WebSocketState.Closed, socket.State);
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, socket.CloseStatus);
    }

    [Fact]
    public async Task AMessageInPiecesIsOneMessageAndPingsBetweenThemAreAnsweredAtOnce()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        await client.SendAsync(ClientFrames.Frame(Opcode.Text, "gr"u8, isFinal: false));
        await client.SendAsync(ClientFrames.Ping("one"u8));
        Assert.Equal((Opcode.Pong, "one"), await TextFrameAsync(client));
        await client.SendAsync(ClientFrames.Frame(Opcode.Continuation, [0xC3], isFinal: false));
        await client.SendAsync(ClientFrames.Ping([]));
        await client.SendAsync(ClientFrames.Pong("unasked"u8));
        Assert.Equal((Opcode.Pong, ""), await TextFrameAsync(client));
        await client.SendAsync(ClientFrames.Frame(Opcode.Continuation, [0xBC, (byte)'n']));
        Assert.Equal((Opcode.Text, "grün"), await TextFrameAsync(client));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1001)]
    [InlineData(3000)]
    [InlineData(4999)]
    public async Task TheClientsCloseIsAnsweredWithItsStatusAndTheEndOfTheConnection(int status)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        await client.SendAsync(ClientFrames.Close(status, "bye"));
        var close = await client.ReadFrameAsync();
        Assert.Equal((Opcode.Close, status), (close.Opcode, close.Status));
        Assert.Empty(await client.ReadToEndAsync());
        await client.DisposeAsync();
        await host.Metrics.WaitForEndedAsync("ClientClosed");
    }

    [Fact]
    public async Task AnEmptyCloseIsAnsweredWithAnEmptyOne()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        await client.SendAsync(ClientFrames.Close());
        var close = await client.ReadFrameAsync();
        Assert.Equal((Opcode.Close, 0), (close.Opcode, close.Payload.Length));
        Assert.Empty(await client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task WhoBreaksTheProtocolIsToldWhyAndTheConnectionEnds(int status, byte[] frames)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        await client.SendAsync(frames);
        var close = await client.ReadFrameAsync();
        Assert.Equal((Opcode.Close, status), (close.Opcode, close.Status));
        Assert.NotEmpty(close.Reason);
        Assert.Empty(await client.ReadToEndAsync());
        await client.DisposeAsync();
        await host.Metrics.WaitForEndedAsync(status switch { 1007 => "InvalidPayload", 1009 => "MessageTooBig", _ => "ProtocolViolation" });
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task WhatStandsBeforeAViolationIsServed()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        await client.SendAsync((byte[])[.. ClientFrames.Text("good"), 0x81, 0x01, (byte)'x', .. ClientFrames.Text("ignored")]);
        Assert.Equal((Opcode.Text, "good"), await TextFrameAsync(client));
        Assert.Equal(1002, (await client.ReadFrameAsync()).Status);
        Assert.Empty(await client.ReadToEndAsync());
    }

    [Fact]
    public async Task WhereNobodyTakesMessagesAMessageIsAnsweredWith1003()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        await client.SendAsync(ClientFrames.Text("hello?"));
        var close = await client.ReadFrameAsync();
        Assert.Equal((1003, "this address takes no messages"), (close.Status, close.Reason));

        // Here the client's frames can be trusted, so the handshake is waited for; what comes before it is ignored.
        await client.SendAsync((byte[])[.. ClientFrames.Text("ignored"), .. ClientFrames.Close(1003)]);
        Assert.Empty(await client.ReadToEndAsync());
        await host.Metrics.WaitForEndedAsync("UnsupportedData");
    }

    [Theory]
    [InlineData(0, 1003)]
    [InlineData(1, 1009)]
    public async Task AMessageToAChannelMayBeAsLongAsAPublishedOne(int over, int status)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        await client.SendAsync(ClientFrames.Binary(new byte[1024 * 1024 + over]));
        Assert.Equal(status, (await client.ReadFrameAsync()).Status);
    }

    [Fact]
    public async Task AClientThatVanishesIsGone()
    {
        await using var host = await PushHost.StartAsync();
        await using var reset = await host.UpgradeAsync("/channels/a");
        reset.Reset();
        await host.Metrics.WaitForEndedAsync("ClientGone");
        await using var ended = await host.UpgradeAsync("/channels/a");
        ended.EndSending();
        await host.Metrics.WaitForEndedAsync("ClientGone", 2);
        Assert.Equal(0, (await host.PublishAsync("a", "x")).Subscribers);
        Assert.Empty(host.Logs.AboveDebug);
    }

    private static async Task<(Opcode Opcode, string Text)> TextFrameAsync(RawClient client)
    {
        var frame = await client.ReadFrameAsync();
        return (frame.Opcode, frame.Text);
    }

    private static byte[] WithFirstByte(byte[] frame, byte first) => [first, .. frame[1..]];
}
