using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Subscriptions;

public sealed class PatternTests
{
    private static readonly string[] Published = ["a", "b", "a.b", "a.c", "c.b", "a.b.c", "a.b.b", "b.a", "x.y.b"];

    [Theory]
    [InlineData("a.*", "a.b a.c")]
    [InlineData("a.%3E", "a.b a.c a.b.c a.b.b")]
    [InlineData("*.b", "a.b c.b")]
    [InlineData("*", "a b")]
    [InlineData("%3E", "a b a.b a.c c.b a.b.c a.b.b b.a x.y.b")]
    [InlineData("*.*.b", "a.b.b x.y.b")]
    [InlineData("a.*.b", "a.b.b")]
    [InlineData("*.%3E", "a.b a.c c.b a.b.c a.b.b b.a x.y.b")]
    [InlineData("a.*,*.b,a.b", "a.b a.c c.b")]
    [InlineData("%3E,a,a.%3E,*.*", "a b a.b a.c c.b a.b.c a.b.b b.a x.y.b")]
    [InlineData("b,c.*", "b c.b")]
    public async Task WhatMatchesComesOnceWhateverMatchesIt(string address, string expected)
    {
        await using var host = await Histories.StartAsync();
        await using var webSocket = await Feed.OpenAsync(host, FeedKind.WebSocket, address);
        await using var events = await Feed.OpenAsync(host, FeedKind.Events, address);
        foreach (string channel in Published)
        {
            await host.PublishAsync(channel, channel);
        }

        await using var late = await Feed.OpenAsync(host, FeedKind.ShortPolls, address, "after=earliest");
        await host.PublishAsync("a.b", "end");
        await host.PublishAsync("b", "end");
        foreach (var feed in (Feed[])[webSocket, events, late])
        {
            string[] channels = expected.Split(' ');
            Assert.Equal(channels, await feed.NextAsync(channels.Length));
        }
    }

    [Fact]
    public async Task AnEventStreamOfAPatternHasEnvelopesUnlessItAsksForNames()
    {
        await using var host = await PushHost.StartAsync();
        await using var envelopes = await host.OpenEventsAsync("/channels/a.*");
        await using var names = await host.OpenEventsAsync("/channels/a.*?format=raw");
        await using var oneInJson = await host.OpenEventsAsync("/channels/a.b?format=json");
        string id = (await host.PublishAsync("a.b", "x")).Id.ToString();
        string envelope = $"id: {id}\ndata: {{\"channel\":\"a.b\",\"id\":\"{id}\",\"data\":\"x\"}}\n\n";
        Assert.Equal(envelope, await envelopes.ReadUntilAsync("\n\n"));
        Assert.Equal($"id: {id}\nevent: a.b\ndata: x\n\n", await names.ReadUntilAsync("\n\n"));
        Assert.Equal(envelope, await oneInJson.ReadUntilAsync("\n\n"));
    }

    [Fact]
    public async Task AWebSocketOfAPatternIsJsonAndTheReceiptCountsIt()
    {
        await using var host = await PushHost.StartAsync();
        await using var pattern = await host.UpgradeAsync("/channels/a.*");
        await using var name = await host.UpgradeAsync("/channels/a.b");
        Assert.Equal(2, (await host.PublishAsync("a.b", "x")).Subscribers);
        Assert.Equal(1, (await host.PublishAsync("a.c", "y")).Subscribers);
        Assert.Equal("a.b", JsonDocument.Parse((await pattern.ReadFrameAsync()).Text).RootElement.GetProperty("channel").GetString());
        Assert.Equal("a.c", JsonDocument.Parse((await pattern.ReadFrameAsync()).Text).RootElement.GetProperty("channel").GetString());
        Assert.Equal("x", (await name.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task NothingIsLeftOfAPatternSomeTimeAfterItsLastSubscriberHasLeft()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a.*,b.%3E");
        var hub = host.Get<ChannelHub>();
        Assert.Equal(2, hub.PatternCount);
        await client.SendAsync(ClientFrames.Close(1000));
        await client.ReadToEndAsync();
        await host.Metrics.WaitForActiveAsync(0);
        for (int sweep = 0; sweep <= 10; sweep++)
        {
            hub.Sweep();
        }

        Assert.Equal((0, 0), (hub.PatternCount, hub.ChannelCount));
    }

    [Fact]
    public async Task AsManyPatternsAsChannelsAreAllowed()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.ChannelsMax = 2);
        await using var first = await host.UpgradeAsync("/channels/a.*,b.*");
        await using var second = await host.ConnectAsync();
        await second.SendAsync(Heads.Upgrade("/channels/c.*"));
        var (head, _) = await second.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 503 ", head, StringComparison.Ordinal);
        await using var third = await host.UpgradeAsync("/channels/a.*");
        await using var fourth = await host.UpgradeAsync("/channels/c");
    }
}
