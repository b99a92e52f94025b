using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using RawPush.Protocol;
using RawPush.Server.Messages;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>A server that trusts its proxy sees its clients where they are, and believes no client.</summary>
public sealed class ClientAddressTests
{
    // All of 127.0.0.0/8 is this machine.
    private const string Client = "127.0.0.5";
    private const string OtherClient = "127.0.0.6";
    private const string Lie = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2\r\n";

    public enum Way
    {
        NginxField,
        HAProxyField,
        HAProxyProtocol1,
        HAProxyProtocol2,
    }

    public static TheoryData<Way> Ways => [.. Enum.GetValues<Way>()];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task AClientIsWhoTheProxySays(Way way)
    {
        await using var host = await StartAsync(trusts: true, way);
        await using var proxied = await StartProxyAsync(way, host);
        Assert.Equal(Client, await AskAsync(proxied, Client));
        Assert.Equal(OtherClient, await AskAsync(proxied, OtherClient));

        // Fields are ASP.NET Core's own matter on its side; a PROXY header has been read before it sees the connection.
        if (IsProtocol(way))
        {
            Assert.Equal(Client, await GetAsync(proxied, Client));
            Assert.Equal(OtherClient, await GetAsync(proxied, OtherClient));
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task AClientIsNotBelieved(Way way)
    {
        await using var host = await StartAsync(trusts: true, way);
        await using var proxied = await StartProxyAsync(way, host);
        Assert.Equal(Client, await AskAsync(proxied, Client, Lie));
    }

    [Theory]
    [InlineData(Way.NginxField)]
    [InlineData(Way.HAProxyField)]
    public async Task AProxyThatIsNotTrustedIsTheClient(Way way)
    {
        await using var host = await StartAsync(trusts: false, way);
        await using var proxied = await StartProxyAsync(way, host);
        Assert.Equal("127.0.0.1", await AskAsync(proxied, Client));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ALimitPerAddressIsOneOfTheClientsAndNotOfTheProxy(Way way)
    {
        await using var host = await StartAsync(trusts: true, way, addressConnectionsMax: 1);
        await using var proxied = await StartProxyAsync(way, host);
        await using var first = await UpgradeAsync(proxied, Client);
        Assert.StartsWith("HTTP/1.1 101 ", await first.ReadHeadAsync(), StringComparison.Ordinal);
        await using var second = await UpgradeAsync(proxied, Client);
        Assert.StartsWith("HTTP/1.1 503 ", await second.ReadHeadAsync(), StringComparison.Ordinal);
        await using var other = await UpgradeAsync(proxied, OtherClient);
        Assert.StartsWith("HTTP/1.1 101 ", await other.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Way.HAProxyProtocol1)]
    [InlineData(Way.HAProxyProtocol2)]
    public async Task EverythingElseIsServedBehindAProxyHeader(Way way)
    {
        await using var host = await StartAsync(trusts: true, way);
        await using var proxied = await StartProxyAsync(way, host);
        var feeds = await proxied.OpenAllAsync("a");
        for (int i = 0; i < 10; i++)
        {
            await host.PublishAsync("a", $"{i}");
            foreach (var feed in feeds)
            {
                Assert.Equal($"{i}", (await feed.NextAsync()).Data);
            }
        }

        Assert.Contains("\"data\":\"9\"", await proxied.Http.GetStringAsync("/channels/a", Patience.Token), StringComparison.Ordinal);
        Assert.Equal(PushHost.Hello, await proxied.Http.GetStringAsync("/hello", Patience.Token));
        foreach (var feed in feeds)
        {
            await feed.DisposeAsync();
        }
    }

    private static Task<PushHost> StartAsync(bool trusts, Way way, int addressConnectionsMax = 0) => Histories.StartAsync(configure: setup =>
    {
        setup.Options = options =>
        {
            options.ProxyProtocol = IsProtocol(way);
            options.AddressConnectionsMax = addressConnectionsMax;
            if (trusts)
            {
                options.TrustedProxies.Add("127.0.0.1");
            }
        };
        setup.Handlers.Add(("/whoami", new DelegateHandler(AnswerAsync), 0));
        setup.Routes = app => app.MapGet("/ip", context => context.Response.WriteAsync($"{context.Connection.RemoteIpAddress}"));
    });

    private static Task<ProxiedHost> StartProxyAsync(Way way, PushHost host) => ProxiedHost.StartAsync(
        way == Way.NginxField ? ProxyKind.Nginx : ProxyKind.HAProxy,
        host,
        configuration => IsProtocol(way)
            ? configuration.With(host.Public.Authority, $"{host.Public.Authority} {(way == Way.HAProxyProtocol1 ? "send-proxy" : "send-proxy-v2")}").With("    option forwardfor\n", string.Empty)
            : configuration);

    private static bool IsProtocol(Way way) => way is Way.HAProxyProtocol1 or Way.HAProxyProtocol2;

    private static ValueTask AnswerAsync(IClientConnection client, byte[] payload)
    {
        client.TrySend(MessageKind.Text, Encoding.ASCII.GetBytes($"{client.RemoteAddress}"));
        return ValueTask.CompletedTask;
    }

    private static async Task<RawClient> UpgradeAsync(ProxiedHost proxied, string source, string fields = "")
    {
        var client = await RawClient.ConnectAsync(proxied.Proxy.Plain.Port, source: source);
        await client.SendAsync(Heads.Upgrade("/whoami", fields));
        return client;
    }

    /// <summary>Whom a WebSocket client is taken for.</summary>
    private static async Task<string> AskAsync(ProxiedHost proxied, string source, string fields = "")
    {
        await using var client = await UpgradeAsync(proxied, source, fields);
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await client.SendAsync(ClientFrames.Text("?"));
        return (await client.ReadFrameAsync()).Text;
    }

    /// <summary>Whom ASP.NET Core takes a client for.</summary>
    private static async Task<string> GetAsync(ProxiedHost proxied, string source)
    {
        await using var client = await RawClient.ConnectAsync(proxied.Proxy.Plain.Port, source: source);
        await client.SendAsync(Heads.Get("/ip"));
        return (await client.ReadResponseAsync()).Body;
    }
}
