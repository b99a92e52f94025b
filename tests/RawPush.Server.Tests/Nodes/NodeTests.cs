using System.Net.Sockets;
using System.Text;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit.Nats;

namespace RawPush.Server.Tests.Nodes;

/// <summary>Two servers that share their channels over a NATS without memory.</summary>
public sealed class NodeTests
{
    public static TheoryData<FeedKind> Streams => Feed.Streams;

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task WhatOneNodePublishesAllOthersDeliver_Once(FeedKind kind)
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await BusNodes.StartAsync(nats);
        await using var b = await BusNodes.StartAsync(nats);
        await using var feedA = await Feed.OpenAsync(a, kind, "news");
        await using var feedB = await Feed.OpenAsync(b, kind, "news");
        for (int i = 0; i < 20; i++)
        {
            await (i % 2 == 0 ? a : b).PublishAsync("news", $"{i}");
        }

        foreach (var feed in new[] { feedA, feedB })
        {
            Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}").Order(), (await feed.NextAsync(20)).Order());
        }
    }

    [Fact]
    public async Task PatternsAndNamesOverlap_AndAMessageComesOnce()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await BusNodes.StartAsync(nats);
        await using var b = await BusNodes.StartAsync(nats);
        await using var all = await Feed.OpenAsync(b, FeedKind.WebSocket, "orders.%3E");
        await using var eu = await Feed.OpenAsync(b, FeedKind.WebSocket, "*.eu");
        await using var one = await Feed.OpenAsync(b, FeedKind.WebSocket, "orders.eu");
        for (int i = 0; i < 3; i++)
        {
            await a.PublishAsync("orders.eu", "same");
        }

        await a.PublishAsync("orders.eu", "last");
        foreach (var feed in new[] { all, eu, one })
        {
            Assert.Equal(["same", "same", "same", "last"], await feed.NextAsync(4));
        }
    }

    [Fact]
    public async Task AClientIsToldThatItMayHaveMissedSomething_WhenTheConnectionToNatsWasLost()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await BusNodes.StartAsync(nats);
        await using var b = await BusNodes.StartAsync(nats);
        await using var feed = await Feed.OpenAsync(b, FeedKind.Events, "news");
        await a.PublishAsync("news", "before");
        Assert.Equal("before", (await feed.NextAsync()).Data);

        await nats.KillAsync();
        await a.WaitForBusAsync(isConnected: false);
        var refused = await Assert.ThrowsAsync<PublishRefusedException>(() => a.PublishAsync("news", "lost"));
        Assert.Equal(PublishRefusal.NoBus, refused.Refusal);

        await nats.RestartAsync();
        await a.WaitForBusAsync();
        await b.WaitForBusAsync();
        Assert.Equal("bus", (await feed.NextAsync()).Reason);
        await a.PublishAsync("news", "after");
        Assert.Equal("after", (await feed.NextAsync()).Data);
    }

    [Fact]
    public async Task WhatIsAskedForAndNotJoinedHasALimit()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var node = await PushHost.StartAsync(setup => setup.Options = options => (options.Nats.Urls, options.ChannelsMax) = (nats.Url, 1));
        await node.WaitForBusAsync(isConnected: true);
        var broker = node.Get<IBroker>();
        await broker.PrepareAsync([ChannelName.Parse("a"), ChannelFilter.Parse("*")], StartPoint.Latest);
        await Assert.ThrowsAsync<BusUnavailableException>(() => broker.PrepareAsync([ChannelName.Parse("b")], StartPoint.Latest));
        await using var client = await node.ConnectAsync();
        await client.SendAsync(Heads.Events("/channels/b"));
        Assert.StartsWith("HTTP/1.1 503 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await using var known = await Feed.OpenAsync(node, FeedKind.Events, "a");
    }

    [Fact]
    public async Task WhatAnybodyPublishesEndsNoNodeAndNoClient()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var node = await BusNodes.StartAsync(nats);
        await using var feed = await node.UpgradeAsync("/channels/news");
        using var stranger = new TcpClient();
        await stranger.ConnectAsync("127.0.0.1", nats.Port, Patience.Token);
        var stream = stranger.GetStream();
        await stream.WriteAsync("CONNECT {\"verbose\":false,\"headers\":true}\r\n"u8.ToArray(), Patience.Token);
        await PublishAsync("NATS/1.0\r\nno field\r\n\r\n", "a"u8.ToArray());
        await PublishAsync("NATS/1.0\r\nRawPush-Origin: 1 2 0 4\r\n\r\n", [0xFF, 0xFE]);
        await PublishAsync("NATS/1.0\r\nRawPush-Event: said\r\n\r\n", "last"u8.ToArray());

        // The first is passed over, and that something was is told: a raw WebSocket cannot be, and has to come back.
        Assert.Equal(4001, (await feed.ReadFrameAsync()).Status);
        await using var back = await node.UpgradeAsync("/channels/news?after=earliest");
        var binary = await back.ReadFrameAsync();
        Assert.Equal((Opcode.Binary, "FFFE"), (binary.Opcode, Convert.ToHexString(binary.Payload)));
        Assert.Equal("last", (await back.ReadFrameAsync()).Text);

        async Task PublishAsync(string head, byte[] payload)
        {
            byte[] line = Encoding.ASCII.GetBytes($"HPUB rawpush.in.news {head.Length} {head.Length + payload.Length}\r\n{head}");
            await stream.WriteAsync((byte[])[.. line, .. payload, .. "\r\n"u8], Patience.Token);
        }
    }
}
