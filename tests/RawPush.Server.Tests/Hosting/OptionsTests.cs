using Microsoft.Extensions.Options;
using RawPush.Fanout.Channels;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Hosting;

/// <summary>A setting out of its range stops the start, and is named with its range.</summary>
public sealed class OptionsTests
{
    public static TheoryData<Action<NamespaceOptions>, string?> NamespaceCases => new()
    {
        { settings => settings.Pattern = "a", null },
        { settings => settings.Pattern = ">", null },
        { settings => settings.Pattern = "a.*.>", null },
        { settings => settings.Pattern = "a*", "Pattern is 'a*': * and > stand for whole tokens of a channel name: a.* or a.>" },
        { settings => settings.Pattern = ">.a", "Pattern is '>.a': > stands for the rest of a channel name and comes last" },
        { settings => settings.Pattern = string.Empty, "Pattern is '': " },
        { settings => settings.Pattern = "rawpush.a", "Pattern is 'rawpush.a': " },
        { settings => settings.HistoryEntries = -1, "HistoryEntries is -1; it must be from 0 to 1048576" },
        { settings => settings.HistoryEntries = 0, null },
        { settings => settings.HistoryEntries = 1 << 20, null },
        { settings => settings.HistoryEntries = (1 << 20) + 1, "HistoryEntries is 1048577; it must be from 0 to 1048576" },
        { settings => settings.HistoryBytes = 0, "HistoryBytes is 0; it must be from 1 to 9223372036854775807" },
        { settings => settings.HistoryBytes = 1, null },
        { settings => settings.HistoryAge = TimeSpan.FromMilliseconds(999), "HistoryAge is 00:00:00.9990000; it must be from 00:00:01 to 30.00:00:00" },
        { settings => settings.HistoryAge = TimeSpan.FromSeconds(1), null },
        { settings => settings.HistoryAge = TimeSpan.FromDays(30), null },
        { settings => settings.HistoryAge = TimeSpan.FromDays(30) + TimeSpan.FromTicks(1), "HistoryAge is 30.00:00:00.0000001; it must be from 00:00:01 to 30.00:00:00" },
        { settings => settings.LagPolicy = LagPolicy.Skip, null },
        { settings => settings.LagPolicy = LagPolicy.Conflate, "LagPolicy is Conflate, which keeps the newest message of each key: it needs HistoryEntries" },
        { settings => (settings.LagPolicy, settings.HistoryEntries) = (LagPolicy.Conflate, 1), null },
    };

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(NamespaceCases))]
    public void ANamespaceIsWithinItsLimits(Action<NamespaceOptions> change, string? fault)
    {
        var options = new RawPushOptions();
        options.Namespaces.Add(new NamespaceOptions { Pattern = "first" });
        var settings = new NamespaceOptions { Pattern = "a" };
        change(settings);
        options.Namespaces.Add(settings);
        AssertFault(options, fault is null ? null : $"RawPush:Namespaces:1:{fault}");
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void ThereAreAsManyNamespacesAsOneCanLookThrough(int count, bool isValid)
    {
        var options = new RawPushOptions();
        options.Namespaces.AddRange(Enumerable.Range(0, count).Select(i => new NamespaceOptions { Pattern = $"a{i}" }));
        AssertFault(options, isValid ? null : "RawPush:Namespaces is 65; it must be from 0 to 64");
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(RawPushOptions.MemoryBudgetBytesMin - 1, false)]
    [InlineData(RawPushOptions.MemoryBudgetBytesMin, true)]
    [InlineData(long.MaxValue, true)]
    public void AMemoryBudgetIsLargeEnoughToWorkWith(long bytes, bool isValid)
    {
        string fault = $"RawPush:MemoryBudgetBytes is {bytes}; it must be from {RawPushOptions.MemoryBudgetBytesMin} to {long.MaxValue}";
        AssertFault(new RawPushOptions { MemoryBudgetBytes = bytes }, isValid ? null : fault);
    }

    [Theory]
    [InlineData(-1, 0, 0, "ClientMessagesPerSecond is -1; it must be from 0 to 1073741824")]
    [InlineData(0, -1, 0, "ClientBytesPerSecond is -1; it must be from 0 to 1073741824")]
    [InlineData(0, 0, -1, "ClientMessageRateMin is -1; it must be from 0 to 1048576")]
    [InlineData(0, 0, 0, null)]
    [InlineData(1, 1, 1, null)]
    [InlineData(1 << 30, 1 << 30, 1 << 20, null)]
    [InlineData((1 << 30) + 1, 0, 0, "ClientMessagesPerSecond is 1073741825; it must be from 0 to 1073741824")]
    [InlineData(0, (1 << 30) + 1, 0, "ClientBytesPerSecond is 1073741825; it must be from 0 to 1073741824")]
    [InlineData(0, 0, (1 << 20) + 1, "ClientMessageRateMin is 1048577; it must be from 0 to 1048576")]
    public void WhatAClientMaySendHasItsRange(int messages, int bytes, int rate, string? fault)
    {
        var options = new RawPushOptions { ClientMessagesPerSecond = messages, ClientBytesPerSecond = bytes, ClientMessageRateMin = rate };
        AssertFault(options, fault is null ? null : $"RawPush:{fault}");
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("2001:db8::/32", true)]
    [InlineData("0.0.0.0/0", true)]
    [InlineData("::/0", true)]
    [InlineData("unix", true)]
    [InlineData("", false)]
    [InlineData("Unix", false)]
    [InlineData("localhost", false)]
    [InlineData("10", false)]
    [InlineData("10.1/16", false)]
    [InlineData("10.0.0.0/33", false)]
    [InlineData("10.0.0.0/", false)]
    [InlineData("[::1]", false)]
    [InlineData("127.0.0.1:80", false)]
    [InlineData("fe80::1%lo", false)]
    public void AProxyIsAnAddressANetworkOrUnix(string proxy, bool isValid)
    {
        var options = new RawPushOptions { ProxyProtocol = true };
        options.TrustedProxies.AddRange([proxy]);
        AssertFault(options, isValid ? null : $"RawPush:TrustedProxies:0 is '{proxy}': write an address, a network as 10.0.0.0/8, or unix");
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void ThereAreAsManyProxiesAsOneCanLookThrough(int count, bool isValid)
    {
        var options = new RawPushOptions();
        options.TrustedProxies.AddRange(Enumerable.Repeat("10.0.0.0/8", count));
        AssertFault(options, isValid ? null : "RawPush:TrustedProxies is 65; it must be from 0 to 64");
    }

    [Theory]
    [InlineData("X-User", true)]
    [InlineData("", true)]
    [InlineData("X User", false)]
    [InlineData("X-User:", false)]
    public void AUserFieldHasTheNameOfAField(string field, bool isValid)
    {
        var options = new RawPushOptions { UserField = field };
        options.TrustedProxies.Add("10.0.0.0/8");
        AssertFault(options, isValid ? null : $"RawPush:UserField is '{field}': write the name of a field, as X-User");
    }

    [Fact]
    public void AUserFieldThatNobodyIsTrustedWithIsAMistake() => AssertFault(
        new RawPushOptions { UserField = "X-User" }, "RawPush:UserField is 'X-User', and nobody is trusted with it: it needs TrustedProxies");

    [Fact]
    public void HeadersOfProxiesNeedSomebodyToTrust() => AssertFault(
        new RawPushOptions { ProxyProtocol = true }, "RawPush:ProxyProtocol is true, and nobody is trusted with it: it needs TrustedProxies");

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    [InlineData(1_000_000, true)]
    [InlineData(1_000_001, false)]
    public void RatesAreWithinWhatTheClockTells(int rate, bool isValid)
    {
        AssertFault(new RawPushOptions { HandshakesPerSecond = rate }, isValid ? null : $"RawPush:HandshakesPerSecond is {rate}; it must be from 0 to 1000000");
        AssertFault(new RawPushOptions { AddressHandshakesPerSecond = rate }, isValid ? null : $"RawPush:AddressHandshakesPerSecond is {rate}; it must be from 0 to 1000000");
    }

    [Fact]
    public void ANumberOfConnectionsIsNotNegative() =>
        AssertFault(new RawPushOptions { AddressConnectionsMax = -1 }, "RawPush:AddressConnectionsMax is -1; it must be from 0 to 2147483647");

    [Fact]
    public void EveryFaultIsTold()
    {
        var options = new RawPushOptions { Shards = 0 };
        options.Namespaces.Add(new NamespaceOptions { Pattern = "a*", HistoryEntries = -1 });
        options.Namespaces.Add(new NamespaceOptions { LagPolicy = LagPolicy.Conflate });
        Assert.Equal(5, new RawPushOptionsValidator().Validate(null, options).Failures!.Count());
    }

    [Fact]
    public async Task AHostDoesNotStartWithAFault()
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(
            () => PushHost.StartAsync(setup => setup.Options = options => options.Namespaces.Add(new NamespaceOptions { Pattern = "a.**" })));
        Assert.Contains("RawPush:Namespaces:0:Pattern is 'a.**'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheFirstNamespaceThatMatchesCounts()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options =>
        {
            options.Namespaces.Add(new NamespaceOptions { Pattern = "a.b" });
            options.Namespaces.Add(new NamespaceOptions { Pattern = "a.*", HistoryEntries = 1 });
            options.Namespaces.Add(new NamespaceOptions { Pattern = "a.>", HistoryEntries = 2 });
        });
        foreach (var (channel, expected) in ((string, int)[])[("a.b", 0), ("a.c", 1), ("a.c.d", 2), ("b", 0)])
        {
            await host.PublishManyAsync(channel, 5);
            Assert.Equal(expected, host.Get<ChannelHub>().Describe(ChannelName.Parse(channel))?.Entries ?? 0);
        }
    }

    private static void AssertFault(RawPushOptions options, string? fault)
    {
        var result = new RawPushOptionsValidator().Validate(null, options);
        if (fault is null)
        {
            Assert.True(result.Succeeded, result.FailureMessage);
        }
        else
        {
            Assert.StartsWith(fault, Assert.Single(result.Failures!), StringComparison.Ordinal);
        }
    }
}
