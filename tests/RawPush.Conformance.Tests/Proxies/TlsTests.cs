using System.Net.Security;
using System.Net.WebSockets;
using System.Text;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>TLS ends at the proxy, and HTTP/2 with it.</summary>
public sealed class TlsTests
{
    private static readonly RemoteCertificateValidationCallback TrustOurs = (_, certificate, _, _) => certificate?.Subject == ProxyConfiguration.CertificateSubject;

    public static TheoryData<ProxyKind, string> KindsAndVersions => new MatrixTheoryData<ProxyKind, string>(Enum.GetValues<ProxyKind>(), ["1.1", "2.0"]);

    [Theory]
    [MemberData(nameof(KindsAndVersions))]
    public async Task StreamsAndPollsComeOverTls(ProxyKind kind, string version)
    {
        // An hour's interval: what opens a stream must not be a heartbeat that comes later.
        await using var host = await Histories.StartAsync(configure: setup => setup.Options = options => options.PingInterval = TimeSpan.FromHours(1));
        await using var proxied = await ProxiedHost.StartAsync(kind, host);
        using var http = CreateClient(proxied.Proxy, version);
        await using var events = await ProxiedFeed.OpenAsync(http, FeedKind.Events, "a");
        await using var lines = await ProxiedFeed.OpenAsync(http, FeedKind.Lines, "a");
        var poll = http.GetStringAsync("/channels/a?wait=30", Patience.Token);
        await host.Metrics.WaitForActiveAsync(3);

        // A stream that begins in the past and finds nothing there is open all the same.
        await using var resumed = await ProxiedFeed.OpenAsync(http, FeedKind.Events, "a", $"after={events.Position}");
        Assert.Equal(events.Position, resumed.Position);
        for (int i = 0; i < 10; i++)
        {
            await host.PublishAsync("a", $"{i}");
            Assert.Equal($"{i}", (await events.NextAsync()).Data);
            Assert.Equal($"{i}", (await lines.NextAsync()).Data);
            Assert.Equal($"{i}", (await resumed.NextAsync()).Data);
        }

        Assert.Contains("\"data\":\"0\"", await poll, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ProxyKind.Nginx, "1.1")]
    [InlineData(ProxyKind.HAProxy, "1.1")]
    [InlineData(ProxyKind.HAProxy, "2.0")]
    public async Task AWebSocketComesOverTls(ProxyKind kind, string version)
    {
        await using var host = await Histories.StartAsync();
        await using var proxied = await ProxiedHost.StartAsync(kind, host);
        using var http = CreateClient(proxied.Proxy, version);
        using var socket = await ConnectAsync("/channels/a");
        await host.PublishAsync("a", "over TLS");
        Assert.Equal("over TLS", Encoding.UTF8.GetString(await socket.ReceiveWholeAsync()));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Patience.Token);
        await host.Metrics.WaitForEndedAsync("ClientClosed");

        using var echo = await ConnectAsync("/echo");
        byte[] sent = new byte[1024 * 1024];
        new Random(3).NextBytes(sent);
        await echo.SendAsync(sent, WebSocketMessageType.Binary, endOfMessage: true, Patience.Token);
        Assert.Equal(sent, await echo.ReceiveWholeAsync());

        async Task<ClientWebSocket> ConnectAsync(string target)
        {
            var client = new ClientWebSocket { Options = { HttpVersion = http.DefaultRequestVersion, HttpVersionPolicy = http.DefaultVersionPolicy } };
            await client.ConnectAsync(new Uri($"wss://{proxied.Proxy.Tls.Authority}{target}"), http, Patience.Token);
            return client;
        }
    }

    private static HttpClient CreateClient(Proxy proxy, string version) => new(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = TrustOurs } })
    {
        BaseAddress = proxy.Tls,
        DefaultRequestVersion = Version.Parse(version),
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };
}
