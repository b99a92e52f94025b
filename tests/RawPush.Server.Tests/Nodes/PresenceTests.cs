using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit.Nats;

namespace RawPush.Server.Tests.Nodes;

/// <summary>Who is on a channel, over nodes that share a NATS.</summary>
public sealed class PresenceTests
{
    private const string Server = "RawPush.Server.dll";
    private const string User = "X-User: ";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NodesAddUp_AndAUserOfSeveralCountsOnce(bool isKept)
    {
        await using var nats = await NatsServer.StartAsync(new NatsServerOptions { JetStream = isKept });
        await using var a = await StartNodeAsync(nats, isKept: isKept);
        await using var b = await StartNodeAsync(nats, isKept: isKept);
        await using var c = await StartNodeAsync(nats, isKept: isKept);
        await KnowEachOtherAsync(a, b, c);
        await using var ann = await a.UpgradeAsync("/channels/news", User + "ann\r\n");
        await using var alsoAnn = await a.UpgradeAsync("/channels/news,other?format=json", User + "ann\r\n");
        await using var annElsewhere = await b.UpgradeAsync("/channels/news", User + "ann\r\n");
        await using var bob = await b.UpgradeAsync("/channels/news", User + "bob ö\r\n");
        await using var nobody = await c.UpgradeAsync("/channels/news");
        await using var pattern = await c.UpgradeAsync("/channels/%3E", User + "cid\r\n");
        foreach (var node in new[] { a, b, c })
        {
            Assert.Equal("""{"channel":"news","subscribers":5,"users":{"count":2,"names":["ann","bob ö"],"complete":true},"nodes":{"known":3,"answered":3,"connected":true}}""", await AskAsync(node, "news"));
            Assert.Equal("""["ann"]""", JsonElement.Parse(await AskAsync(node, "other")).GetProperty("users").GetProperty("names").GetRawText());
            var all = JsonElement.Parse(await AskAsync(node, "%3E"));
            Assert.Equal((1, """["cid"]"""), (all.GetProperty("subscribers").GetInt32(), all.GetProperty("users").GetProperty("names").GetRawText()));

            // Also where the node has nothing of the channel.
            var described = JsonElement.Parse(await node.Http.GetStringAsync("/channels?name=other", Patience.Token));
            Assert.Equal(node == a ? 1 : 0, described.GetProperty("subscribers").GetInt32());
            Assert.Equal("""{"subscribers":1,"nodes":{"known":3,"answered":3,"connected":true}}""", described.GetProperty("cluster").GetRawText());
        }

        using var nothing = await a.Http.GetAsync("/channels?name=nothing", Patience.Token);
        Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
    }

    [Fact]
    public async Task ANodeThatIsKilledIsForgotten_AndItsPartIsKnownToBeMissingUntilThen()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await StartNodeAsync(nats);
        await using var killed = await ServerProcess.StartAsync(Server, "--nats", nats.Url);
        await UntilAsync(() => NodesOf(a) == 2);
        await using var client = await RawClient.ConnectAsync(killed.Ports[0]);
        await client.SendAsync(Heads.Upgrade("/channels/news"));
        await UntilAsync(async () => Tally(await CountAsync(a, "news")) == (1, new NodeTally(2, 2, true)));
        await killed.EndAsync("KILL");
        await UntilAsync(async () =>
        {
            var report = await CountAsync(a, "news");
            Assert.True(report.Subscribers == 1 || report.Nodes.Answered == 1, $"{report}");
            return report.Nodes == new NodeTally(1, 1, true);
        });
    }

    [Fact]
    public async Task ANodeThatEndsInGoodOrderSaysGoodbye()
    {
        await using var nats = await NatsServer.StartAsync();

        // For a clock that stands still nobody has been silent for long.
        await using var a = await StartNodeAsync(nats, new FakeTimeProvider());
        await using (await StartNodeAsync(nats))
        {
            await UntilAsync(() => NodesOf(a) == 2);
        }

        await UntilAsync(() => NodesOf(a) == 1);
    }

    [Fact]
    public async Task ClientsThatComeAndGoSendNothing_AndAStormOfQuestionsIsOne()
    {
        const int Clients = 300;
        await using var nats = await NatsServer.StartAsync();

        // Their clocks stand still, so that they announce themselves when they are told to.
        var (time, otherTime) = (new FakeTimeProvider(), new FakeTimeProvider());
        await using var a = await StartNodeAsync(nats, time);
        await using var b = await StartNodeAsync(nats, otherTime);
        await UntilAsync(async () => await MessagesOfAsync(nats) == 2);
        for (int tick = 0; tick < 4; tick++)
        {
            time.Advance(TimeSpan.FromSeconds(0.5));
            otherTime.Advance(TimeSpan.FromSeconds(0.5));
            await UntilAsync(async () => await MessagesOfAsync(nats) == 4 + (2 * tick));
        }

        await UntilAsync(() => NodesOf(a) == 2 && NodesOf(b) == 2);
        long before = await MessagesOfAsync(nats);
        var clients = await Task.WhenAll(Enumerable.Range(0, Clients).Select(i => (i % 2 == 0 ? a : b).UpgradeAsync("/channels/news", $"{User}u{i / 3}\r\n")));
        await Task.WhenAll(clients.Take(Clients / 3).Select(async client => await client.DisposeAsync()));
        await UntilAsync(() => SubscribersOf(a) + SubscribersOf(b) == Clients - (Clients / 3));
        Assert.Equal(before, await MessagesOfAsync(nats));

        // A question, and the answer of the other node.
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => AskAsync(a, "news")));
        var answer = JsonElement.Parse(Assert.Single(answers.Distinct()));
        Assert.Equal(Clients - (Clients / 3), answer.GetProperty("subscribers").GetInt32());
        Assert.Equal((Clients - (Clients / 3)) / 3, answer.GetProperty("users").GetProperty("count").GetInt32(), tolerance: 1);
        Assert.Equal(before + 2, await MessagesOfAsync(nats));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        static int SubscribersOf(PushHost node) => node.Get<ChannelHub>().Describe(ChannelName.Parse("news"))?.Subscribers ?? 0;
    }

    [Fact]
    public async Task ANodeThatDoesNotAnswerInTimeIsMissing_AndStillKnown()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await StartNodeAsync(nats);
        await using var stranger = await Stranger.ConnectAsync(nats);
        await UntilAsync(async () =>
        {
            // A node that announces itself and says nothing else.
            await stranger.PublishAsync("rawpush.node.alive", "00000000000000ab0000000000000001");
            return NodesOf(a) == 2;
        });
        await using var client = await a.UpgradeAsync("/channels/news", User + "ann\r\n");
        Assert.Equal("""{"channel":"news","subscribers":1,"users":{"count":1,"names":["ann"],"complete":false},"nodes":{"known":2,"answered":1,"connected":true}}""", await AskAsync(a, "news"));
        await stranger.PublishAsync("rawpush.node.gone", "00000000000000ab");
        await UntilAsync(async () => (await CountAsync(a, "news")).Nodes == new NodeTally(1, 1, true));
    }

    [Fact]
    public async Task WithoutNatsANodeSaysWhatItKnows_AndThatThereAreOthers()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats);
        await KnowEachOtherAsync(a, b);
        await using var here = await a.OpenEventsAsync("/channels/news");
        await using var there = await b.OpenEventsAsync("/channels/news");
        Assert.Equal((2, new NodeTally(2, 2, true)), Tally(await CountAsync(a, "news")));

        await nats.KillAsync();
        await UntilAsync(() => !a.Get<IBroker>().IsConnected);
        await UntilAsync(async () => Tally(await CountAsync(a, "news")) == (1, new NodeTally(2, 1, false)));

        await nats.RestartAsync();
        await UntilAsync(async () => Tally(await CountAsync(a, "news")) == (2, new NodeTally(2, 2, true)));
    }

    [Fact]
    public async Task ANatsThatDoesNotAnswerMakesNobodyForgotten()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats);
        await KnowEachOtherAsync(a, b);
        await nats.PauseAsync();
        await UntilAsync(() => !a.Get<IBroker>().IsConnected);
        Assert.Equal(2, NodesOf(a));
        Assert.Equal(new NodeTally(2, 1, false), (await CountAsync(a, "news")).Nodes);
        await nats.ContinueAsync();
        await UntilAsync(async () => (await CountAsync(a, "news")).Nodes == new NodeTally(2, 2, true));
    }

    [Fact]
    public async Task WhatStrangersSendEndsNothing_AndMakesNobodyPublish()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats);
        await KnowEachOtherAsync(a, b);
        await using var client = await b.UpgradeAsync("/channels/news");
        await using var stranger = await Stranger.ConnectAsync(nats);
        foreach (string text in new[] { "", "x", "\n", "users\nnews\n", "users\n>.news", new string('u', 100_000) })
        {
            foreach (string subject in new[] { "alive", "gone", "ask", "other", "answer.0.1", "answer.x" })
            {
                await stranger.PublishAsync($"rawpush.node.{subject}", text, replyTo: "rawpush.node.answer.x.1");
                await stranger.PublishAsync($"rawpush.node.{subject}", text);
            }
        }

        // An answer to this question would be a message of the channel.
        await stranger.PublishAsync("rawpush.node.ask", "users\nnews", replyTo: "rawpush.in.news");
        await UntilAsync(async () => Tally(await CountAsync(a, "news")) == (1, new NodeTally(2, 2, true)));
        await a.PublishAsync("news", "first");
        Assert.Equal("first", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task NodesOfAnotherPrefixAreStrangers()
    {
        await using var nats = await NatsServer.StartAsync();
        await using var a = await StartNodeAsync(nats);
        await using var b = await StartNodeAsync(nats);
        await using var other = await StartNodeAsync(nats, prefix: "other");
        await KnowEachOtherAsync(a, b);
        await using var client = await other.UpgradeAsync("/channels/news");
        Assert.Equal((0, new NodeTally(2, 2, true)), Tally(await CountAsync(a, "news")));
        Assert.Equal((1, new NodeTally(1, 1, true)), Tally(await CountAsync(other, "news")));
    }

    private static async Task<PushHost> StartNodeAsync(NatsServer nats, FakeTimeProvider? time = null, string prefix = "rawpush", bool isKept = false)
    {
        var node = await PushHost.StartAsync(setup =>
        {
            setup.Time = time;
            setup.Options = options =>
            {
                (options.Nats.Urls, options.Nats.Prefix, options.UserField) = (nats.Url, prefix, "X-User");
                options.Nats.JetStream.Use = isKept;
                options.TrustedProxies.Add("127.0.0.1");
            };
        });
        await UntilAsync(() => node.Get<IBroker>().IsConnected);
        return node;
    }

    private static Task KnowEachOtherAsync(params PushHost[] nodes) => UntilAsync(() => nodes.All(node => NodesOf(node) == nodes.Length));

    private static int NodesOf(PushHost node) => ((BusBroker)node.Get<IBroker>()).OtherNodes + 1;

    private static Task<string> AskAsync(PushHost node, string channel) => node.Http.GetStringAsync($"/channels/{channel}/presence", Patience.Token);

    private static Task<PresenceReport> CountAsync(PushHost node, string channel) => node.Get<IPresence>().CountAsync(ChannelName.Parse(channel), Patience.Token);

    private static (long Subscribers, NodeTally Nodes) Tally(PresenceReport report) => (report.Subscribers, report.Nodes);

    private static async Task<long> MessagesOfAsync(NatsServer nats) => (await nats.MonitorAsync("/varz", Patience.Token)).GetProperty("in_msgs").GetInt64();

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var patience = Patience.Token;
        while (!await condition())
        {
            await Task.Delay(5, patience);
        }
    }

    /// <summary>Somebody else's client of NATS.</summary>
    private sealed class Stranger : IAsyncDisposable
    {
        private readonly TcpClient _client = new();

        public static async Task<Stranger> ConnectAsync(NatsServer nats)
        {
            var stranger = new Stranger();
            await stranger._client.ConnectAsync(IPAddress.Loopback, nats.Port, Patience.Token);
            await stranger.SendAsync("CONNECT {\"verbose\":false}\r\n");
            return stranger;
        }

        public Task PublishAsync(string subject, string text, string replyTo = "") => SendAsync($"PUB {subject} {replyTo} {Encoding.UTF8.GetByteCount(text)}\r\n{text}\r\n");

        public ValueTask DisposeAsync()
        {
            _client.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task SendAsync(string text) => await _client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text), Patience.Token);
    }
}
