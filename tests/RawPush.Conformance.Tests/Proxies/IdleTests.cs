using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>Proxies cut what is quiet. A heartbeat of the server's keeps a stream that has nothing to say. In real time, since a proxy knows no other.</summary>
public sealed class IdleTests
{
    public static TheoryData<ProxyKind> Kinds => Proxy.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AQuietStreamOutlivesTheProxysTime_WhenItsHeartbeatIsFaster(ProxyKind kind)
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.PingInterval = TimeSpan.FromSeconds(1));
        await using var proxied = await ProxiedHost.StartAsync(kind, host, IdleAfter(4));
        var feeds = await proxied.OpenAllAsync("a");

        // Heartbeats are never early, but for the one that JSON lines begin with: six of them take longer than the proxy waits.
        await Task.WhenAll(feeds.Select(feed => feed.BeatAsync(6)));
        await host.PublishAsync("a", "still there?");
        foreach (var feed in feeds)
        {
            Assert.Equal("still there?", (await feed.NextAsync()).Data);
            await feed.DisposeAsync();
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AQuietStreamIsCutByTheProxy_WhenItsHeartbeatIsSlower(ProxyKind kind)
    {
        await using var host = await PushHost.StartAsync();
        await using var proxied = await ProxiedHost.StartAsync(kind, host, IdleAfter(1));
        var feeds = await proxied.OpenAllAsync("a");
        foreach (var feed in feeds)
        {
            await feed.EndAsync();
            await feed.DisposeAsync();
        }

        // The proxy says that it was the one, and the server sees clients that have gone: a WebSocket without a word, streams as streams are left.
        await proxied.Proxy.WaitForLogAsync(kind == ProxyKind.Nginx ? "upstream timed out" : " sD");
        await host.Metrics.WaitForEndedAsync("ClientGone");
        await host.Metrics.WaitForEndedAsync("ClientClosed", 2);
    }

    private static Func<string, string> IdleAfter(int seconds) => configuration => configuration.With("60s", $"{seconds}s");
}
