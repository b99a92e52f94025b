using System.Text;
using Microsoft.Extensions.Time.Testing;
using RawPush.Server.Connections;
using RawPush.Server.Tests.Fixture;
using RawPush.Server.Tests.Polls;
using RawPush.TestKit;
using static RawPush.Server.Tests.Connections.ProxyHost;

namespace RawPush.Server.Tests.Connections;

/// <summary>Connections that trusted proxies begin with a PROXY header: whom they come from, wherever they are cut, and whatever follows.</summary>
public sealed class ProxyProtocolTests
{
    private const string NoHeader = "a proxy begins this connection with a PROXY protocol header\n";

    public static TheoryData<byte[], string, string> Headers => new()
    {
        { Line(Client), Client, $"{Client} 56324" },
        { Line("2001:db8::1"), "2001:db8::1", "2001:db8::1 56324" },
        { Binary(Client), Client, $"{Client} 56324" },
        { Binary("2001:db8::1"), "2001:db8::1", "2001:db8::1 56324" },
        { "PROXY UNKNOWN\r\n"u8.ToArray(), Proxy, Proxy },
        { Local(), Proxy, Proxy },
    };

    public static TheoryData<string> Violations => new()
    {
        Heads.Upgrade("/whoami"),
        Heads.Get("/hello"),
        "PROXY TCP4 192.0.2.1 127.0.0.1 1 x\r\n" + Heads.Get("/hello"),
        "PROXY UDP4 192.0.2.1 127.0.0.1 1 2\r\n",
        "\r\n\r\n\0\r\nQUIT\n\u0011",
        "x",
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task AWebSocketComesFromWhomTheHeaderNamesWhereverItIsCut(byte[] header, string expected, string _)
    {
        await using var host = await StartProxiedAsync();
        byte[] wire = [.. header, .. Encoding.ASCII.GetBytes(Heads.Upgrade("/whoami")), .. ClientFrames.Text("?")];
        for (int cut = 1; cut < header.Length + 20; cut++)
        {
            await using var client = await host.ConnectFromAsync(Proxy);
            await client.SendAsync(wire.AsMemory(0, cut));
            await host.SettleAsync();
            await client.SendAsync(wire.AsMemory(cut));
            Assert.Equal(expected, await client.ReadWhoAsync());
        }

        Assert.Empty(host.Logs.AboveDebug);
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task AByteAtATimeIsReadAsWell(byte[] header, string expected, string _)
    {
        await using var host = await StartProxiedAsync();
        await using var client = await host.ConnectFromAsync(Proxy);
        foreach (byte one in header)
        {
            await client.SendAsync((byte[])[one]);
            await host.SettleAsync();
        }

        Assert.Equal(expected, await client.AskAsync());
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task AspNetCoreSeesItsClientsAsTheHeaderNamesThem(byte[] header, string expected, string endPoint)
    {
        await using var host = await StartProxiedAsync();
        await using var client = await host.ConnectFromAsync(Proxy);
        await client.SendAsync((byte[])[.. header, .. Encoding.ASCII.GetBytes(Heads.Get("/ip"))]);
        Assert.StartsWith(endPoint, (await client.ReadResponseAsync()).Body, StringComparison.Ordinal);
        await client.SendAsync(Heads.Get("/ip"));
        Assert.StartsWith(endPoint, (await client.ReadResponseAsync()).Body, StringComparison.Ordinal);
        Assert.Equal(expected, await client.AskAsync());
    }

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task AProxyThatSendsNoHeaderIsRefused(string wire)
    {
        await using var host = await StartProxiedAsync();
        await using var client = await host.ConnectFromAsync(Proxy);
        await client.SendAsync(Encoding.Latin1.GetBytes(wire));
        var (head, body) = await client.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 400 ", head, StringComparison.Ordinal);
        Assert.Equal(NoHeader, body);
        Assert.Empty(await client.ReadToEndAsync());
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FromAStrangerAHeaderIsJustABadRequest(bool isBinary)
    {
        await using var host = await StartProxiedAsync();
        await using (var client = await host.ConnectFromAsync(Stranger))
        {
            await client.SendAsync((byte[])[.. isBinary ? Binary(Client) : Line(Client), .. Encoding.ASCII.GetBytes(Heads.Get("/ip"))]);
            Assert.StartsWith("HTTP/1.1 400 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        }

        await using var other = await host.ConnectFromAsync(Stranger);
        Assert.Equal(Stranger, await other.AskAsync());
    }

    [Fact]
    public async Task WithoutTheSettingAHeaderIsJustABadRequest()
    {
        await using var host = await StartAsync();
        await using var client = await host.ConnectFromAsync(Proxy);
        await client.SendAsync((byte[])[.. Line(Client), .. Encoding.ASCII.GetBytes(Heads.Get("/ip"))]);
        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheInternalListenerTakesNoHeaders()
    {
        await using var host = await StartProxiedAsync();
        await using var client = await host.ConnectFromAsync(Proxy, host.Internal);
        Assert.Equal(Proxy, await client.AskAsync());
    }

    [Theory]
    [InlineData(SecondProxy, "X-Forwarded-For: 192.0.2.1\r\n", Client)]
    [InlineData(SecondProxy, "X-Forwarded-For: 192.0.2.1, 127.0.0.2\r\n", Client)]
    [InlineData(OtherClient, "X-Forwarded-For: 192.0.2.1\r\n", OtherClient)]
    public async Task BehindAHeaderTheFieldsOfAnotherProxyCountAndThoseOfAStrangerDoNot(string named, string fields, string expected)
    {
        await using var host = await StartProxiedAsync();
        await using var client = await host.ConnectFromAsync(Proxy);
        Assert.Equal(expected, await client.AskAsync(fields, Line(named)));
    }

    [Fact]
    public async Task EveryPollOfAConnectionComesFromTheSameClient()
    {
        await using var host = await StartProxiedAsync(connectionsMax: 1);
        var table = host.Get<HandshakeLimits>().Addresses!;
        await using var client = await host.ConnectFromAsync(Proxy);
        await client.SendAsync(Binary(Client));
        for (int i = 0; i < 5; i++)
        {
            await host.ParkAsync(client, "/channels/a?wait=300");
            await using (var same = await host.ConnectFromAsync(Proxy))
            {
                await same.SendAsync(Line(Client));
                Assert.Equal(503, (await same.PollAsync("/channels/a")).Status);
            }

            await using (var other = await host.ConnectFromAsync(Proxy))
            {
                await other.SendAsync(Line(OtherClient));
                Assert.Equal(200, (await other.PollAsync("/channels/a")).Status);
            }

            await host.PublishAsync("a", $"{i}");
            Assert.Equal([$"{i}"], (await client.ReadAnswerAsync()).Data);
            await UntilAsync(() => table.Count == 0);
        }

        Assert.Equal(5, host.Metrics.LimitReached("AddressConnections"));
        await client.SendAsync(Heads.Get("/ip"));
        Assert.Equal($"{Client} 56324", (await client.ReadResponseAsync()).Body);
    }

    [Fact]
    public async Task AHeaderThatDoesNotComeIsWaitedForAsLongAsARequest()
    {
        var time = new FakeTimeProvider();
        await using var host = await StartAsync(options => options.ProxyProtocol = true, time);
        await using var silent = await host.ConnectFromAsync(Proxy);
        await using var slow = await host.ConnectFromAsync(Proxy);
        await slow.SendAsync(Line(Client).AsMemory(0, 10));
        await using var half = await host.ConnectFromAsync(Proxy);
        await half.SendAsync((byte[])[.. Line(Client), .. Encoding.ASCII.GetBytes("GET /channels/a HT")]);
        await UntilAsync(() => host.Get<ConnectionLoops>().All.Sum(loop => loop.Count) == 3);
        await host.SettleAsync();
        await host.AdvanceAsync(TimeSpan.FromSeconds(12));
        Assert.Empty(await silent.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 408 ", await slow.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 408 ", await half.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AProxyThatLeavesInTheMiddleOfItsHeaderLeavesNothingBehind()
    {
        await using var host = await StartProxiedAsync();
        for (int length = 0; length < Line(Client).Length; length += 5)
        {
            await using var client = await host.ConnectFromAsync(Proxy);
            await client.SendAsync(Line(Client).AsMemory(0, length));
            client.EndSending();
            await client.ReadUntilGoneAsync();
        }

        await UntilAsync(() => host.Get<ConnectionLoops>().All.Sum(loop => loop.Count) == 0);
        Assert.Empty(host.Logs.AboveDebug);
    }

    private static Task<PushHost> StartProxiedAsync(int connectionsMax = 0) => StartAsync(options =>
    {
        options.ProxyProtocol = true;
        options.AddressConnectionsMax = connectionsMax;
    });
}
