using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>A proxy in front of a host's public listener, and what clients reach it with.</summary>
internal sealed class ProxiedHost : IAsyncDisposable
{
    private ProxiedHost(PushHost host, Proxy proxy)
    {
        Host = host;
        Proxy = proxy;
        Http = new HttpClient { BaseAddress = proxy.Plain };
    }

    public static FeedKind[] Streams => [FeedKind.Events, FeedKind.Lines, FeedKind.WebSocket];

    public PushHost Host { get; }

    public Proxy Proxy { get; }

    public HttpClient Http { get; }

    public static async Task<ProxiedHost> StartAsync(ProxyKind kind, PushHost host, Func<string, string>? change = null) =>
        new(host, await Proxy.StartAsync(kind, host.Public, change));

    public Task<ProxiedFeed> OpenAsync(FeedKind kind, string channel, string start = "") => ProxiedFeed.OpenAsync(Http, kind, channel, start);

    /// <summary>One of each kind of stream.</summary>
    public async Task<ProxiedFeed[]> OpenAllAsync(string channel)
    {
        var feeds = new List<ProxiedFeed>();
        foreach (var kind in Streams)
        {
            feeds.Add(await OpenAsync(kind, channel));
        }

        return [.. feeds];
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Proxy.DisposeAsync();
    }
}
