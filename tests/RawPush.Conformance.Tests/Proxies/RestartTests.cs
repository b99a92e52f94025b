using System.Net;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>Behind a proxy that stays, connections are cut and servers come and go.</summary>
public sealed class RestartTests
{
    public static TheoryData<ProxyKind> Kinds => Proxy.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task NothingIsLostOrRepeated_WhenConnectionsAreCut(ProxyKind kind)
    {
        await using var host = await Histories.StartAsync();
        await using var proxied = await ProxiedHost.StartAsync(kind, host);
        int published = 0;
        foreach (var stream in ProxiedHost.Streams)
        {
            int received = published;
            string position = string.Empty;
            for (int cut = 0; cut < 3; cut++)
            {
                await using var feed = await proxied.OpenAsync(stream, "a", position);
                await PublishAsync(3);
                await ReadAsync(feed, 2);
                await host.CutAsync();
                await feed.EndAsync();
                await PublishAsync(2);
                position = $"after={feed.Position}";
            }

            await using var last = await proxied.OpenAsync(stream, "a", position);
            await ReadAsync(last, published - received);

            async Task ReadAsync(ProxiedFeed feed, int count)
            {
                for (int i = 0; i < count; i++)
                {
                    Assert.Equal($"{received++}", (await feed.NextAsync()).Data);
                }
            }
        }

        async Task PublishAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                await host.PublishAsync("a", $"{published++}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task ClientsAreToldThatTheServerStops_AndOfTheGapWhenTheyComeBack(ProxyKind kind)
    {
        await using var host = await Histories.StartAsync();
        // HAProxy would otherwise look for the server three times, a second apart.
        await using var proxied = await ProxiedHost.StartAsync(kind, host, kind == ProxyKind.HAProxy ? configuration => configuration.With("option forwardfor", "option forwardfor\n    retries 0") : null);
        var feeds = await proxied.OpenAllAsync("a");
        await host.PublishAsync("a", "before");
        foreach (var feed in feeds)
        {
            Assert.Equal("before", (await feed.NextAsync()).Data);
        }

        var stop = host.StopAsync();
        var close = await feeds[2].WebSocket.ReadFrameAsync();
        Assert.Equal((Opcode.Close, 1001), (close.Opcode, close.Status));
        foreach (var feed in feeds)
        {
            await feed.EndAsync();
        }

        await stop;
        using var unavailable = await proxied.Http.GetAsync("/channels/a", Patience.Token);
        Assert.Equal(kind == ProxyKind.Nginx ? HttpStatusCode.BadGateway : HttpStatusCode.ServiceUnavailable, unavailable.StatusCode);

        await using var successor = await host.StartSuccessorAsync();
        var resumed = new List<ProxiedFeed>();
        foreach (var feed in feeds)
        {
            resumed.Add(await proxied.OpenAsync(feed.Kind, "a", $"after={feed.Position}"));
            await feed.DisposeAsync();
        }

        await successor.PublishAsync("a", "after");
        foreach (var feed in resumed)
        {
            var gap = await feed.NextAsync();
            Assert.Equal(("epoch", feeds[0].Position), (gap.Reason, gap.From));
            Assert.Equal("after", (await feed.NextAsync()).Data);
            await feed.DisposeAsync();
        }
    }

    [Fact]
    public async Task StreamsEnd_WhenTheServerIsKilled_AndTheNextOneIsFound()
    {
        await using var server = await ServerProcess.StartAsync("RawPush.Server.dll");
        var address = new Uri($"http://127.0.0.1:{server.Ports[0]}");
        await using var nginx = await Proxy.StartAsync(ProxyKind.Nginx, address);
        await using var haproxy = await Proxy.StartAsync(ProxyKind.HAProxy, address);
        using var nginxHttp = new HttpClient { BaseAddress = nginx.Plain };
        using var haproxyHttp = new HttpClient { BaseAddress = haproxy.Plain };
        var feeds = new List<ProxiedFeed>();
        foreach (var kind in ProxiedHost.Streams)
        {
            feeds.Add(await ProxiedFeed.OpenAsync(nginxHttp, kind, "a"));
            feeds.Add(await ProxiedFeed.OpenAsync(haproxyHttp, kind, "a"));
        }

        await server.EndAsync("KILL");
        foreach (var feed in feeds)
        {
            await feed.EndAsync();
            await feed.DisposeAsync();
        }

        await using var next = await ServerProcess.StartAsync("RawPush.Server.dll", "--public", address.Authority);
        using var publisher = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{next.Ports[1]}") };
        await using var first = await ProxiedFeed.OpenAsync(nginxHttp, FeedKind.WebSocket, "a", $"after={feeds[0].Position}");
        await using var second = await ProxiedFeed.OpenAsync(haproxyHttp, FeedKind.WebSocket, "a", $"after={feeds[0].Position}");
        using var answer = await publisher.PostAsync("/channels/a", new StringContent("after"), Patience.Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (var feed in (ProxiedFeed[])[first, second])
        {
            Assert.Equal("epoch", (await feed.NextAsync()).Reason);
            Assert.Equal("after", (await feed.NextAsync()).Data);
        }
    }
}
