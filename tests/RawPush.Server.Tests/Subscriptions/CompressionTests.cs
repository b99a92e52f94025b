using System.Net.WebSockets;
using System.Text;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Subscriptions;

public sealed class CompressionTests
{
    private const string Offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    private const byte CompressedText = 0xC1;

    private static readonly string LongText = string.Concat(Enumerable.Repeat("{\"price\":1.25,\"size\":100},", 40));

    [Fact]
    public async Task An_offer_is_declined_unless_the_settings_agree()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Heads.Upgrade("/channels/news", Offer));

        Assert.Null(RawClient.FieldOf(await client.ReadHeadAsync(), "Sec-WebSocket-Extensions"));
        await host.PublishAsync("news", LongText);
        Assert.Equal(LongText, (await client.ReadFrameAsync()).Text);
    }

    [Theory]
    [InlineData("/channels/news")]
    [InlineData("/channels/news?format=json")]
    public async Task Clients_that_agreed_get_the_same_deflated_bytes_and_others_get_the_message_as_it_is(string target)
    {
        await using var host = await StartAsync();
        await using var plain = await host.UpgradeAsync(target);
        await using var first = await OpenAsync(host, target);
        await using var second = await OpenAsync(host, target);

        await host.PublishAsync("news", LongText);

        byte[] message = (await plain.ReadFrameAsync()).Payload;
        byte[] frame = await ReadShortFrameAsync(first);
        Assert.Equal(frame, await ReadShortFrameAsync(second));
        Assert.Equal(CompressedText, frame[0]);
        Assert.Equal(message, Compressed.Inflate(frame.AsSpan(2)));
    }

    [Fact]
    public async Task A_short_message_is_sent_as_it_is()
    {
        await using var host = await StartAsync();
        await using var client = await OpenAsync(host, "/channels/news");

        await host.PublishAsync("news", "short");

        Assert.Equal("short", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task A_namespace_can_be_left_out_or_be_the_only_one()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options =>
        {
            options.Namespaces.Add(new NamespaceOptions { Pattern = "packed.*", Compression = true });
            options.Namespaces.Add(new NamespaceOptions { Pattern = "plain.*", Compression = false });
        });
        await using var client = await OpenAsync(host, "/channels/packed.a,plain.a,other.a?format=json");

        await host.PublishAsync("plain.a", LongText);
        Assert.StartsWith("{\"channel\":\"plain.a\"", (await client.ReadFrameAsync()).Text, StringComparison.Ordinal);
        await host.PublishAsync("other.a", LongText);
        Assert.StartsWith("{\"channel\":\"other.a\"", (await client.ReadFrameAsync()).Text, StringComparison.Ordinal);
        await host.PublishAsync("packed.a", LongText);
        Assert.Equal(CompressedText, (await ReadShortFrameAsync(client))[0]);
    }

    [Fact]
    public async Task A_malformed_offer_is_refused_whatever_the_settings()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.ConnectAsync();

        await client.SendAsync(Heads.Upgrade("/channels/news", "Sec-WebSocket-Extensions: permessage-deflate;\r\n"));

        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_of_the_base_class_library_sends_and_gets_compressed_messages()
    {
        await using var host = await StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        await socket.ConnectAsync(host.WebSocketUri("/echo"), Patience.Token);
        byte[] sent = Encoding.UTF8.GetBytes(LongText);
        byte[] received = new byte[sent.Length + 1];
        for (int i = 0; i < 3; i++)
        {
            await socket.SendAsync(sent, WebSocketMessageType.Text, endOfMessage: true, Patience.Token);
            var result = await socket.ReceiveAsync(received, Patience.Token);
            Assert.Equal(sent, received[..result.Count]);
        }

        using var subscriber = new ClientWebSocket();
        subscriber.Options.DangerousDeflateOptions = new WebSocketDeflateOptions { ServerMaxWindowBits = 12 };
        await subscriber.ConnectAsync(host.WebSocketUri("/channels/news"), Patience.Token);
        await host.PublishAsync("news", LongText);
        var message = await subscriber.ReceiveAsync(received, Patience.Token);
        Assert.Equal(sent, received[..message.Count]);
    }

    [Fact]
    public async Task What_a_client_sends_compressed_is_inflated_and_checked()
    {
        await using var host = await StartAsync();
        await using var client = await OpenAsync(host, "/echo");

        await client.SendAsync(Frame(Compressed.Of(Encoding.UTF8.GetBytes(LongText))));
        Assert.Equal(LongText, (await client.ReadFrameAsync()).Text);

        // Sixteen megabytes are the limit of this address, and a bomb of sixteen thousandths of that goes beyond it.
        await client.SendAsync(Frame(Compressed.Of(new byte[PushHost.EchoBytesMax + 1])));
        Assert.Equal(1009, (await client.ReadFrameAsync()).Status);
    }

    private static Task<PushHost> StartAsync() => PushHost.StartAsync(setup => setup.Options = options => options.Compression = true);

    private static async Task<RawClient> OpenAsync(PushHost host, string target)
    {
        var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Upgrade(target, Offer));
        Assert.Equal("permessage-deflate; server_no_context_takeover; client_no_context_takeover", RawClient.FieldOf(await client.ReadHeadAsync(), "Sec-WebSocket-Extensions"));
        return client;
    }

    /// <summary>A frame of at most 125 bytes, whatever its bits say.</summary>
    private static async Task<byte[]> ReadShortFrameAsync(RawClient client)
    {
        byte[] head = await client.ReadExactlyAsync(2);
        Assert.InRange(head[1], 0, 125);
        return [.. head, .. await client.ReadExactlyAsync(head[1])];
    }

    private static byte[] Frame(byte[] compressed)
    {
        byte[] frame = ClientFrames.Frame(RawPush.Protocol.WebSockets.Opcode.Text, compressed);
        frame[0] |= 0x40;
        return frame;
    }
}
