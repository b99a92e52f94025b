using System.Net;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit.Nats;

namespace RawPush.Server.Tests.Nodes;

/// <summary>What nodes do, and say, when NATS is away, slow or has no room.</summary>
public sealed class BusFaultTests
{
    [Fact]
    public async Task WithoutNatsAServerStarts_IsNotReady_AndLetsClientsIn()
    {
        await using var nats = await NatsServer.StartAsync();
        await nats.StopAsync();
        await using var node = await BusNodes.LaunchAsync(nats);
        var (status, answer) = await node.AskReadinessAsync();
        Assert.Equal(503, status);
        Assert.Contains($"not connected to NATS ({nats.Url}) since 2", answer, StringComparison.Ordinal);
        Assert.Equal((503, "the server is cut off from the others at the moment\n"), await node.PostAsync("news", [1]));
        await using var early = await Feed.OpenAsync(node, FeedKind.Events, "news");
        await using var pattern = await Feed.OpenAsync(node, FeedKind.Lines, "*");

        await nats.RestartAsync();
        await node.WaitForBusAsync();
        Assert.Equal((200, "{\"status\":\"ready\"}"), await node.AskReadinessAsync());
        await using var other = await BusNodes.StartAsync(nats);
        foreach (var feed in new[] { early, pattern })
        {
            // Who was let in early may have missed something, and is told so before anything that comes.
            var heard = await other.PublishUntilHeardAsync("news", feed);
            Assert.Equal("(bus)", heard[0]);
        }
    }

    [Fact]
    public async Task WithoutNatsAServerRefusesSubscriptions_WhereThatIsAskedFor()
    {
        await using var nats = await NatsServer.StartAsync();
        await nats.StopAsync();
        await using var node = await BusNodes.LaunchAsync(nats, settings => settings.WithoutBus = WithoutBus.Fail);
        using (var refused = await node.Http.GetAsync(new Uri("/channels/news?wait=20", UriKind.Relative), Patience.Token))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        }

        await nats.RestartAsync();
        await node.WaitForBusAsync();
        await using var other = await BusNodes.StartAsync(nats);
        await using var feed = await Feed.OpenAsync(node, FeedKind.Events, "news");
        await other.PublishAsync("news", "hello");
        Assert.Equal("hello", (await feed.NextAsync()).Data);
    }

    [Fact]
    public async Task APublishWaitsForTheConnection_WhereThatIsAskedFor()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var other = await BusNodes.StartAsync(nats);
        await using var feed = await Feed.OpenAsync(other, FeedKind.Events, "news");
        await nats.KillAsync();
        await using var node = await BusNodes.LaunchAsync(nats, settings => settings.PublishWait = TimeSpan.FromMinutes(1));
        var waiting = node.PublishAsync("news", "patient");
        await using var hasty = await BusNodes.LaunchAsync(nats, settings => settings.PublishWait = TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAsync<PublishRefusedException>(() => hasty.PublishAsync("news", "hasty"));
        Assert.False(waiting.IsCompleted);

        await nats.RestartAsync();
        await waiting.WaitAsync(Patience.Token);
        await other.WaitForReconnectAsync();
        Assert.Equal("bus", (await feed.NextAsync()).Reason);
        Assert.Contains("the end", await node.PublishUntilHeardAsync("news", feed));
    }

    [Fact]
    public async Task WhatIsLongerThanNatsTakesIsRefused_AndHarmsNobody()
    {
        const int NatsBytesMax = 8192;
        const int FieldsBytes = 2048;
        await using var nats = await NatsServer.StartAsync(new NatsServerOptions { PayloadBytesMax = NatsBytesMax });
        await using var a = await BusNodes.StartAsync(nats);
        await using var b = await BusNodes.StartAsync(nats);
        await using var feed = await Feed.OpenAsync(b, FeedKind.Events, "news");
        byte[] longest = new byte[NatsBytesMax - FieldsBytes];
        Array.Fill(longest, (byte)'x');
        Assert.Equal(
            (413, $"a message is at most {longest.Length} bytes long, by the limit of NATS (max_payload)\n"), await a.PostAsync("news", [.. longest, (byte)'x']));
        Assert.Equal(200, (await a.PostAsync("news", longest)).Status);
        Assert.Equal(longest.Length, (await feed.NextAsync()).Data!.Length);

        // With fields as long as they may be.
        string field = new('f', 255);
        await a.Publisher.PublishAsync(
            ChannelName.Parse("news"), new PushMessage(Protocol.MessageKind.Text, longest, new MessageTraits { EventName = field, Key = field, IdempotencyKey = field, Expires = TimeSpan.FromDays(1) }), Patience.Token);
        Assert.Equal(longest.Length, (await feed.NextAsync()).Data!.Length);
        Assert.Equal((0, 0), (a.Bus().Reconnects, b.Bus().Reconnects));
    }

    [Fact]
    public async Task WhenNatsHasStoppedReadingEveryPublishIsAnswered_WithARefusalOnceThatIsKnown()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await BusNodes.StartAsync(nats);
        await using var b = await BusNodes.StartAsync(nats);
        await using var feed = await Feed.OpenAsync(b, FeedKind.Events, "news");
        await nats.PauseAsync();

        // More than sockets and buffers take, all at once: some have to wait for the connection.
        string large = new('x', 500_000);
        var publishes = Enumerable.Range(0, 60).Select(_ => TryPublishAsync(a, large)).ToArray();
        a.Bus().AddInterest(ChannelName.Parse("asked"));
        var opening = Feed.OpenAsync(b, FeedKind.Events, "other");
        bool[] taken = await Task.WhenAll(publishes).WaitAsync(Patience.Token);
        Assert.Contains(false, taken);
        await a.WaitForBusAsync(isConnected: false);
        Assert.False(await TryPublishAsync(a, "too late"));
        Assert.Equal(503, (await a.AskReadinessAsync()).Status);

        await nats.ContinueAsync();
        await a.WaitForReconnectAsync();
        await b.WaitForReconnectAsync();
        Assert.Equal(200, (await a.AskReadinessAsync()).Status);
        await using var asked = await Feed.OpenAsync(a, FeedKind.Events, "asked");
        Assert.Contains("the end", await b.PublishUntilHeardAsync("asked", asked));
        await using var other = await opening;
        var heard = await a.PublishUntilHeardAsync("other", other);
        Assert.Equal("(bus)", heard[0]);
        await a.PublishAsync("news", "back");
        var items = new List<FeedItem>();
        do
        {
            items.Add(await feed.NextAsync());
        }
        while (items[^1].Data != "back");

        // What was taken and has not come is a gap, and so is what has come and gone by.
        Assert.Contains(items, item => item.Reason == "bus");
        Assert.DoesNotContain(a.Logs.AboveDebug, line => line.EventId.Name == "BusFault");
    }

    private static async Task<bool> TryPublishAsync(PushHost node, string text)
    {
        try
        {
            await node.PublishAsync("news", text);
            return true;
        }
        catch (PublishRefusedException refused)
        {
            Assert.True(refused.Refusal is PublishRefusal.NoBus or PublishRefusal.NotConfirmed, $"{refused.Refusal}");
            return false;
        }
    }
}
