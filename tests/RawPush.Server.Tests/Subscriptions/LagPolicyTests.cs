using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Channels;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;
using RawPush.Server.Tests.Transport;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Subscriptions;

/// <summary>What becomes of clients that read more slowly than messages are kept.</summary>
public sealed class LagPolicyTests
{
    private const int LogEntries = 64;
    private const int LargeBytes = 100_000;

    [Theory]
    [InlineData(FeedKind.Events)]
    [InlineData(FeedKind.Lines)]
    [InlineData(FeedKind.WebSocket)]
    public async Task OneThatIsToSkipGoesOnAfterANotice(FeedKind kind)
    {
        await using var host = await StartAsync(LagPolicy.Skip);
        await using var client = await PipeClient.OpenAsync(host, HeadOf(kind));
        string large = (await host.PublishAsync("a", new string('x', LargeBytes))).Id.ToString();
        await host.SettleAsync();
        string[] ids = await host.PublishManyAsync("a", LogEntries + 10);
        await host.SettleAsync();

        string wire = await ReadOnAsync(host, client);
        string gap = $"{{\"channel\":\"a\",\"from\":\"{large}\",\"to\":\"{ids[9]}\",\"reason\":\"slow\"}}";
        int where = wire.IndexOf(gap, StringComparison.Ordinal);
        Assert.True(where > LargeBytes, wire[^2000..]);

        // The envelope of the notice has the id as well.
        string[] after = IdsIn(wire[(where + gap.Length)..]);
        Assert.Equal(ids[10..], after.SkipWhile(id => id == ids[9]));
        Assert.Equal(1, host.Metrics.Gaps("Slow"));
        Assert.Equal(1, (await host.PublishAsync("a", "live")).Subscribers);
        await host.SettleAsync();
        Assert.Contains("live", client.ReceivedText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARawWebSocketHasNoPlaceForTheNoticeAndIsClosed()
    {
        await using var host = await StartAsync(LagPolicy.Skip);
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        string large = (await host.PublishAsync("a", new string('x', LargeBytes))).Id.ToString();
        await host.SettleAsync();
        await host.PublishManyAsync("a", LogEntries + 10);
        await host.SettleAsync();
        string wire = await ReadOnAsync(host, client);
        Assert.EndsWith($"\u000F\u00A1you missed messages after {large} (slow)", wire, StringComparison.Ordinal);
        await client.SendAsync(ClientFrames.Close(4001));
        await client.Served.WaitAsync(Patience.Token);
        Assert.Equal(1, host.Metrics.Ended("Missed"));
    }

    [Fact]
    public async Task AnEventStreamThatIsToBeDisconnectedEndsWithRetryBehindWhatItHadBegun()
    {
        await using var host = await StartAsync(LagPolicy.Disconnect);
        await using var client = await PipeClient.OpenAsync(host, Heads.Events("/channels/a"));
        await host.PublishAsync("a", new string('x', LargeBytes));
        await host.SettleAsync();
        await host.PublishManyAsync("a", LogEntries + 1);
        await host.SettleAsync();
        string wire = await ReadOnAsync(host, client);
        Assert.Matches("\\Aid: [0-9a-f]+-1\ndata: x{100000}\n\nretry: [1-5][0-9]{3}\n\n\\z", wire);
        await client.Served.WaitAsync(Patience.Token);
        Assert.Equal(1, host.Metrics.Ended("SlowConsumer"));
    }

    [Fact]
    public async Task OnSocketsOfOursTheStreamEndsTheSameWay()
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Options = options =>
        {
            options.LogEntriesMax = LogEntries;
            options.SocketSendBytes = options.SocketUnsentBytesMax = 4096;
        });
        await using var client = await RawClient.ConnectAsync(host.Public.Port, receiveBufferBytes: 4096);
        await client.SendAsync(Heads.Events("/channels/a"));
        await client.ReadHeadAsync();
        await client.ReadUntilAsync("\n\n");
        await host.PublishAsync("a", new string('x', 1_000_000));
        await host.SettleAsync();
        await host.PublishManyAsync("a", LogEntries + 1);
        await host.SettleAsync();
        string wire = await client.ReadTextToEndAsync();
        Assert.Matches("\\Aid: [0-9a-f]+-1\ndata: x{1000000}\n\nretry: [1-5][0-9]{3}\n\n\\z", wire);

        // The socket is closed first, and counted then.
        await host.Metrics.WaitForEndedAsync("SlowConsumer");
    }

    [Fact]
    public async Task AStreamOfLinesThatIsToBeDisconnectedEndsWithAWholeLine()
    {
        await using var host = await StartAsync(LagPolicy.Disconnect);
        await using var client = await PipeClient.OpenAsync(host, Heads.Lines("/channels/a"));
        await host.PublishAsync("a", new string('x', LargeBytes));
        await host.SettleAsync();
        await host.PublishManyAsync("a", LogEntries + 1);
        await host.SettleAsync();
        string wire = await ReadOnAsync(host, client);
        Assert.Equal(LargeBytes, JsonDocument.Parse(wire).RootElement.GetProperty("data").GetString()!.Length);
        Assert.EndsWith("\"}\n", wire, StringComparison.Ordinal);
        await client.Served.WaitAsync(Patience.Token);
    }

    [Theory]
    [InlineData(FeedKind.Events)]
    [InlineData(FeedKind.Lines)]
    [InlineData(FeedKind.WebSocket)]
    public async Task WhereChannelsConflateItGetsTheNewestOfEachKeyOnly(FeedKind kind)
    {
        await using var host = await StartAsync(LagPolicy.Conflate, history: 10);
        await using var client = await PipeClient.OpenAsync(host, HeadOf(kind));
        await host.PublishAsync("a", new string('x', LargeBytes), new MessageTraits { Key = "k0" });
        await host.SettleAsync();
        string[] ids = new string[1000];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = (await host.PublishAsync("a", $"update {i}", new MessageTraits { Key = $"k{i % 5}" })).Id.ToString();
        }

        await host.SettleAsync();
        string wire = await ReadOnAsync(host, client);
        Assert.Equal([.. ids[^5..]], IdsIn(wire[LargeBytes..]));
        Assert.Equal(0, host.Metrics.Gaps("Slow"));
        Assert.DoesNotContain("gap", wire, StringComparison.Ordinal);

        // One that keeps up gets everything.
        for (int i = 0; i < 10; i++)
        {
            client.Forget();
            await host.PublishAsync("a", $"live {i}", new MessageTraits { Key = "k0" });
            await host.SettleAsync();
            Assert.Contains($"live {i}", client.ReceivedText, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task OnSocketsAClientThatConflatesEndsWithTheNewestOfEach()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options =>
        {
            options.LogEntriesMax = LogEntries;
            options.SocketSendBytes = options.SocketUnsentBytesMax = 4096;
            options.Namespaces.Add(new NamespaceOptions { Pattern = "a", HistoryEntries = 10, LagPolicy = LagPolicy.Conflate });
        });
        await using var client = await RawClient.ConnectAsync(host.Public.Port, receiveBufferBytes: 4096);
        await client.SendAsync(Heads.Upgrade("/channels/a?format=json"));
        await client.ReadHeadAsync();
        string filler = new('x', 20_000);
        for (int i = 0; i < 1000; i++)
        {
            await host.PublishAsync("a", $"{i} {filler}", new MessageTraits { Key = $"k{i % 5}" });
        }

        var newest = new Dictionary<string, int>();
        int last = -1;
        int count = 0;
        while (newest.Count < 5 || newest.Values.Min() < 995)
        {
            var envelope = JsonDocument.Parse((await client.ReadFrameAsync()).Text).RootElement;
            int number = int.Parse(envelope.GetProperty("data").GetString()!.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(number > last, $"{number} after {last}");
            last = newest[envelope.GetProperty("key").GetString()!] = number;
            count++;
        }

        Assert.InRange(count, 5, 900);
        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    private static Task<PushHost> StartAsync(LagPolicy policy, int history = 0) => PushHost.StartAsync(setup =>
    {
        setup.Time = new FakeTimeProvider();
        setup.Options = options =>
        {
            options.LogEntriesMax = LogEntries;
            options.Namespaces.Add(new NamespaceOptions { Pattern = "a", HistoryEntries = history, LagPolicy = policy });
        };
    });

    private static string HeadOf(FeedKind kind) => kind switch
    {
        FeedKind.Events => Heads.Events("/channels/a"),
        FeedKind.Lines => Heads.Lines("/channels/a"),
        _ => Heads.Upgrade("/channels/a?format=json"),
    };

    /// <summary>Reads everything that comes, while the server goes on.</summary>
    private static async Task<string> ReadOnAsync(PushHost host, PipeClient client)
    {
        int length;
        do
        {
            length = client.Received.Length;
            for (int i = 0; i < 4; i++)
            {
                await host.SettleAsync();
            }
        }
        while (client.Received.Length > length);
        string wire = Encoding.Latin1.GetString(client.Received);

        // Every event stream here starts with its position, which the client has passed.
        return wire.StartsWith("id: ", StringComparison.Ordinal) && wire.IndexOf("\n\n", StringComparison.Ordinal) is < 60 and > 0 and int end ? wire[(end + 2)..] : wire;
    }

    private static string[] IdsIn(string wire) =>
        [.. System.Text.RegularExpressions.Regex.Matches(wire, "(?:id: |\"id\":\")([0-9a-f]+-[0-9]+)").Select(match => match.Groups[1].Value)];
}
