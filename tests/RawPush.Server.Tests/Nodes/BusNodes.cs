using RawPush.Fanout.Brokers;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit.Nats;

namespace RawPush.Server.Tests.Nodes;

/// <summary>Servers that share their channels over NATS, and keep what they had.</summary>
internal static class BusNodes
{
    /// <summary>A node that has its connection.</summary>
    public static async Task<PushHost> StartAsync(NatsServer nats, Action<NatsBrokerSettings>? configure = null)
    {
        var node = await LaunchAsync(nats, configure);
        await node.WaitForBusAsync();
        return node;
    }

    /// <summary>A node that may have to wait for its connection.</summary>
    public static Task<PushHost> LaunchAsync(NatsServer nats, Action<NatsBrokerSettings>? configure = null) => Histories.StartAsync(1000, setup => setup.Options = options =>
    {
        options.Nats.Urls = nats.Url;
        configure?.Invoke(options.Nats);
    });

    public static BusBroker Bus(this PushHost node) => (BusBroker)node.Get<IBroker>();

    public static Task WaitForBusAsync(this PushHost node, bool isConnected = true) => UntilAsync(() => node.Bus().IsConnected == isConnected);

    /// <summary>Waits until the node has lost its connection so often, and has one.</summary>
    public static Task WaitForReconnectAsync(this PushHost node, int times = 1) => UntilAsync(() => node.Bus().Reconnects >= times && node.Bus().IsConnected);

    /// <summary>Waits until a server's monitoring says so.</summary>
    public static async Task WaitAsync(this NatsServer nats, string target, Func<System.Text.Json.JsonElement, bool> isSo)
    {
        var patience = Patience.Token;
        while (!isSo(await nats.MonitorAsync(target, patience)))
        {
            await Task.Delay(5, patience);
        }
    }

    /// <summary>What a backend is answered that publishes over HTTP.</summary>
    public static async Task<(int Status, string Answer)> PostAsync(this PushHost node, string channel, byte[] payload)
    {
        using var content = new ByteArrayContent(payload);
        using var answer = await node.Http.PostAsync(new Uri($"/channels/{channel}", UriKind.Relative), content, Patience.Token);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Patience.Token));
    }

    public static async Task<(int Status, string Answer)> AskReadinessAsync(this PushHost node)
    {
        using var answer = await node.Http.GetAsync(new Uri("/health/ready", UriKind.Relative), Patience.Token);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Patience.Token));
    }

    /// <summary>Publishes with one node until a message reaches a feed of another: servers tell each other of interest in their own time.</summary>
    /// <returns>What the feed got up to then, gaps as <c>(reason)</c>.</returns>
    public static async Task<List<string>> PublishUntilHeardAsync(this PushHost node, string channel, Feed feed)
    {
        var items = new List<string>();
        var reading = feed.NextAsync();
        for (int i = 0; ; i++)
        {
            await node.PublishAsync(channel, $"again {i}");
            await Task.WhenAny(reading, Task.Delay(20, Patience.Token));
            while (reading.IsCompleted)
            {
                var item = await reading;
                items.Add(item.Data ?? $"({item.Reason})");
                if (item.Data is not null)
                {
                    // Those that were published meanwhile may be on their way.
                    await node.PublishAsync(channel, "the end");
                    while (item.Data != "the end")
                    {
                        item = await feed.NextAsync();
                        items.Add(item.Data ?? $"({item.Reason})");
                    }

                    return items;
                }

                reading = feed.NextAsync();
            }
        }
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        var patience = Patience.Token;
        while (!isSo())
        {
            await Task.Delay(5, patience);
        }
    }
}
