using RawPush.Fanout.Channels;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Subscriptions;

/// <summary>Clients that come back with the id of the last message they have.</summary>
public sealed class ResumeTests
{
    public static TheoryData<FeedKind> Kinds => Feed.Kinds;

    public static TheoryData<FeedKind> Streams => Feed.Streams;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task WhatCameAfterThePositionIsSentAndThenWhatComes(FeedKind kind)
    {
        await using var host = await Histories.StartAsync();
        string[] ids = await host.PublishManyAsync("a", 10);
        await using var feed = await Feed.OpenAsync(host, kind, "a", $"after={ids[3]}");
        for (int i = 4; i < 10; i++)
        {
            var item = await feed.NextAsync();
            Assert.Equal((ids[i], $"{i}"), (item.Id, item.Data));
        }

        await host.PublishAsync("a", "live");
        Assert.Equal(["live"], await feed.NextAsync(1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TheOldestThatIsKeptIsTheEarliest(FeedKind kind)
    {
        await using var host = await Histories.StartAsync(entries: 5);
        await host.PublishManyAsync("a", 12);
        await using var feed = await Feed.OpenAsync(host, kind, "a", "after=earliest");
        Assert.Equal(["7", "8", "9", "10", "11"], await feed.NextAsync(5));
        await host.PublishAsync("a", "live");
        Assert.Equal(["live"], await feed.NextAsync(1));
    }

    [Theory]
    [InlineData(FeedKind.Events, 3, 3)]
    [InlineData(FeedKind.Lines, 1, 1)]
    [InlineData(FeedKind.WebSocket, 4, 4)]
    [InlineData(FeedKind.WebSocket, 1000, 10)]
    [InlineData(FeedKind.LongPolls, 2, 2)]
    [InlineData(FeedKind.ShortPolls, 10, 10)]
    public async Task TheLastOnesAreSentFirst(FeedKind kind, int last, int expected)
    {
        await using var host = await Histories.StartAsync();
        await host.PublishManyAsync("a", 10);
        await using var feed = await Feed.OpenAsync(host, kind, "a", $"last={last}");
        Assert.Equal(Enumerable.Range(10 - expected, expected).Select(i => $"{i}"), await feed.NextAsync(expected));
        await host.PublishAsync("a", "live");
        Assert.Equal(["live"], await feed.NextAsync(1));
    }

    [Fact]
    public async Task TheLastOnesOfSeveralChannelsAreTheNewestOfThemAll()
    {
        await using var host = await Histories.StartAsync();
        await host.PublishManyAsync("a", 5);
        await host.PublishAsync("b", "b");
        await host.PublishAsync("other", "other");
        await host.PublishAsync("a", "a");
        await using var feed = await Feed.OpenAsync(host, FeedKind.Lines, "a,b", "last=3");
        Assert.Equal(["4", "b", "a"], await feed.NextAsync(3));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task NothingFromBeforeComesWhereTheLatestIsAskedForOrNothing(FeedKind kind)
    {
        await using var host = await Histories.StartAsync();
        await host.PublishManyAsync("a", 10);
        await using var asked = await Feed.OpenAsync(host, kind, "a", "after=latest");
        await using var silent = await Feed.OpenAsync(host, kind, "a");
        await host.PublishAsync("a", "live");
        Assert.Equal(["live"], await asked.NextAsync(1));
        Assert.Equal(["live"], await silent.NextAsync(1));
    }

    [Fact]
    public async Task ARawWebSocketResumesAsWell()
    {
        await using var host = await Histories.StartAsync();
        string[] ids = await host.PublishManyAsync("a", 10);
        await using var client = await host.UpgradeAsync($"/channels/a?after={ids[7]}");
        Assert.Equal("8", (await client.ReadFrameAsync()).Text);
        Assert.Equal("9", (await client.ReadFrameAsync()).Text);
        await host.PublishAsync("a", "live");
        Assert.Equal("live", (await client.ReadFrameAsync()).Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?after=earliest")]
    [InlineData("?after=latest")]
    [InlineData("?after={0}")]
    [InlineData("?last=9")]
    public async Task TheLastEventIdCountsOverTheAddress(string query)
    {
        await using var host = await Histories.StartAsync();
        string[] ids = await host.PublishManyAsync("a", 10);
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Events("/channels/a" + query.Replace("{0}", ids[2], StringComparison.Ordinal), $"Last-Event-ID: {ids[7]}\r\n"));
        Assert.Equal(ids[7], RawClient.FieldOf(await client.ReadHeadAsync(), "RawPush-Position"));
        Assert.Equal(":\n\n", await client.ReadUntilAsync("\n\n"));
        Assert.Equal($"id: {ids[8]}\ndata: 8\n\n", await client.ReadUntilAsync("\n\n"));
        Assert.Equal($"id: {ids[9]}\ndata: 9\n\n", await client.ReadUntilAsync("\n\n"));
    }

    [Theory]
    [InlineData("/channels/a")]
    [InlineData("/channels/a?after=latest")]
    [InlineData("/channels/a,b")]
    [InlineData("/channels/a.*")]
    public async Task AnEventStreamThatStartsAtTheLatestSaysFirstWhereThatIs(string target)
    {
        await using var host = await Histories.StartAsync();
        string newest = (await host.PublishManyAsync("a", 3))[^1];
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Events(target));
        Assert.Equal(newest, RawClient.FieldOf(await client.ReadHeadAsync(), "RawPush-Position"));
        Assert.Equal($"id: {newest}\n\n", await client.ReadUntilAsync("\n\n"));
    }

    [Theory]
    [InlineData("/channels/a?after=earliest")]
    [InlineData("/channels/a?last=3")]
    [InlineData("/channels/a?after={0}")]
    public async Task OneThatStartsElsewhereBeginsWithAHeartbeatAndItsFirstMessage(string target)
    {
        await using var host = await Histories.StartAsync();
        string first = (await host.PublishAsync("other", "x")).Id.ToString();
        string[] ids = await host.PublishManyAsync("a", 3);
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Events(target.Replace("{0}", first, StringComparison.Ordinal)));
        await client.ReadHeadAsync();
        Assert.Equal(":\n\n", await client.ReadUntilAsync("\n\n"));
        Assert.Equal($"id: {ids[0]}\ndata: 0\n\n", await client.ReadUntilAsync("\n\n"));
    }

    [Theory]
    [InlineData("/channels/a")]
    [InlineData("/channels/a?after=earliest")]
    public async Task JsonLinesBeginWithAHeartbeat(string target)
    {
        await using var host = await Histories.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Lines(target));
        await client.ReadHeadAsync();
        Assert.Equal("\n", await client.ReadUntilAsync("\n"));
        string id = (await host.PublishAsync("a", "x")).Id.ToString();
        Assert.Equal($"{{\"channel\":\"a\",\"id\":\"{id}\",\"data\":\"x\"}}\n", await client.ReadUntilAsync("\n"));
    }

    [Fact]
    public async Task EveryUpgradeAndStreamSaysWhereItStartsAndAnEchoDoesNot()
    {
        await using var host = await Histories.StartAsync();
        string[] ids = await host.PublishManyAsync("a", 3);
        foreach (string head in (string[])[Heads.Events("/channels/a"), Heads.Lines("/channels/a"), Heads.Upgrade("/channels/a"), Heads.Upgrade("/channels/a,b")])
        {
            await using var client = await host.ConnectAsync();
            await client.SendAsync(head);
            Assert.Equal(ids[2], RawClient.FieldOf(await client.ReadHeadAsync(), "RawPush-Position"));
        }

        await using var resumed = await Feed.OpenAsync(host, FeedKind.WebSocket, "a", $"after={ids[0]}");
        Assert.Equal(ids[0], resumed.Position);
        await using var echo = await host.ConnectAsync();
        await echo.SendAsync(Heads.Upgrade("/echo"));
        Assert.Null(RawClient.FieldOf(await echo.ReadHeadAsync(), "RawPush-Position"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task OneIdResumesAnySetOfChannelsAndPatterns(FeedKind kind)
    {
        await using var host = await Histories.StartAsync();
        string id = (await host.PublishAsync("orders.eu", "seen")).Id.ToString();
        foreach (string channel in (string[])["news", "orders.eu", "orders.us", "other", "alerts.high", "alerts.high.fire", "orders.eu.new"])
        {
            await host.PublishAsync(channel, channel);
        }

        await using var feed = await Feed.OpenAsync(host, kind, "news,orders.*,alerts.%3E", $"after={id}");
        Assert.Equal(["news", "orders.eu", "orders.us", "alerts.high", "alerts.high.fire"], await feed.NextAsync(5));
        await host.PublishAsync("orders.asia", "live");
        Assert.Equal(["live"], await feed.NextAsync(1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task APositionThatIsNotThereYetHidesNothing(FeedKind kind)
    {
        await using var host = await Histories.StartAsync();
        Assert.True(MessageId.TryParse((await host.PublishManyAsync("a", 3))[^1], out var newest));
        await using var feed = await Feed.OpenAsync(host, kind, "a", $"after={newest with { Sequence = newest.Sequence + 1000 }}");
        if (kind == FeedKind.LongPolls)
        {
            var next = feed.NextAsync();
            await host.Metrics.WaitForActiveAsync(1);
            await host.SettleAsync();
            await host.PublishAsync("a", "live");
            Assert.Equal("live", (await next).Data);
            return;
        }

        if (kind == FeedKind.ShortPolls)
        {
            // One that is answered takes the position that it is given.
            await feed.Client.SendAsync(Heads.Get($"/channels/a?after={newest with { Sequence = newest.Sequence + 1000 }}"));
            Assert.Equal(newest.ToString(), RawClient.FieldOf((await feed.Client.ReadResponseAsync()).Head, "RawPush-Next"));
            return;
        }

        await host.PublishAsync("a", "live");
        Assert.Equal(["live"], await feed.NextAsync(1));
    }

    [Fact]
    public async Task AStreamOnAKeptAliveConnectionResumesToo()
    {
        await using var host = await Histories.StartAsync();
        string[] ids = await host.PublishManyAsync("a", 3);
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Get("/hello"));
        await client.ReadResponseAsync();
        await client.SendAsync(Heads.Upgrade($"/channels/a?format=json&after={ids[1]}"));
        Assert.Equal(ids[1], RawClient.FieldOf(await client.ReadHeadAsync(), "RawPush-Position"));
        Assert.Contains("\"data\":\"2\"", (await client.ReadFrameAsync()).Text, StringComparison.Ordinal);
    }
}
