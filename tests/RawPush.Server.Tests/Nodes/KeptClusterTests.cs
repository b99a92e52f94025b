using NATS.Client.Core;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit.Nats;

namespace RawPush.Server.Tests.Nodes;

/// <summary>Servers on a cluster of three NATS servers, each of which has every message; things break while messages are published.</summary>
[Collection(nameof(Clusters))]
public sealed class KeptClusterTests
{
    private const string Stream = "RAWPUSH";
    private static readonly string[] Channels = ["news.eu", "news.us", "news.uk"];

    [Fact]
    public async Task TheServerThatLeadsTheStreamIsKilled_AndNothingIsLost() => await BreakAsync(async cluster =>
    {
        var leader = await cluster.GetStreamLeaderAsync(Stream);
        await leader.KillAsync();
        return async () =>
        {
            await leader.RestartAsync();
            await cluster.WaitUntilWholeAsync();
        };
    });

    [Fact]
    public async Task TheServerThatANodeIsConnectedToIsKilled_AndNothingIsLost() => await BreakAsync(async cluster =>
    {
        await cluster.Servers[0].KillAsync();
        return async () =>
        {
            await cluster.Servers[0].RestartAsync();
            await cluster.WaitUntilWholeAsync();
        };
    });

    [Fact]
    public async Task AnotherServerIsMadeToLeadTheStream_AndNothingIsLost() => await BreakAsync(async cluster =>
    {
        await using var admin = new NatsConnection(new NatsOpts { Url = cluster.Urls[0] });
        for (int i = 0; i < 3; i++)
        {
            await admin.RequestAsync<string, string>($"$JS.API.STREAM.LEADER.STEPDOWN.{Stream}", string.Empty, cancellationToken: Patience.Token);
            await cluster.GetStreamLeaderAsync(Stream);
        }

        return () => Task.CompletedTask;
    });

    [Fact]
    public async Task AServerIsCutOffFromTheOthers_AndNothingIsLost() => await BreakAsync(async cluster =>
    {
        await cluster.CutAsync(cluster.Servers[0]);
        return () => cluster.HealAsync(cluster.Servers[0]);
    });

    // Clients on two nodes, of which one is connected to the server that tests break, and publishers that go on until everything is stored.
    private static async Task BreakAsync(Func<NatsCluster, Task<Func<Task>>> breakAsync)
    {
        await using var cluster = await NatsCluster.StartAsync(options: new NatsServerOptions { JetStream = true });
        await using var a = await StartNodeAsync(cluster, 0);
        await using var b = await StartNodeAsync(cluster, 1);
        await using var one = await Feed.OpenAsync(a, FeedKind.Lines, Channels[0]);
        await using var several = await Feed.OpenAsync(a, FeedKind.Events, string.Join(',', Channels));
        await using var pattern = await Feed.OpenAsync(b, FeedKind.Lines, "news.*");
        var publishers = Channels.Select((channel, i) => new Publisher(channel, i == 0 ? [b, a] : [a, b])).ToArray();
        var heal = await breakAsync(cluster);
        await PublishOnAsync(publishers);
        await heal();
        await PublishOnAsync(publishers);
        await Task.WhenAll(publishers.Select(publisher => publisher.EndAsync()));
        await CheckAsync(one, publishers[..1]);
        await CheckAsync(several, publishers);
        await CheckAsync(pattern, publishers);
    }

    private static Task PublishOnAsync(Publisher[] publishers) => Task.WhenAll(publishers.Select(publisher => publisher.PublishAsync(100)));

    // Everything, once, in the order of each channel, and no gap.
    private static async Task CheckAsync(Feed feed, Publisher[] publishers)
    {
        var items = new List<FeedItem>();
        for (int ends = 0; ends < publishers.Length; ends += items[^1].Data == Publisher.End ? 1 : 0)
        {
            var item = await feed.NextAsync();
            Assert.True(item.Data is not null, $"A gap: {item.Gap}");
            items.Add(item);
        }

        foreach (var publisher in publishers)
        {
            var received = items.Where(item => item.Channel == publisher.Channel).ToArray();
            Assert.True(
                publisher.Published.SequenceEqual(received.Select(item => item.Data!)),
                $"Received of {publisher.Channel}: {string.Join(' ', received.Select(item => $"{item.Data}:{item.Id[(item.Id.IndexOf('-', StringComparison.Ordinal) + 1)..]}"))}");
        }
    }

    private static async Task<PushHost> StartNodeAsync(NatsCluster cluster, int first)
    {
        var node = await PushHost.StartAsync(setup => setup.Options = options =>
        {
            // The one that is named first is tried first; the client learns of the others.
            options.Nats.Urls = cluster.Urls[first];
            options.Nats.JetStream.Use = true;
            options.Nats.JetStream.Replicas = 3;
            options.Nats.JetStream.AckWait = TimeSpan.FromSeconds(1);
        });
        await node.WaitForBusAsync();
        return node;
    }

    /// <summary>Publishes 0, 1, 2 … to a channel, each until a node says that it is stored.</summary>
    private sealed class Publisher(string channel, PushHost[] nodes)
    {
        public const string End = "end";

        public string Channel => channel;

        public List<string> Published { get; } = [];

        public async Task PublishAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                await PublishAsync($"{Published.Count}");
            }
        }

        public Task EndAsync() => PublishAsync(End);

        private async Task PublishAsync(string text)
        {
            var patience = Patience.Token;
            for (int attempt = 0; ; attempt++)
            {
                patience.ThrowIfCancellationRequested();
                try
                {
                    await nodes[attempt % nodes.Length].PublishAsync(channel, text, new MessageTraits { IdempotencyKey = text });
                    Published.Add(text);
                    return;
                }
                catch (PublishRefusedException exception) when (exception.Refusal is PublishRefusal.NoBus or PublishRefusal.NotConfirmed)
                {
                    await Task.Delay(10, patience);
                }
            }
        }
    }
}
