using System.Globalization;
using System.Text;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Subscriptions;

/// <summary>One position is good on every transport.</summary>
public sealed class AllTransportsTests
{
    private const int Rounds = 150;
    private const int AheadMax = 500;
    private static readonly string[] Channels = ["walk.a", "walk.b", "walk.c"];

    [Fact]
    public async Task AClientThatChangesItsTransportAllTheTimeGetsEverythingOnceAndInOrder()
    {
        await using var host = await Histories.StartAsync(entries: 5000);
        using var credit = new SemaphoreSlim(AheadMax);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        int[] published = new int[Channels.Length];
        var publishers = Enumerable.Range(0, Channels.Length).Select(i => PublishAsync(host, i, published, credit, stop.Token)).ToArray();

        var random = new Random(7);
        int[] got = new int[Channels.Length];
        string position = "earliest";
        for (int round = 0; round < Rounds; round++)
        {
            // Each transport in turn, by names and by a pattern; and sometimes nothing is read before it leaves again.
            var kind = (FeedKind)(round % 5);
            await using var feed = await Feed.OpenAsync(host, kind, random.Next(2) == 0 ? "walk.*" : string.Join(',', Channels), $"after={position}");
            int wanted = random.Next(120);
            for (int i = 0; i < wanted; i++)
            {
                Take(await feed.NextAsync(), kind, got);
                credit.Release();
            }

            position = wanted == 0 ? position : feed.Position;
            if (random.Next(3) == 0)
            {
                feed.Client.Reset();
            }
        }

        await stop.CancelAsync();
        credit.Release(100_000);
        await Task.WhenAll(publishers);
        await using var last = await Feed.OpenAsync(host, FeedKind.Lines, "walk.%3E", $"after={position}");
        while (got.Sum() < published.Sum())
        {
            Take(await last.NextAsync(), FeedKind.Lines, got);
        }

        Assert.Equal(published, got);
        Assert.InRange(got.Sum(), 1000, int.MaxValue);
        await host.SettleAsync();
        Assert.Empty(host.Logs.AboveDebug);
    }

    private static void Take(FeedItem item, FeedKind kind, int[] got)
    {
        Assert.True(item.Data is not null, $"A gap on {kind}: {item.Gap}");
        int channel = Array.IndexOf(Channels, item.Channel);
        Assert.True(item.Data == $"{got[channel]}", $"{item.Channel}: {item.Data} instead of {got[channel]}, on {kind}");
        got[channel]++;
    }

    /// <summary>Publishes 0, 1, 2 … as fast as the client has credit: singly, over HTTP, or a batch at a time.</summary>
    private static async Task PublishAsync(PushHost host, int channel, int[] published, SemaphoreSlim credit, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (published[channel] % 7 != channel)
            {
                await credit.WaitAsync(Patience.Token);
                await host.PublishAsync(Channels[channel], $"{published[channel]++}");
                continue;
            }

            var lines = new StringBuilder();
            for (int i = 0; i < 10; i++)
            {
                await credit.WaitAsync(Patience.Token);
                lines.Append(CultureInfo.InvariantCulture, $"{{\"channel\":\"{Channels[channel]}\",\"data\":\"{published[channel]++}\"}}\n");
            }

            using var content = new StringContent(lines.ToString(), Encoding.UTF8, "application/x-ndjson");
            using var response = await host.Http.PostAsync("/channels", content, Patience.Token);
            response.EnsureSuccessStatusCode();
        }
    }
}
