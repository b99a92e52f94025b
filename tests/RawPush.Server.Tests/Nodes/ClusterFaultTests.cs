using RawPush.Fanout.Publishing;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit.Nats;

namespace RawPush.Server.Tests.Nodes;

/// <summary>Nodes on different servers of a NATS cluster, when one of those or one of them fails.</summary>
[Collection(nameof(Clusters))]
public sealed class ClusterFaultTests
{
    private const string Subject = "rawpush.in.news";

    [Fact]
    public async Task ANodeWhoseServerIsKilledGoesToAnother_WithItsClients()
    {
        await using var cluster = await NatsCluster.StartAsync();
        var (first, second) = (cluster.Servers[0], cluster.Servers[1]);
        await using var a = await BusNodes.StartAsync(first);
        await using var b = await BusNodes.StartAsync(second);
        await using var name = await Feed.OpenAsync(b, FeedKind.Events, "news");
        await using var pattern = await Feed.OpenAsync(b, FeedKind.WebSocket, "%3E");
        await cluster.WaitForInterestAsync(second, Subject);
        await cluster.WaitForInterestAsync(second, "rawpush.in.>");
        await a.PublishAsync("news", "before");
        Assert.Equal("before", (await name.NextAsync()).Data);
        Assert.Equal("before", (await pattern.NextAsync()).Data);

        // The node was told of one server alone; the others it has heard of.
        await second.KillAsync();
        await b.WaitForReconnectAsync();
        var heard = await a.PublishUntilHeardAsync("news", name);
        Assert.Equal("(bus)", heard[0]);
        Assert.Equal("(bus)", $"({(await pattern.NextAsync()).Reason})");
        await a.PublishAsync("news", "after");
        Assert.Equal("after", (await name.NextAsync()).Data);
        string? data;
        do
        {
            data = (await pattern.NextAsync()).Data;
        }
        while (data != "after");

        Assert.Equal(0, a.Bus().Reconnects);
    }

    [Fact]
    public async Task WhatIsPublishedOnTheOtherSideOfACutIsAGap()
    {
        await using var cluster = await NatsCluster.StartAsync();
        var (first, second) = (cluster.Servers[0], cluster.Servers[1]);
        await using var a = await BusNodes.StartAsync(first);
        await using var b = await BusNodes.StartAsync(second);
        await using var onA = await Feed.OpenAsync(a, FeedKind.Events, "news");
        await using var onB = await Feed.OpenAsync(b, FeedKind.Events, "news");
        await cluster.WaitForInterestAsync(first, Subject);
        await cluster.WaitForInterestAsync(second, Subject);
        for (int round = 0; round < 2; round++)
        {
            string before = $"before {round}";
            await a.PublishAsync("news", before);
            await ReadToAsync(onA, before);
            await ReadToAsync(onB, before);

            await cluster.CutAsync(second);
            await a.PublishAsync("news", "only here");
            await a.PublishAsync("news", "only here, too");
            await ReadToAsync(onA, "only here");
            await ReadToAsync(onA, "only here, too");

            await cluster.HealAsync(second);
            await cluster.WaitForInterestAsync(first, Subject);
            await cluster.WaitForInterestAsync(second, Subject);
            string after = $"after {round}";
            await a.PublishAsync("news", after);
            await ReadToAsync(onA, after);
            Assert.True(await ReadToAsync(onB, after) > 0);
        }

        // Neither has noticed anything of its own connection.
        Assert.Equal((0, 0), (a.Bus().Reconnects, b.Bus().Reconnects));

        // Nothing but gaps comes before it: one for the numbers of the channel, and one for the other node's announcements, whichever is first.
        static async Task<int> ReadToAsync(Feed feed, string data)
        {
            int gaps = 0;
            for (var item = await feed.NextAsync(); item.Data != data; item = await feed.NextAsync())
            {
                Assert.Equal("bus", item.Reason);
                gaps++;
            }

            return gaps;
        }
    }

    [Fact]
    public async Task WhatASlowServerDoesNotConfirmIsNotTaken()
    {
        await using var cluster = await NatsCluster.StartAsync();
        var (first, second) = (cluster.Servers[0], cluster.Servers[1]);
        await using var a = await BusNodes.StartAsync(first);
        await using var b = await BusNodes.StartAsync(second);
        await using var feed = await Feed.OpenAsync(b, FeedKind.Events, "news");
        await cluster.WaitForInterestAsync(second, Subject);
        await a.PublishAsync("news", "before");
        Assert.Equal("before", (await feed.NextAsync()).Data);

        await first.PauseAsync();
        var taken = new List<string>();
        while (a.Bus().Reconnects == 0)
        {
            await PublishAsync($"{taken.Count}");
            await Task.Delay(20, Patience.Token);
        }

        await a.WaitForReconnectAsync();
        var heard = await a.PublishUntilHeardAsync("news", feed);
        Assert.Empty(taken);
        Assert.Contains("(bus)", heard);
        Assert.Equal(0, b.Bus().Reconnects);

        async Task PublishAsync(string text)
        {
            try
            {
                await a.PublishAsync("news", text);
                taken.Add(text);
            }
            catch (PublishRefusedException refused)
            {
                Assert.True(refused.Refusal is PublishRefusal.NoBus or PublishRefusal.NotConfirmed, $"{refused.Refusal}");
            }
        }
    }

    [Fact]
    public async Task ANodeThatIsKilledLeavesNothingBehind_AndTheOthersGoOn()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await BusNodes.StartAsync(nats);
        await using var b = await BusNodes.StartAsync(nats);
        await using var feed = await Feed.OpenAsync(b, FeedKind.Events, "news");
        await using var doomed = await ServerProcess.StartAsync("RawPush.Server.dll", "--nats", nats.Url);
        await using var client = await RawClient.ConnectAsync(doomed.Ports[0]);
        await client.SendAsync(Heads.Events("/channels/news,only.there"));
        await client.ReadHeadAsync();
        await nats.WaitAsync("/connz?subs=1", answer => answer.GetRawText().Contains("rawpush.in.only.there", StringComparison.Ordinal));
        await a.PublishAsync("news", "before");
        Assert.Contains("data: before", await client.ReadUntilAsync("data: before\n"), StringComparison.Ordinal);

        await doomed.EndAsync("KILL");
        await nats.WaitAsync("/connz?subs=1", answer =>
            answer.GetProperty("num_connections").GetInt32() == 2 && !answer.GetRawText().Contains("rawpush.in.only.there", StringComparison.Ordinal));
        await a.PublishAsync("news", "after");
        Assert.Equal(["before", "after"], await feed.NextAsync(2));
        Assert.Equal((0, 0), (a.Bus().Reconnects, b.Bus().Reconnects));
    }
}
