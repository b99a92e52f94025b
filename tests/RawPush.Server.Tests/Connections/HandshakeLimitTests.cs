using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using RawPush.Server.Connections;
using RawPush.Server.Tests.Fixture;
using RawPush.Server.Tests.Polls;
using RawPush.TestKit;
using static RawPush.Server.Tests.Connections.ProxyHost;

namespace RawPush.Server.Tests.Connections;

/// <summary>How many clients of one address there may be, and how fast they may come: at the limit, over it, and when others have left.</summary>
public sealed class HandshakeLimitTests
{
    private const string From = "X-Forwarded-For: ";

    [Fact]
    public async Task OneConnectionMoreOfAnAddressIsSentAway()
    {
        await using var host = await StartAsync(options => options.AddressConnectionsMax = 3);
        await using var first = await host.ConnectFromAsync(Stranger);
        await using var second = await host.ConnectFromAsync(Stranger);
        await using var third = await host.ConnectFromAsync(Stranger);
        await using var fourth = await host.ConnectFromAsync(Stranger);
        await using var other = await host.ConnectFromAsync("127.0.0.10");
        Assert.Equal(Stranger, await first.AskAsync());
        await AssertAsync(second, Heads.Events("/channels/a"), 200);
        await host.ParkAsync(third, "/channels/a?wait=300");

        await fourth.SendAsync(Heads.Upgrade("/channels/a"));
        var (head, body) = await fourth.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 503 ", head, StringComparison.Ordinal);
        Assert.Equal("5", RawClient.FieldOf(head, "Retry-After"));
        Assert.Equal("your address has as many connections as it may have\n", body);
        await AssertAsync(other, Heads.Upgrade("/channels/a"), 101);
        Assert.Equal(1, host.Metrics.LimitReached("AddressConnections"));
        Assert.Equal(1, host.Metrics.LimitsReachedInAll);
    }

    [Theory]
    [InlineData("a goodbye")]
    [InlineData("a reset")]
    [InlineData("an end of the stream")]
    [InlineData("a violation")]
    public async Task WhoeverLeavesMakesRoomHoweverItLeaves(string end)
    {
        await using var host = await StartAsync(options => options.AddressConnectionsMax = 1);
        var table = host.Get<HandshakeLimits>().Addresses!;
        for (int i = 0; i < 3; i++)
        {
            await using var client = await host.ConnectFromAsync(Stranger);
            Assert.Equal(Stranger, await client.AskAsync());
            Assert.Equal(1, table.Count);
            await EndAsync(client, end);
            await UntilAsync(() => table.Count == 0);
        }

        Assert.Equal(0, host.Metrics.LimitsReachedInAll);
    }

    [Fact]
    public async Task WhoIsRefusedLaterLeavesNothingBehind()
    {
        await using var host = await StartAsync(options =>
        {
            options.AddressConnectionsMax = 10;
            options.ChannelsMax = 1;
            options.ConnectionsMax = 1;
        });
        var table = host.Get<HandshakeLimits>().Addresses!;
        await using (var client = await host.ConnectFromAsync(Stranger))
        {
            await AssertAsync(client, Heads.Events("/channels/a,b"), 503);
        }

        await using (var client = await host.ConnectFromAsync(Stranger))
        {
            await client.SendAsync(Heads.Get("/hello"));
            await client.ReadResponseAsync();
            await AssertAsync(client, Heads.Events("/channels/a,b"), 503);
        }

        Assert.Equal(2, host.Metrics.LimitReached("Channels"));
        await UntilAsync(() => table.Count == 0);
        await using var first = await host.ConnectFromAsync(Proxy);
        await AssertAsync(first, Heads.Events("/channels/a"), 200);
        await using (var client = await host.ConnectFromAsync(Stranger))
        {
            await AssertAsync(client, Heads.Events("/channels/a"), 503);
        }

        Assert.Equal(1, host.Metrics.LimitReached("Connections"));
        await UntilAsync(() => table.Count == 1);
    }

    [Fact]
    public async Task APollIsAConnectionWhileItIsServed()
    {
        await using var host = await StartAsync(options => options.AddressConnectionsMax = 1);
        await using var client = await host.ConnectFromAsync(Stranger);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await client.PollAsync("/channels/a")).Status);
        }

        await host.ParkAsync(client, "/channels/a?wait=300");
        await using (var other = await host.ConnectFromAsync(Stranger))
        {
            Assert.Equal(503, (await other.PollAsync("/channels/a")).Status);
        }

        client.Reset();
        await UntilAsync(() => host.Get<HandshakeLimits>().Addresses!.Count == 0);
    }

    [Fact]
    public async Task ThoseBehindAProxyAreCountedEachAndIPv6ByNetwork()
    {
        await using var host = await StartAsync(options => options.AddressConnectionsMax = 1);
        await using var first = await host.ConnectFromAsync(Proxy);
        await using var second = await host.ConnectFromAsync(Proxy);
        await using var third = await host.ConnectFromAsync(Proxy);
        await using var fourth = await host.ConnectFromAsync(Proxy);
        await AssertAsync(first, Heads.Events("/channels/a", From + "192.0.2.1\r\n"), 200);
        await AssertAsync(second, Heads.Events("/channels/a", From + "192.0.2.2\r\n"), 200);
        await AssertAsync(third, Heads.Events("/channels/a", From + "2001:db8:1:2:3:4:5:6\r\n"), 200);
        await AssertAsync(fourth, Heads.Events("/channels/a", From + "2001:db8:1:3:3:4:5:6\r\n"), 200);
        foreach (string client in (string[])["192.0.2.1", "::ffff:192.0.2.2", "2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff"])
        {
            await using var again = await host.ConnectFromAsync(Proxy);
            await AssertAsync(again, Heads.Events("/channels/a", $"{From}{client}\r\n"), 503);
        }

        Assert.Equal(4, host.Get<HandshakeLimits>().Addresses!.Count);
    }

    [Fact]
    public async Task AStrangerThatInventsAddressesIsCountedAsOne()
    {
        await using var host = await StartAsync(options => options.AddressConnectionsMax = 1);
        await using var first = await host.ConnectFromAsync(Stranger);
        await AssertAsync(first, Heads.Events("/channels/a", From + "192.0.2.1\r\n"), 200);
        await using var second = await host.ConnectFromAsync(Stranger);
        await AssertAsync(second, Heads.Events("/channels/a", From + "192.0.2.2\r\nForwarded: for=192.0.2.3\r\n"), 503);
    }

    [Fact]
    public async Task AnAddressMayComeSoOftenPerSecond()
    {
        var time = new FakeTimeProvider();
        await using var host = await StartAsync(options => options.AddressHandshakesPerSecond = 4, time);
        await AssertRateAsync(host, Stranger, 4, "your address connects more often than it may\n");
        await AssertRateAsync(host, "127.0.0.10", 4, "your address connects more often than it may\n");
        time.Advance(TimeSpan.FromMilliseconds(250));
        await AssertRateAsync(host, Stranger, 1, "your address connects more often than it may\n");
        time.Advance(TimeSpan.FromMilliseconds(249));
        await AssertRateAsync(host, Stranger, 0, "your address connects more often than it may\n");
        time.Advance(TimeSpan.FromSeconds(60));
        await AssertRateAsync(host, Stranger, 4, "your address connects more often than it may\n");
        Assert.Equal(5, host.Metrics.LimitReached("AddressHandshakes"));
        Assert.Equal(5, host.Metrics.LimitsReachedInAll);
    }

    [Fact]
    public async Task AllTogetherMayComeSoOftenPerSecond()
    {
        var time = new FakeTimeProvider();
        await using var host = await StartAsync(
            options =>
            {
                options.HandshakesPerSecond = 3;
                options.AddressConnectionsMax = 10;
            },
            time);
        await AssertRateAsync(host, Stranger, 3, "too many clients connect at the moment\n");
        await AssertRateAsync(host, "127.0.0.10", 0, "too many clients connect at the moment\n");
        time.Advance(TimeSpan.FromSeconds(1));
        await AssertRateAsync(host, "127.0.0.10", 3, "too many clients connect at the moment\n");
        Assert.Equal(3, host.Metrics.LimitReached("Handshakes"));
        Assert.Equal(3, host.Metrics.LimitsReachedInAll);
        await UntilAsync(() => host.Get<HandshakeLimits>().Addresses!.Count == 0);
    }

    [Fact]
    public async Task AnAddressThatComesTooOftenDoesNotTakeTheShareOfOthers()
    {
        var time = new FakeTimeProvider();
        await using var host = await StartAsync(
            options =>
            {
                options.HandshakesPerSecond = 3;
                options.AddressHandshakesPerSecond = 2;
            },
            time);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(i < 2 ? 200 : 503, await PollFromAsync(host, Stranger));
        }

        Assert.Equal(200, await PollFromAsync(host, "127.0.0.10"));
        Assert.Equal(503, await PollFromAsync(host, "127.0.0.10"));
        Assert.Equal(8, host.Metrics.LimitReached("AddressHandshakes"));
        Assert.Equal(1, host.Metrics.LimitReached("Handshakes"));
    }

    [Fact]
    public async Task ZeroIsNoLimit()
    {
        await using var host = await StartAsync(options => options.HandshakesPerSecond = 0);
        Assert.Null(host.Get<HandshakeLimits>().Addresses);
        await using var client = await host.ConnectFromAsync(Stranger);
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(200, (await client.PollAsync("/channels/a")).Status);
        }
    }

    private static async Task EndAsync(RawClient client, string end)
    {
        switch (end)
        {
            case "a goodbye":
                await client.SendAsync(ClientFrames.Close(1000));
                break;
            case "a reset":
                client.Reset();
                return;
            case "a violation":
                await client.SendAsync((byte[])[0xFF, 0xFF]);
                break;
            default:
                client.EndSending();
                break;
        }

        await client.ReadUntilGoneAsync();
        await client.DisposeAsync();
    }

    private static async Task AssertAsync(RawClient client, string request, int status)
    {
        await client.SendAsync(request);
        Assert.StartsWith($"HTTP/1.1 {status} ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    private static async Task<int> PollFromAsync(PushHost host, string source)
    {
        await using var client = await host.ConnectFromAsync(source);
        return (await client.PollAsync("/channels/a")).Status;
    }

    /// <summary>So many are let in, and one more is sent away for a while.</summary>
    private static async Task AssertRateAsync(PushHost host, string source, int count, string reason)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(200, await PollFromAsync(host, source));
        }

        await using var client = await host.ConnectFromAsync(source);
        var refused = await client.PollAsync("/channels/a");
        Assert.Equal(503, refused.Status);
        Assert.Equal(reason, refused.Body);
        Assert.InRange(int.Parse(RawClient.FieldOf(refused.Head, "Retry-After")!, CultureInfo.InvariantCulture), 5, 30);
    }
}
