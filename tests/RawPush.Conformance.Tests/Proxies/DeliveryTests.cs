using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>Everything that the server does for its clients and publishers, through a proxy with the configuration that is recommended.</summary>
public sealed class DeliveryTests
{
    public static TheoryData<ProxyKind> Kinds => Proxy.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task EachMessageComesAtOnceOnEveryStream(ProxyKind kind)
    {
        await using var host = await Histories.StartAsync();
        await using var proxied = await ProxiedHost.StartAsync(kind, host);
        await using var publishing = await Proxy.StartAsync(kind, host.Internal);
        using var publisher = new HttpClient { BaseAddress = publishing.Plain };
        var feeds = await proxied.OpenAllAsync("a");
        for (int i = 0; i < 20; i++)
        {
            using var answer = await publisher.PostAsync("/channels/a", new StringContent($"{i}"), Patience.Token);
            var receipt = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Patience.Token)).RootElement;
            Assert.Equal(3, receipt.GetProperty("subscribers").GetInt32());

            // The next one is published when this one is there: nothing pushes it out of anybody's buffer.
            foreach (var feed in feeds)
            {
                var item = await feed.NextAsync();
                Assert.Equal((receipt.GetProperty("id").GetString(), $"{i}"), (item.Id, item.Data));
            }
        }

        await EndAsync(feeds);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task ManyMessagesComeInOrder(ProxyKind kind)
    {
        const int Count = 2000;
        await using var host = await Histories.StartAsync(Count);
        await using var proxied = await ProxiedHost.StartAsync(kind, host);
        var feeds = await proxied.OpenAllAsync("a");
        var reading = feeds.Select(async feed =>
        {
            for (int i = 0; i < Count; i++)
            {
                Assert.Equal($"{i}", (await feed.NextAsync()).Data);
            }
        }).ToArray();
        await host.PublishManyAsync("a", Count);
        await Task.WhenAll(reading);
        await EndAsync(feeds);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task LongMessagesPassBothWays(ProxyKind kind)
    {
        await using var host = await Histories.StartAsync();
        await using var proxied = await ProxiedHost.StartAsync(kind, host);
        await using var publishing = await Proxy.StartAsync(kind, host.Internal);
        using var publisher = new HttpClient { BaseAddress = publishing.Plain };
        var feeds = await proxied.OpenAllAsync("a");
        string text = string.Create(1024 * 1024, 0, (characters, _) => new Random(1).GetItems("abcdefghijklmnop", characters));
        using var answer = await publisher.PostAsync("/channels/a", new StringContent(text), Patience.Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (var feed in feeds)
        {
            Assert.Equal(text, (await feed.NextAsync()).Data);
        }

        Assert.Contains(text, await proxied.Http.GetStringAsync("/channels/a", Patience.Token), StringComparison.Ordinal);
        await EndAsync(feeds);

        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{proxied.Proxy.Plain.Authority}/echo"), Patience.Token);
        byte[] sent = new byte[PushHost.EchoBytesMax];
        new Random(2).NextBytes(sent);
        await socket.SendAsync(sent, WebSocketMessageType.Binary, endOfMessage: true, Patience.Token);
        Assert.Equal(sent, await socket.ReceiveWholeAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task PollsFollowEachOtherOnOneConnectionToTheServer(ProxyKind kind)
    {
        await using var host = await Histories.StartAsync(configure: setup => setup.Routes = app => app.MapGet("/port", context => context.Response.WriteAsync($"{context.Connection.RemotePort}")));
        await using var proxied = await ProxiedHost.StartAsync(kind, host);
        string port = await proxied.Http.GetStringAsync("/port", Patience.Token);
        string next = (await host.PublishAsync("a", "first")).Id.ToString();
        for (int i = 0; i < 5; i++)
        {
            long before = host.Metrics.Started;
            var waiting = proxied.Http.GetAsync($"/channels/a?wait=30&after={next}", Patience.Token);
            await host.Metrics.WaitForStartedAsync(before + 1);
            await host.PublishAsync("a", $"{i}");
            using var answer = await waiting;
            next = answer.Headers.GetValues("RawPush-Next").Single();
            Assert.Contains($"\"data\":\"{i}\"", await answer.Content.ReadAsStringAsync(Patience.Token), StringComparison.Ordinal);
        }

        using var history = await proxied.Http.GetAsync("/channels/a", Patience.Token);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/channels/a") { Headers = { IfNoneMatch = { history.Headers.ETag! } } };
        using var unchanged = await proxied.Http.SendAsync(again, Patience.Token);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        using var nothing = await proxied.Http.GetAsync($"/channels/a?after={next}&wait=1", Patience.Token);
        Assert.Equal(HttpStatusCode.NoContent, nothing.StatusCode);
        Assert.Equal(port, await proxied.Http.GetStringAsync("/port", Patience.Token));
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task RefusalsComeAsTheServerSaysThem(ProxyKind kind)
    {
        await using var host = await PushHost.StartAsync();
        await using var proxied = await ProxiedHost.StartAsync(kind, host);
        using var refused = await proxied.Http.GetAsync("/channels/not%20valid", Patience.Token);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("a channel name must not contain", await refused.Content.ReadAsStringAsync(Patience.Token), StringComparison.Ordinal);
        using var publish = await proxied.Http.PostAsync("/channels/a", new StringContent("x"), Patience.Token);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, publish.StatusCode);
        await using var client = await RawClient.ConnectAsync(proxied.Proxy.Plain.Port);
        await client.SendAsync(Heads.Upgrade("/channels/a").Replace("Version: 13", "Version: 12", StringComparison.Ordinal));
        string head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 426 ", head, StringComparison.Ordinal);
        Assert.Equal("13", RawClient.FieldOf(head, "Sec-WebSocket-Version"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AClientThatLeavesIsGoneAtTheServer(ProxyKind kind)
    {
        await using var host = await Histories.StartAsync();
        await using var proxied = await ProxiedHost.StartAsync(kind, host);
        var feeds = await proxied.OpenAllAsync("a");
        using var leaving = new CancellationTokenSource();
        var poll = proxied.Http.GetAsync("/channels/a?wait=300", leaving.Token);
        await host.Metrics.WaitForActiveAsync(4);
        await feeds[2].WebSocket.SendAsync(ClientFrames.Close(1000));
        var close = await feeds[2].WebSocket.ReadFrameAsync();
        Assert.Equal((Opcode.Close, 1000), (close.Opcode, close.Status));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => poll);
        await EndAsync(feeds);
        await host.Metrics.WaitForEndedAsync("ClientClosed", 3);
        await host.Metrics.WaitForEndedAsync("ClientGone");
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AProxyThatBuffersAllTheSameKeepsEventsBack()
    {
        // What X-Accel-Buffering is good for: without it the same nginx waits for more.
        await using var host = await Histories.StartAsync();
        await using var proxied = await ProxiedHost.StartAsync(ProxyKind.Nginx, host);
        await using var buffering = await ProxiedHost.StartAsync(
            ProxyKind.Nginx, host, configuration => configuration.With("proxy_http_version 1.1;", "proxy_http_version 1.1; proxy_ignore_headers X-Accel-Buffering;"));
        await using var events = await proxied.OpenAsync(FeedKind.Events, "a");
        await using var late = await RawClient.ConnectAsync(buffering.Proxy.Plain.Port);
        await late.SendAsync(Heads.Events("/channels/a"));
        await host.Metrics.WaitForActiveAsync(2);
        for (int i = 0; i < 20; i++)
        {
            await host.PublishAsync("a", $"{i}");
            Assert.Equal($"{i}", (await events.NextAsync()).Data);
        }

        Assert.Equal(0, late.Socket.Available);
        await host.PublishAsync("a", new string('x', 100_000));
        Assert.Contains("data: 0\n", await late.ReadUntilAsync("data: 19\n"), StringComparison.Ordinal);
    }

    private static async Task EndAsync(ProxiedFeed[] feeds)
    {
        foreach (var feed in feeds)
        {
            await feed.DisposeAsync();
        }
    }
}
