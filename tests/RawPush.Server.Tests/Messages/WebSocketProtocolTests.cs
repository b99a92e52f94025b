using System.Net.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Messages;

public sealed class WebSocketProtocolTests
{
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

    [Theory]
    [InlineData(1002, "ProtocolViolation", "8100")]
    [InlineData(1007, "InvalidPayload", "818100000000FF")]
    [InlineData(1009, "MessageTooBig", "82FF7FFFFFFFFFFFFFFF00000000")]
    public async Task WhoBreaksTheProtocolIsCountedByTheReasonItIsGiven(int status, string reason, string wire)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        await client.SendAsync(Convert.FromHexString(wire));
        Assert.Equal(status, (await client.ReadFrameAsync()).Status);
        await client.DisposeAsync();
        await host.Metrics.WaitForEndedAsync(reason);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AClientThatSaysGoodbyeIsCountedAsOne()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        await client.SendAsync(ClientFrames.Close(1000));
        Assert.Equal(1000, (await client.ReadFrameAsync()).Status);
        await client.DisposeAsync();
        await host.Metrics.WaitForEndedAsync("ClientClosed");
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
}
