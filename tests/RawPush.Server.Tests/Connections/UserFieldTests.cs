using System.Net;
using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;
using static RawPush.Server.Tests.Connections.ProxyHost;

namespace RawPush.Server.Tests.Connections;

/// <summary>Who a client is, where a trusted proxy says so, whatever it speaks and whoever reads its request.</summary>
public sealed class UserFieldTests
{
    public static TheoryData<string> Targets => ["upgrade", "events", "lines", "wait"];

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task AUserIsThereAsLongAsItsConnection(string kind)
    {
        await using var host = await StartAsync();
        await using var client = await host.ConnectFromAsync(Proxy);
        await client.SendAsync(HeadOf(kind, "X-User: Ann Ö.\r\n"));
        await UntilAsync(host, "Ann Ö.");
        await client.DisposeAsync();
        await UntilAsync(host);
    }

    [Theory]
    [InlineData("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", "events")]
    [InlineData("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", "upgrade")]
    [InlineData("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", "wait")]
    public async Task AlsoOnAConnectionOfKestrels(string before, string kind)
    {
        await using var host = await StartAsync();
        await using var client = await host.ConnectFromAsync(Proxy);
        await client.SendAsync(before);
        await client.ReadResponseAsync();
        await client.SendAsync(HeadOf(kind, "X-User: Ann Ö.\r\n"));
        await UntilAsync(host, "Ann Ö.");
        await client.DisposeAsync();
        await UntilAsync(host);
    }

    [Theory]
    [InlineData(Stranger, "X-User: ann\r\n")]
    [InlineData(Stranger, "X-User: ann\r\nX-User: bob\r\n")]
    [InlineData(Stranger, "X-Forwarded-For: 127.0.0.2\r\nX-User: ann\r\n")]
    [InlineData(Proxy, "X-User:\r\n")]
    [InlineData(Proxy, "X-Users: ann\r\nX-Use: ann\r\nY-User: ann\r\n")]
    [InlineData(Proxy, "")]
    public async Task WhoIsNotToldOfByATrustedProxyIsNobodyInParticular(string peer, string fields)
    {
        await using var host = await StartAsync();
        foreach (string kind in new[] { "upgrade", "events" })
        {
            await using var client = await host.ConnectFromAsync(peer);
            await client.SendAsync(HeadOf(kind, fields));
            Assert.Matches("^HTTP/1.1 (101|200) ", await client.ReadHeadAsync());
            var report = await FindAsync(host);
            Assert.Equal((1, 0), (report.Subscribers, report.Users!.Count));
        }
    }

    [Theory]
    [InlineData("X-User: ann\r\nX-User: bob\r\n")]
    [InlineData("X-User: ann\r\nx-user:\r\n")]
    [InlineData("X-User: a\tb\r\n")]
    [InlineData("X-User: 256\r\n")]
    public async Task ANameThatIsNoneIsRefused(string fields)
    {
        await using var host = await StartAsync();
        foreach (string kind in new[] { "upgrade", "events", "wait" })
        {
            await using var client = await host.ConnectFromAsync(Proxy);
            await client.SendAsync(HeadOf(kind, fields.Replace("256", new string('a', 256), StringComparison.Ordinal)));
            var (head, body) = await client.ReadResponseAsync();
            Assert.StartsWith("HTTP/1.1 400 ", head, StringComparison.Ordinal);
            Assert.Equal("the user's name must come once, and be 1 to 255 bytes of UTF-8 without control characters\n", body);
        }
    }

    [Fact]
    public async Task ANameOfOtherBytesThanUtf8IsRefused()
    {
        await using var host = await StartAsync();
        await using var client = await host.ConnectFromAsync(Proxy);
        await client.SendAsync(Encoding.Latin1.GetBytes(HeadOf("upgrade", "X-User: \u00FF\r\n")));
        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task BehindAProxyHeaderItHasToBeTrustedWhomThatNames()
    {
        await using var host = await StartAsync(options => options.ProxyProtocol = true);
        await using var stranger = await host.ConnectFromAsync(Proxy);
        await stranger.SendAsync((byte[])[.. Line(Client), .. Encoding.ASCII.GetBytes(HeadOf("upgrade", "X-User: ann\r\n"))]);
        await stranger.ReadHeadAsync();
        Assert.Equal(0, (await FindAsync(host)).Users!.Count);
        await using var proxy = await host.ConnectFromAsync(Proxy);
        await proxy.SendAsync((byte[])[.. Line(SecondProxy), .. Encoding.ASCII.GetBytes(HeadOf("upgrade", "X-User: ann\r\n"))]);
        await UntilAsync(host, "ann");
    }

    [Fact]
    public async Task PresenceIsToldOnTheInternalListenerAlone_AndToThoseWhoGet()
    {
        await using var host = await StartAsync();
        using var ofNobody = await host.Http.GetAsync("/channels/a/presence", Patience.Token);
        Assert.Equal(("application/json", "no-store"), (ofNobody.Content.Headers.ContentType?.ToString(), ofNobody.Headers.CacheControl?.ToString()));
        Assert.Equal(
            """{"channel":"a","subscribers":0,"users":{"count":0,"names":[],"complete":true},"nodes":{"known":1,"answered":1,"connected":true}}""",
            await ofNobody.Content.ReadAsStringAsync(Patience.Token));
        using var head = await host.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/channels/a/presence"), Patience.Token);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        using var put = await host.Http.PutAsync("/channels/a/presence", null, Patience.Token);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, put.StatusCode);
        foreach (var (target, status) in new[] { ("/channels/a%20b/presence", 400), ("/channels/a,b/presence", 400), ("/channels/a**/presence", 400), ("/channels/a/b/presence", 400), ("/channels//presence", 400) })
        {
            await using var asking = await host.ConnectAsync(host.Internal);
            await asking.SendAsync(Heads.Get(target));
            Assert.StartsWith($"HTTP/1.1 {status} ", (await asking.ReadResponseAsync()).Head, StringComparison.Ordinal);
        }

        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Get("/channels/a/presence"));
        Assert.StartsWith("HTTP/1.1 404 ", (await client.ReadResponseAsync()).Head, StringComparison.Ordinal);
    }

    private static Task<PushHost> StartAsync(Action<RawPushOptions>? configure = null) => ProxyHost.StartAsync(options =>
    {
        options.UserField = "X-User";
        configure?.Invoke(options);
    });

    private static string HeadOf(string kind, string fields) => kind switch
    {
        "upgrade" => Heads.Upgrade("/channels/a", fields),
        "events" => Heads.Events("/channels/a", fields),
        "lines" => Heads.Lines("/channels/a", fields),
        _ => Heads.Get("/channels/a?wait=30", fields),
    };

    private static async Task<NodePresence> FindAsync(PushHost host) => await host.Get<ChannelHub>().FindPresenceAsync(ChannelFilter.Parse("a"), withUsers: true);

    private static async Task UntilAsync(PushHost host, params string[] users)
    {
        var patience = Patience.Token;
        while (!(await FindAsync(host)).Users!.Names.SequenceEqual(users))
        {
            await Task.Delay(5, patience);
        }
    }
}
