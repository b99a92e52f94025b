using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Brokers.Nats.JetStream;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit.Nats;

namespace RawPush.Server.Tests.Nodes;

/// <summary>Servers whose messages NATS keeps.</summary>
public sealed class KeptTests
{
    public static TheoryData<FeedKind> Kinds => Feed.Kinds;

    [Fact]
    public async Task EveryNodeDeliversTheSameMessagesWithTheSameIds()
    {
        await using var nats = await StartNatsAsync();
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats);
        Assert.Equal(a.Get<IBroker>().Epoch, b.Get<IBroker>().Epoch);
        await using var feedA = await Feed.OpenAsync(a, FeedKind.Events, "news");
        await using var feedB = await Feed.OpenAsync(b, FeedKind.Lines, "news,others.*");
        var published = new List<(string Id, string Data)>();
        for (int i = 0; i < 20; i++)
        {
            var receipt = await (i % 2 == 0 ? a : b).PublishAsync("news", $"{i}");
            published.Add((receipt.Id.ToString(), $"{i}"));
        }

        foreach (var feed in new[] { feedA, feedB })
        {
            Assert.Equal(published, await TakeAsync(feed, 20));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AClientMovesToAnotherNode_AndMissesAndRepeatsNothing(FeedKind kind)
    {
        await using var nats = await StartNatsAsync();
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats);
        string position;
        await using (var feed = await Feed.OpenAsync(a, kind, "news", $"after={(await a.PublishAsync("news", "first")).Id}"))
        {
            await a.PublishAsync("news", "0");
            Assert.Equal(["0"], await feed.NextAsync(1));
            position = feed.Position;
        }

        for (int i = 1; i < 10; i++)
        {
            await (i % 2 == 0 ? a : b).PublishAsync("news", $"{i}");
        }

        await using var moved = await Feed.OpenAsync(b, kind, "news", $"after={position}");
        Assert.Equal(Enumerable.Range(1, 9).Select(i => $"{i}"), await moved.NextAsync(9));
        await a.PublishAsync("news", "live");
        Assert.Equal(["live"], await moved.NextAsync(1));
    }

    [Theory]
    [InlineData("news.eu,news.us,news.uk")]
    [InlineData("news.*")]
    [InlineData("news.eu,*.us,news.uk")]
    public async Task SeveralChannelsAndPatternsAreResumedElsewhere_InTheOrderOfTheStream(string channels)
    {
        await using var nats = await StartNatsAsync();
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats);
        string[] names = ["news.eu", "news.us", "news.uk"];
        string start = (await a.PublishAsync("news.eu", "start")).Id.ToString();
        for (int i = 0; i < 30; i++)
        {
            await a.PublishAsync(names[i % 3], $"{i}");
        }

        await using var feed = await Feed.OpenAsync(b, FeedKind.WebSocket, channels, $"after={start}");
        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"{i}"), await feed.NextAsync(30));
        await a.PublishAsync("news.us", "live");
        Assert.Equal(["live"], await feed.NextAsync(1));
    }

    [Theory]
    [InlineData("after=earliest", "0,1,2,3,4")]
    [InlineData("last=2", "3,4")]
    [InlineData("last=100", "0,1,2,3,4")]
    public async Task ANodeThatHasJustStartedKnowsThePast(string start, string expected)
    {
        await using var nats = await StartNatsAsync();
        await using (var a = await StartNodeAsync(nats))
        {
            for (int i = 0; i < 5; i++)
            {
                await a.PublishAsync("news", $"{i}");
            }
        }

        await using var b = await StartNodeAsync(nats);
        await using var feed = await Feed.OpenAsync(b, FeedKind.Lines, "news", start);
        Assert.Equal(expected.Split(','), await feed.NextAsync(expected.Split(',').Length));
    }

    [Fact]
    public async Task WhatIsPublishedWithAKeyTwice_ThroughWhicheverNode_IsKeptOnce()
    {
        await using var nats = await StartNatsAsync();
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats);
        await using var feed = await Feed.OpenAsync(b, FeedKind.Lines, "news,others");
        var key = new MessageTraits { IdempotencyKey = "order 7" };
        var first = await a.PublishAsync("news", "once", key);
        var second = await b.PublishAsync("news", "once", key);
        Assert.Equal((first.Id, false, true), (second.Id, first.IsDuplicate, second.IsDuplicate));

        // The same key in another channel is another key.
        Assert.False((await b.PublishAsync("others", "another", key)).IsDuplicate);
        Assert.Equal(["once", "another"], await feed.NextAsync(2));
    }

    [Fact]
    public async Task WhatOthersPublishToTheSubjectIsDelivered_WithItsTraits()
    {
        await using var nats = await StartNatsAsync();
        await using var node = await StartNodeAsync(nats);
        await using var feed = await Feed.OpenAsync(node, FeedKind.Lines, "news");
        await using var stranger = new NatsConnection(new NatsOpts { Url = nats.Url });
        var ack = await new NatsJSContext(stranger).PublishAsync("rawpush.in.news", "hello"u8.ToArray(), headers: new NatsHeaders { ["RawPush-Event"] = "greeting" }, cancellationToken: Patience.Token);
        ack.EnsureSuccess();
        var item = await feed.NextAsync();
        Assert.Equal(("hello", $"{node.Get<IBroker>().Epoch:x}-{ack.Seq}"), (item.Data, item.Id));
    }

    [Fact]
    public async Task WhatRetentionHasEatenIsAGap()
    {
        await using var nats = await StartNatsAsync();
        await using var a = await StartNodeAsync(nats, settings => settings.MessagesPerChannel = 5);
        await using var b = await StartNodeAsync(nats);
        var ids = await a.PublishManyAsync("news", 20);
        await using var feed = await Feed.OpenAsync(b, FeedKind.Lines, "news", $"after={ids[2]}");
        var gap = await feed.NextAsync();
        Assert.Equal(("retention", ids[2]), (gap.Reason, gap.From));
        Assert.Equal(["15", "16", "17", "18", "19"], await feed.NextAsync(5));
    }

    [Fact]
    public async Task WhatIsPublishedWhileANodeIsCutOffIsFetched_BeforeWhatFollows()
    {
        await using var nats = await StartNatsAsync();
        await using var relay = new TcpRelay(nats.Port);
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats, url: $"nats://127.0.0.1:{relay.Port}");
        await using var one = await Feed.OpenAsync(b, FeedKind.Lines, "news");
        await using var several = await Feed.OpenAsync(b, FeedKind.Events, "news,others");
        await using var pattern = await Feed.OpenAsync(b, FeedKind.WebSocket, "*");
        await a.PublishAsync("news", "before");
        relay.Cut();
        await b.WaitForBusAsync(isConnected: false);
        for (int i = 0; i < 50; i++)
        {
            await a.PublishAsync("news", $"{i}");
        }

        relay.Heal();
        await b.WaitForBusAsync();
        await a.PublishAsync("news", "after");
        string[] expected = ["before", .. Enumerable.Range(0, 50).Select(i => $"{i}"), "after"];
        foreach (var feed in new[] { one, several, pattern })
        {
            Assert.Equal(expected, await feed.NextAsync(52));
        }

        // The last may have come by itself, or before it was looked how far the stream reaches.
        Assert.InRange(((JetStreamBroker)b.Get<IBroker>()).Filled, 50, 51);
    }

    [Fact]
    public async Task TheNodesGoOnWhenNatsHasBeenKilled_WithTheSameIds()
    {
        await using var nats = await StartNatsAsync();
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats);
        await using var feed = await Feed.OpenAsync(b, FeedKind.Lines, "news");
        await a.PublishAsync("news", "before");
        await nats.KillAsync();
        await a.WaitForBusAsync(isConnected: false);
        var refused = await Assert.ThrowsAsync<PublishRefusedException>(() => a.PublishAsync("news", "refused"));
        Assert.Equal(PublishRefusal.NoBus, refused.Refusal);
        await nats.RestartAsync();
        await a.WaitForBusAsync();
        await b.WaitForBusAsync();
        await a.PublishAsync("news", "after");
        Assert.Equal(["before", "after"], await feed.NextAsync(2));
    }

    [Fact]
    public async Task WithoutNats_WhoComesBackIsSentAway_AndWhoComesIsToldWhatHeMayHaveMissed()
    {
        await using var nats = await StartNatsAsync();
        string position;
        await using (var a = await StartNodeAsync(nats))
        {
            position = (await a.PublishAsync("news", "old")).Id.ToString();
        }

        await nats.KillAsync();
        await using var b = await Histories.StartAsync(configure: setup => setup.Options = options => Use(options, nats.Url, null));
        await using var refused = await b.ConnectAsync();
        await refused.SendAsync(Heads.Events($"/channels/news?after={position}"));
        Assert.StartsWith("HTTP/1.1 503 ", await refused.ReadHeadAsync(), StringComparison.Ordinal);

        await using var feed = await Feed.OpenAsync(b, FeedKind.Lines, "news");
        await nats.RestartAsync();
        await b.WaitForBusAsync();
        Assert.Equal("bus", (await feed.NextAsync()).Reason);
        await b.PublishAsync("news", "new");
        Assert.Equal(["new"], await feed.NextAsync(1));
    }

    [Fact]
    public async Task AStreamThatIsFullRefuses_IfItIsToldTo()
    {
        await using var nats = await StartNatsAsync();
        await using var node = await StartNodeAsync(nats, settings => (settings.MessagesMax, settings.WhenFull) = (20, WhenFull.Refuse));
        PublishRefusedException? refused = null;
        for (int i = 0; i < 21 && refused is null; i++)
        {
            try
            {
                await node.PublishAsync("news", $"{i}");
            }
            catch (PublishRefusedException exception)
            {
                refused = exception;
            }
        }

        Assert.Equal(PublishRefusal.Full, refused?.Refusal);
        Assert.Contains("RAWPUSH is full", refused!.Message, StringComparison.Ordinal);
        var answer = await node.Http.PostAsync("/channels/news", new StringContent("x"), Patience.Token);
        Assert.Equal(507, (int)answer.StatusCode);
    }

    [Fact]
    public async Task AMessageThatNatsDoesNotTakeIsRefused_AndTheConnectionIsUnharmed()
    {
        await using var nats = await NatsServer.StartAsync(new NatsServerOptions { JetStream = true, PayloadBytesMax = 10_000 });
        await using var node = await StartNodeAsync(nats);
        var refused = await Assert.ThrowsAsync<PublishRefusedException>(() => node.PublishAsync("news", new string('x', 9_000)));
        Assert.Equal(PublishRefusal.TooLarge, refused.Refusal);
        await node.PublishAsync("news", new string('x', 7_000));
        Assert.Equal(0, ((JetStreamBroker)node.Get<IBroker>()).Reconnects);
    }

    [Fact]
    public async Task AStreamThatDoesNotFitIsToldOf_AndTheNodeGoesOnWhenItIsGone()
    {
        await using var nats = await StartNatsAsync();
        await using var admin = new NatsConnection(new NatsOpts { Url = nats.Url });
        var context = new NatsJSContext(admin);
        await context.CreateStreamAsync(new StreamConfig("RAWPUSH", ["rawpush.in.>"]), Patience.Token);
        await using var node = await Histories.StartAsync(configure: setup => setup.Options = options => Use(options, nats.Url, null));
        var patience = Patience.Token;
        while (!node.Logs.Lines.Any(line => line.Message.Contains("does not republish rawpush.in.> to rawpush.out.>", StringComparison.Ordinal)))
        {
            await Task.Delay(10, patience);
        }

        Assert.False(node.Get<IBroker>().IsConnected);
        var (status, answer) = await node.AskReadinessAsync();
        Assert.Equal(503, status);
        Assert.Contains("connected to NATS, but its stream is not open: the stream RAWPUSH cannot be used", answer, StringComparison.Ordinal);
        await context.DeleteStreamAsync("RAWPUSH", Patience.Token);
        await node.WaitForBusAsync();
        await node.PublishAsync("news", "kept");
    }

    internal static Task<NatsServer> StartNatsAsync() => NatsServer.StartAsync(new NatsServerOptions { JetStream = true });

    internal static async Task<PushHost> StartNodeAsync(NatsServer nats, Action<JetStreamSettings>? configure = null, string? url = null)
    {
        var node = await PushHost.StartAsync(setup => setup.Options = options => Use(options, url ?? nats.Url, configure));
        await node.WaitForBusAsync();
        return node;
    }

    private static void Use(RawPushOptions options, string url, Action<JetStreamSettings>? configure)
    {
        options.Nats.Urls = url;
        options.Nats.JetStream.Use = true;
        configure?.Invoke(options.Nats.JetStream);
    }

    private static async Task<List<(string Id, string Data)>> TakeAsync(Feed feed, int count)
    {
        var items = new List<(string, string)>();
        for (int i = 0; i < count; i++)
        {
            var item = await feed.NextAsync();
            items.Add((item.Id, item.Data!));
        }

        return items;
    }
}
