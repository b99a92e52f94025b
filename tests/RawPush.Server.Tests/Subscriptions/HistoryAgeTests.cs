using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Channels;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Subscriptions;

/// <summary>What is kept gets old.</summary>
public sealed class HistoryAgeTests
{
    [Fact]
    public async Task ChannelsThatNobodyUsesAreGoneWhenTheirMessagesAreTooOld()
    {
        const int Channels = 20_000;
        await using var host = await StartAsync(TimeSpan.FromSeconds(30));
        for (int i = 0; i < Channels; i++)
        {
            await host.PublishAsync($"c.{i}", "once");
        }

        var hub = host.Get<ChannelHub>();
        Assert.Equal(Channels, hub.ChannelCount);
        Assert.True(hub.Budget.LogBytes > 0);
        await host.AdvanceAsync(TimeSpan.FromSeconds(28));
        Assert.Equal(Channels, hub.ChannelCount);
        await host.AdvanceAsync(TimeSpan.FromSeconds(4));
        Assert.Equal((0, 0), (hub.ChannelCount, hub.Budget.LogBytes));

        await host.PublishAsync("c.7", "again");
        Assert.Equal(1, hub.ChannelCount);
    }

    [Fact]
    public async Task WhatIsTooOldIsAGapForWhoComesBackAndNobodyElse()
    {
        await using var host = await StartAsync(TimeSpan.FromSeconds(10));
        string seen = (await host.PublishAsync("a", "seen")).Id.ToString();
        string missed = (await host.PublishAsync("a", "missed")).Id.ToString();
        await host.AdvanceAsync(TimeSpan.FromSeconds(12));
        await host.PublishAsync("a", "new");
        await using var late = await Feed.OpenAsync(host, FeedKind.Lines, "a", $"after={seen}");
        var gap = await late.NextAsync();
        Assert.Equal(("retention", missed), (gap.Reason, gap.Id));
        Assert.Equal(["new"], await late.NextAsync(1));
        await using var fresh = await Feed.OpenAsync(host, FeedKind.Lines, "a", "after=earliest");
        Assert.Equal(["new"], await fresh.NextAsync(1));
    }

    [Fact]
    public async Task AChannelWithASubscriberStaysWithoutItsMessages()
    {
        await using var host = await StartAsync(TimeSpan.FromSeconds(10));
        await using var client = await Feed.OpenAsync(host, FeedKind.Lines, "a");
        await host.PublishAsync("a", "x");
        Assert.Equal(["x"], await client.NextAsync(1));
        await host.AdvanceAsync(TimeSpan.FromSeconds(12));
        Assert.Equal((1, 0), (host.Get<ChannelHub>().ChannelCount, host.Get<ChannelHub>().Describe(ChannelName.Parse("a"))!.Entries));
    }

    private static Task<PushHost> StartAsync(TimeSpan age) => PushHost.StartAsync(setup =>
    {
        setup.Time = new FakeTimeProvider();
        setup.Options = options => options.Namespaces.Add(new NamespaceOptions { Pattern = ">", HistoryEntries = 10, HistoryAge = age });
    });
}
