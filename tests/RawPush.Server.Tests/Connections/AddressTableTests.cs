using Microsoft.Extensions.Time.Testing;
using RawPush.Protocol.Proxy;
using RawPush.Server.Connections;

namespace RawPush.Server.Tests.Connections;

/// <summary>What is remembered of addresses, and for how long.</summary>
public sealed class AddressTableTests
{
    [Fact]
    public void AnAddressIsForgottenWithItsLastConnection()
    {
        using var table = new AddressTable(connectionsMax: 2, handshakesPerSecond: 0, new FakeTimeProvider());
        Assert.Equal(AdmissionLimit.None, table.TryEnter(Address(1), out var first));
        Assert.Equal(AdmissionLimit.None, table.TryEnter(Address(1), out var second));
        Assert.Same(first, second);
        Assert.Equal(AdmissionLimit.AddressConnections, table.TryEnter(Address(1), out var none));
        Assert.Null(none);
        table.Leave(first!);
        Assert.Equal(1, table.Count);
        table.Leave(second!);
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void AnAddressThatHasGoneIsRememberedUntilItsBucketIsFull()
    {
        var time = new FakeTimeProvider();
        using var table = new AddressTable(connectionsMax: 0, handshakesPerSecond: 2, time);
        ComeAndGo(table, 1);
        ComeAndGo(table, 1);
        Assert.Equal(AdmissionLimit.AddressHandshakes, table.TryEnter(Address(1), out _));
        time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(1, table.Count);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, table.Count);
        ComeAndGo(table, 1);
        ComeAndGo(table, 1);
        Assert.Equal(AdmissionLimit.AddressHandshakes, table.TryEnter(Address(1), out _));
    }

    [Fact]
    public void OneThatComesAgainAndAgainDoesNotKeepTheOthers()
    {
        var time = new FakeTimeProvider();
        using var table = new AddressTable(connectionsMax: 0, handshakesPerSecond: 1000, time);
        for (int i = 0; i < 1000; i++)
        {
            ComeAndGo(table, i);
        }

        // Its bucket is never full from here on: it takes what comes in.
        Assert.Equal(1000, table.Count);
        ComeAndGo(table, 0, 500);
        for (int i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            ComeAndGo(table, 0, 100);
        }

        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void OneThatStaysIsKept()
    {
        var time = new FakeTimeProvider();
        using var table = new AddressTable(connectionsMax: 1, handshakesPerSecond: 2, time);
        ComeAndGo(table, 1);
        Assert.Equal(AdmissionLimit.None, table.TryEnter(Address(1), out var entry));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(AdmissionLimit.AddressConnections, table.TryEnter(Address(1), out _));
        table.Leave(entry!);
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public async Task ThreadsThatComeAndGoLeaveNothingBehind()
    {
        var time = new FakeTimeProvider();
        using var table = new AddressTable(connectionsMax: 3, handshakesPerSecond: 100_000, time);
        int most = 0;
        int inside = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                if (table.TryEnter(Address(7), out var entry) == AdmissionLimit.None)
                {
                    int now = Interlocked.Increment(ref inside);
                    int seen = Volatile.Read(ref most);
                    while (now > seen && (seen = Interlocked.CompareExchange(ref most, now, seen)) < now)
                    {
                    }

                    Interlocked.Decrement(ref inside);
                    table.Leave(entry!);
                }
            }
        })));
        Assert.InRange(most, 1, 3);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public async Task ABucketGivesNoMoreThanItHasHoweverManyTake()
    {
        var time = new FakeTimeProvider();
        var rate = new RateLimit(1000, time);
        long fullAt = 0;
        int taken = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                if (rate.TryTake(ref fullAt))
                {
                    Interlocked.Increment(ref taken);
                }
            }
        })));
        Assert.Equal(1000, taken);
        Assert.False(rate.IsFull(fullAt));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(rate.IsFull(fullAt));
    }

    private static HostAddress Address(int number) => new(new UInt128(0, 0x0000_FFFF_0000_0000 + (ulong)number));

    private static void ComeAndGo(AddressTable table, int number, int times = 1)
    {
        for (int i = 0; i < times; i++)
        {
            Assert.Equal(AdmissionLimit.None, table.TryEnter(Address(number), out var entry));
            table.Leave(entry!);
        }
    }
}
