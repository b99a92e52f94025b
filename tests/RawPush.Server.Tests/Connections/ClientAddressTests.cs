using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;
using static RawPush.Server.Tests.Connections.ProxyHost;

namespace RawPush.Server.Tests.Connections;

/// <summary>Whom a client is taken for: by its connection, and by what proxies that are trusted say of it.</summary>
public sealed class ClientAddressTests
{
    /// <summary>The peer, what it says – first in the field that the server believes –, and who the client is.</summary>
    public static TheoryData<string, string, string> Hops => new()
    {
        // Directly.
        { Stranger, "", Stranger },
        { Proxy, "", Proxy },

        // What strangers say changes nothing.
        { Stranger, "X-Forwarded-For: 192.0.2.1\r\n", Stranger },
        { Stranger, "Forwarded: for=192.0.2.1\r\n", Stranger },
        { Stranger, "X-Forwarded-For: 192.0.2.1, 127.0.0.2\r\n", Stranger },

        // One proxy, and two.
        { Proxy, "X-Forwarded-For: 192.0.2.1\r\n", Client },
        { Proxy, "x-forwarded-for: [2001:db8::1]:80\r\n", "2001:db8::1" },
        { Proxy, "Forwarded: for=192.0.2.1;proto=http\r\n", Client },
        { Proxy, "Forwarded: For=\"[2001:db8::1]:80\"\r\n", "2001:db8::1" },
        { Proxy, "X-Forwarded-For: 192.0.2.1, 127.0.0.3\r\n", Client },
        { Proxy, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 127.0.0.3\r\n", Client },
        { SecondProxy, "Forwarded: for=192.0.2.1, for=127.0.0.2\r\n", Client },
        { Proxy, "X-Forwarded-For: 127.0.0.3\r\n", SecondProxy },
        { Proxy, "X-Forwarded-For: 127.0.0.3, ::ffff:127.0.0.3\r\n", SecondProxy },

        // Behind the first one that is no proxy of ours, anybody may have said anything.
        { Proxy, "X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\n", Client },
        { Proxy, "X-Forwarded-For: 203.0.113.9, 192.0.2.1, 127.0.0.3\r\n", Client },
        { Proxy, "X-Forwarded-For: 127.0.0.3, 192.0.2.1, 127.0.0.3\r\n", Client },
        { Proxy, "X-Forwarded-For: \"\r\nX-Forwarded-For: 192.0.2.1\r\n", Client },
        { Proxy, "Forwarded: for=\"\r\nForwarded: for=192.0.2.1\r\n", Client },

        // The other field is the client's own invention.
        { Proxy, "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=203.0.113.9\r\n", Client },
        { Proxy, "Forwarded: for=192.0.2.1\r\nX-Forwarded-For: 203.0.113.9\r\n", Client },
        { Proxy, "Forwarded: for=unknown\r\nX-Forwarded-For: 192.0.2.1\r\n", Proxy },

        // What cannot be read ends the walk.
        { Proxy, "X-Forwarded-For: unknown\r\n", Proxy },
        { Proxy, "X-Forwarded-For: 192.0.2.1, nonsense, 127.0.0.3\r\n", SecondProxy },
        { Proxy, "Forwarded: for=192.0.2.1, for=_hidden, for=127.0.0.3\r\n", SecondProxy },
        { Proxy, "Forwarded: for=192.0.2.1, by=127.0.0.3\r\n", Proxy },
        { Proxy, "X-Forwarded-For:\r\n", Proxy },
    };

    [Theory]
    [MemberData(nameof(Hops))]
    public async Task AHandlerSeesTheFirstHopThatIsNoProxyWhoeverReadsTheRequest(string peer, string fields, string expected)
    {
        await using var host = await StartAsync(options =>
            options.ForwardedField = fields.StartsWith("Forwarded", StringComparison.Ordinal) ? ForwardedField.Forwarded : ForwardedField.XForwardedFor);
        await using var client = await host.ConnectFromAsync(peer);
        Assert.Equal(expected, await client.AskAsync(fields));

        // The second request behind one of ASP.NET Core's is read there.
        await using var other = await host.ConnectFromAsync(peer);
        await other.SendAsync(Heads.Get("/hello"));
        Assert.Equal(PushHost.Hello, (await other.ReadResponseAsync()).Body);
        Assert.Equal(expected, await other.AskAsync(fields));
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task NobodyIsTrustedUnlessTheSettingsSaySo()
    {
        await using var host = await StartAsync(options => options.TrustedProxies.Clear());
        await using var client = await host.ConnectFromAsync(Proxy);
        Assert.Equal(Proxy, await client.AskAsync("X-Forwarded-For: 192.0.2.1\r\n"));
    }

    [Theory]
    [InlineData(true, Client)]
    [InlineData(false, "nobody")]
    public async Task WhoeverConnectsOverAUnixSocketIsTrustedIfTheSettingsSaySo(bool isTrusted, string expected)
    {
        string path = Path.Combine(Path.GetTempPath(), $"rawpush-{Guid.NewGuid():N}.sock");
        await using var host = await StartAsync(options =>
        {
            options.Public = $"unix:{path}";
            options.TrustedProxies.AddRange(isTrusted ? ["unix"] : []);
        });
        await using (var client = await RawClient.ConnectToPathAsync(path))
        {
            Assert.Equal(expected, await client.AskAsync("X-Forwarded-For: 192.0.2.1\r\n"));
        }

        await using var foreign = await RawClient.ConnectToPathAsync(path);
        await foreign.SendAsync(Heads.Get("/hello"));
        await foreign.ReadResponseAsync();
        Assert.Equal(expected, await foreign.AskAsync("X-Forwarded-For: 192.0.2.1\r\n"));
    }

    [Fact]
    public async Task ARefusalIsLoggedWithTheAddress()
    {
        await using var host = await StartAsync(options => options.AddressConnectionsMax = 1);
        await using var first = await host.ConnectFromAsync(Proxy);
        Assert.Equal(Client, await first.AskAsync("X-Forwarded-For: 192.0.2.1\r\n"));
        await using var second = await host.ConnectFromAsync(Proxy);
        await second.SendAsync(Heads.Events("/channels/a", "X-Forwarded-For: 192.0.2.1\r\n"));
        Assert.StartsWith("HTTP/1.1 503 ", await second.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Contains(host.Logs.Lines, line => line.Message.Contains("of 192.0.2.1 was refused with 503", StringComparison.Ordinal));

        await using var third = await host.ConnectFromAsync(Stranger);
        await third.SendAsync(Heads.Events("/channels/"));
        Assert.StartsWith("HTTP/1.1 400 ", await third.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Contains(host.Logs.Lines, line => line.Message.Contains($"of {Stranger} was refused with 400", StringComparison.Ordinal));
    }
}
