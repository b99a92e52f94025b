using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Subscriptions;

/// <summary>Nothing is left out in silence: who comes back too late, or from another run of the server, is told what is gone.</summary>
public sealed class GapTests
{
    public static TheoryData<FeedKind> Kinds => Feed.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task WhatIsNoLongerKeptIsAGapBeforeWhatIs(FeedKind kind)
    {
        await using var host = await Histories.StartAsync(entries: 3);
        string[] ids = await host.PublishManyAsync("a", 10);
        await using var feed = await Feed.OpenAsync(host, kind, "a", $"after={ids[2]}");
        var gap = await feed.NextAsync();
        Assert.Equal(("a", ids[2], ids[6], "retention"), (gap.Channel, gap.From, gap.Id, gap.Reason));
        Assert.Equal(["7", "8", "9"], await feed.NextAsync(3));
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(7, false)]
    public async Task WhoIsJustInTimeMissesNothing(int kept, bool isGap)
    {
        await using var host = await Histories.StartAsync(entries: kept);
        string[] ids = await host.PublishManyAsync("a", 10);
        await using var feed = await Feed.OpenAsync(host, FeedKind.WebSocket, "a", $"after={ids[2]}");
        Assert.Equal(isGap, (await feed.NextAsync()).Gap is not null);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AChannelThatKeepsNothingSaysWhetherSomethingWasMissed(FeedKind kind)
    {
        await using var host = await PushHost.StartAsync();
        string first = (await host.PublishAsync("a", "1")).Id.ToString();
        string second = (await host.PublishAsync("a", "2")).Id.ToString();
        await using var late = await Feed.OpenAsync(host, kind, "a", $"after={first}");
        var gap = await late.NextAsync();
        Assert.Equal(("a", first, second, "retention"), (gap.Channel, gap.From, gap.Id, gap.Reason));

        await using var inTime = await Feed.OpenAsync(host, FeedKind.WebSocket, "a", $"after={second}");
        await host.PublishAsync("a", "3");
        Assert.Equal(["3"], await inTime.NextAsync(1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AnIdOfAnotherRunIsAGapAndThenComesWhatIsKept(FeedKind kind)
    {
        await using var host = await Histories.StartAsync();
        string[] ids = await host.PublishManyAsync("a", 3);
        Assert.True(MessageId.TryParse(ids[0], out var id));
        var foreign = new MessageId(id.Epoch - 1, 1000);
        await using var feed = await Feed.OpenAsync(host, kind, "a", $"after={foreign}");
        var gap = await feed.NextAsync();
        Assert.Equal(("a", foreign.ToString(), new MessageId(id.Epoch, 0).ToString(), "epoch"), (gap.Channel, gap.From, gap.Id, gap.Reason));
        Assert.Equal(["0", "1", "2"], await feed.NextAsync(3));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TheGapOfAnotherRunIsOneForSeveralChannels(FeedKind kind)
    {
        await using var host = await Histories.StartAsync();
        await host.PublishAsync("a", "a");
        await host.PublishAsync("b", "b");
        await using var feed = await Feed.OpenAsync(host, kind, "a,b", "after=1-7");
        var gap = await feed.NextAsync();
        Assert.Equal((null, "1-7", "epoch"), (gap.Channel, gap.From, gap.Reason));
        Assert.Equal(["a", "b"], await feed.NextAsync(2));
    }

    [Fact]
    public async Task AGapOfAPatternSaysThePattern()
    {
        await using var host = await Histories.StartAsync(entries: 2);
        string[] ids = await host.PublishManyAsync("a.b", 5);
        await using var feed = await Feed.OpenAsync(host, FeedKind.Lines, "a.*", $"after={ids[0]}");
        var gap = await feed.NextAsync();
        Assert.Equal(("a.*", ids[0], ids[2], "retention"), (gap.Channel, gap.From, gap.Id, gap.Reason));
        Assert.Equal(["3", "4"], await feed.NextAsync(2));
    }

    [Theory]
    [InlineData("retention")]
    [InlineData("epoch")]
    public async Task ARawWebSocketIsClosedAndToldWhy(string reason)
    {
        await using var host = await Histories.StartAsync(entries: 3);
        string[] ids = await host.PublishManyAsync("a", 10);
        string after = reason == "epoch" ? "1-1" : ids[2];
        await using var client = await host.UpgradeAsync($"/channels/a?after={after}");
        var close = await client.ReadFrameAsync();
        Assert.Equal((4001, $"you missed messages after {after} ({reason})"), (close.Status, close.Reason));
        await client.SendAsync(ClientFrames.Close(4001));
        Assert.Empty(await client.ReadToEndAsync());
        await host.Metrics.WaitForEndedAsync("Missed");
        Assert.Equal(0, (await host.PublishAsync("a", "x")).Subscribers);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task TheNoticesAreOnTheWireAsDescribed()
    {
        await using var host = await Histories.StartAsync(entries: 1);
        string[] ids = await host.PublishManyAsync("a", 3);
        string gap = $"{{\"channel\":\"a\",\"from\":\"{ids[0]}\",\"to\":\"{ids[1]}\",\"reason\":\"retention\"}}";
        string message = $"{{\"channel\":\"a\",\"id\":\"{ids[2]}\",\"data\":\"2\"}}";
        await using var events = await Feed.OpenAsync(host, FeedKind.Events, "a", $"after={ids[0]}");
        Assert.Equal(":\n\n", await events.Client.ReadUntilAsync("\n\n"));
        Assert.Equal($"id: {ids[1]}\nevent: rawpush.gap\ndata: {gap}\n\n", await events.Client.ReadUntilAsync("\n\n"));
        await using var lines = await Feed.OpenAsync(host, FeedKind.Lines, "a", $"after={ids[0]}");
        string envelope = $"{{\"gap\":{gap},\"id\":\"{ids[1]}\"}}";
        Assert.Equal("\n", await lines.Client.ReadUntilAsync("\n"));
        Assert.Equal(envelope + "\n", await lines.Client.ReadUntilAsync("\n"));
        await using var webSocket = await Feed.OpenAsync(host, FeedKind.WebSocket, "a", $"after={ids[0]}");
        Assert.Equal(envelope, (await webSocket.Client.ReadFrameAsync()).Text);
        await using var poll = await host.ConnectAsync();
        await poll.SendAsync(Heads.Get($"/channels/a?after={ids[0]}"));
        var body = JsonDocument.Parse((await poll.ReadResponseAsync()).Body).RootElement;
        Assert.Equal($"[{gap}]", body.GetProperty("gaps").GetRawText());
        Assert.Equal($"[{message}]", body.GetProperty("messages").GetRawText().Replace("\n", string.Empty, StringComparison.Ordinal));
        Assert.Equal(ids[2], body.GetProperty("next").GetString());
        Assert.Equal(4, host.Metrics.Gaps("Retention"));
    }

    [Fact]
    public async Task TheEndOfAGapIsAPositionToResumeFrom()
    {
        await using var host = await Histories.StartAsync(entries: 3);
        string[] ids = await host.PublishManyAsync("a", 10);
        await using var feed = await Feed.OpenAsync(host, FeedKind.Lines, "a", $"after={ids[2]}");
        await feed.NextAsync();
        await using var resumed = await Feed.OpenAsync(host, FeedKind.Lines, "a", $"after={feed.Position}");
        Assert.Equal(["7", "8", "9"], await resumed.NextAsync(3));
    }

    [Theory]
    [InlineData("after=earliest")]
    [InlineData("last=5")]
    public async Task WhoHasNoPositionMissesNothing(string start)
    {
        await using var host = await Histories.StartAsync(entries: 3);
        await host.PublishManyAsync("a", 10);
        await using var feed = await Feed.OpenAsync(host, FeedKind.Lines, "a", start);
        Assert.Equal(["7", "8", "9"], await feed.NextAsync(3));
    }
}
