using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Protocol;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Subscriptions;

public sealed class WebSocketDeliveryTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(1024 * 1024)]
    public async Task TextAndBinaryComeAsTheyWerePublished(int length)
    {
        await using var host = await PushHost.StartAsync();
        using var socket = await host.OpenWebSocketAsync("/channels/news");
        string text = new('x', length);
        byte[] binary = new byte[length];
        Random.Shared.NextBytes(binary);
        await host.PublishAsync("news", text);
        await host.Publisher.PublishAsync(ChannelName.Parse("news"), new PushMessage(MessageKind.Binary, binary), Patience.Token);
        Assert.Equal((WebSocketMessageType.Text, text), await ReceiveTextAsync(socket));
        var (type, bytes) = await ReceiveAsync(socket);
        Assert.Equal(WebSocketMessageType.Binary, type);
        Assert.Equal(binary, bytes);
    }

    [Theory]
    [InlineData("/channels/news?format=json")]
    [InlineData("/channels/news?x=1&format=json&y")]
    [InlineData("/channels/news,other")]
    [InlineData("/channels/news,other?format=json")]
    public async Task AnEnvelopeSaysChannelIdAndData(string target)
    {
        await using var host = await PushHost.StartAsync();
        using var socket = await host.OpenWebSocketAsync(target);
        var receipt = await host.PublishAsync("news", "\"quoted\" \\ \n ü");
        var (type, text) = await ReceiveTextAsync(socket);
        var envelope = JsonDocument.Parse(text).RootElement;
        Assert.Equal(WebSocketMessageType.Text, type);
        Assert.Equal("news", envelope.GetProperty("channel").GetString());
        Assert.Equal(receipt.Id.ToString(), envelope.GetProperty("id").GetString());
        Assert.Equal("\"quoted\" \\ \n ü", envelope.GetProperty("data").GetString());
        Assert.False(envelope.TryGetProperty("encoding", out _));
    }

    [Fact]
    public async Task AnEnvelopeOfABinaryMessageHoldsBase64AndSaysSo()
    {
        await using var host = await PushHost.StartAsync();
        using var socket = await host.OpenWebSocketAsync("/channels/news?format=json");
        await host.Publisher.PublishAsync(ChannelName.Parse("news"), new PushMessage(MessageKind.Binary, new byte[] { 0, 255, 1 }), Patience.Token);
        var (_, text) = await ReceiveTextAsync(socket);
        var envelope = JsonDocument.Parse(text).RootElement;
        Assert.Equal([0, 255, 1], envelope.GetProperty("data").GetBytesFromBase64());
        Assert.Equal("base64", envelope.GetProperty("encoding").GetString());
    }

    [Fact]
    public async Task TheSameChannelTwiceIsOneChannel()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a,%61,a");
        var receipt = await host.PublishAsync("a", "raw, since it is one channel");
        Assert.Equal(1, receipt.Subscribers);
        Assert.Equal("raw, since it is one channel", (await client.ReadFrameAsync()).Text);
    }

    [Theory]
    [InlineData("rawpush.json, rawpush.raw", "rawpush.json")]
    [InlineData("rawpush.raw, rawpush.json", "rawpush.raw")]
    [InlineData("chat, rawpush.json", "rawpush.json")]
    [InlineData("chat", null)]
    [InlineData("RAWPUSH.JSON", null)]
    public async Task TheFirstSubprotocolOfTheClientThatIsKnownDecides(string offered, string? chosen)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Upgrade("/channels/a", $"Sec-WebSocket-Protocol: {offered}\r\n"));
        string head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 Switching Protocols\r\n", head, StringComparison.Ordinal);
        Assert.Equal("websocket", RawClient.FieldOf(head, "Upgrade"));
        Assert.Equal("Upgrade", RawClient.FieldOf(head, "Connection"));
        Assert.Equal(Heads.Accept, RawClient.FieldOf(head, "Sec-WebSocket-Accept"));
        Assert.Equal(chosen, RawClient.FieldOf(head, "Sec-WebSocket-Protocol"));
        await host.PublishAsync("a", "x");
        string text = (await client.ReadFrameAsync()).Text;
        Assert.Equal(chosen == "rawpush.json" ? '{' : 'x', text[0]);
    }

    [Fact]
    public async Task SubprotocolsMayComeInSeveralFields()
    {
        await using var host = await PushHost.StartAsync();
        using var socket = await host.OpenWebSocketAsync("/channels/a", "one", "rawpush.json", "rawpush.raw");
        Assert.Equal("rawpush.json", socket.SubProtocol);
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Upgrade("/channels/a", "Sec-WebSocket-Protocol: one\r\nsec-websocket-protocol: rawpush.raw\r\n"));
        Assert.Equal("rawpush.raw", RawClient.FieldOf(await client.ReadHeadAsync(), "Sec-WebSocket-Protocol"));
    }

    [Fact]
    public async Task TheQueryDecidesOverTheSubprotocol()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a?format=json", "Sec-WebSocket-Protocol: rawpush.raw\r\n");
        await host.PublishAsync("a", "x");
        Assert.StartsWith("{", (await client.ReadFrameAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MessagesOfSeveralChannelsComeInTheOrderOfTheStreamWhateverTheyWaitedFor()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a,b,c");
        await Parallel.ForEachAsync("abc", Patience.Token, async (channel, _) =>
        {
            for (int i = 0; i < 200; i++)
            {
                await host.PublishAsync($"{channel}", $"{i}");
            }
        });
        var last = new Dictionary<string, int>();
        long sequence = 0;
        for (int i = 0; i < 600; i++)
        {
            var envelope = JsonDocument.Parse((await client.ReadFrameAsync()).Text).RootElement;
            Assert.True(MessageId.TryParse(envelope.GetProperty("id").GetString(), out var id));
            Assert.Equal(++sequence, id.Sequence);
            string channel = envelope.GetProperty("channel").GetString()!;
            Assert.Equal($"{last.GetValueOrDefault(channel)}", envelope.GetProperty("data").GetString());
            last[channel] = last.GetValueOrDefault(channel) + 1;
        }
    }

    [Fact]
    public async Task AClientGetsWhatIsPublishedAfterItsUpgradeAndNothingFromBefore()
    {
        await using var host = await PushHost.StartAsync();
        await using var first = await host.UpgradeAsync("/channels/a");
        await host.PublishAsync("a", "before");
        await using var second = await host.UpgradeAsync("/channels/a");
        await host.PublishAsync("a", "after");
        Assert.Equal("before", (await first.ReadFrameAsync()).Text);
        Assert.Equal("after", (await first.ReadFrameAsync()).Text);
        Assert.Equal("after", (await second.ReadFrameAsync()).Text);
        await second.SendAsync(ClientFrames.Close(1000));
        await second.ReadToEndAsync();
    }

    private static async Task<(WebSocketMessageType Type, byte[] Bytes)> ReceiveAsync(ClientWebSocket socket)
    {
        var message = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            var result = await socket.ReceiveAsync(buffer.AsMemory(), Patience.Token);
            message.Write(buffer, 0, result.Count);
            if (result.EndOfMessage)
            {
                return (result.MessageType, message.ToArray());
            }
        }
    }

    private static async Task<(WebSocketMessageType Type, string Text)> ReceiveTextAsync(ClientWebSocket socket)
    {
        var (type, bytes) = await ReceiveAsync(socket);
        return (type, Encoding.UTF8.GetString(bytes));
    }
}
