using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Channels;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Subscriptions;

/// <summary>History gives way when memory is short, and live delivery goes on.</summary>
public sealed class MemoryTests
{
    [Fact]
    public async Task HistoryStaysWithinTheBudgetAndIsAGapForWhoComesBack()
    {
        await using var host = await PushHost.StartAsync(setup =>
        {
            setup.Time = new FakeTimeProvider();
            setup.Options = options =>
            {
                options.MemoryBudgetBytes = RawPushOptions.MemoryBudgetBytesMin;
                options.Namespaces.Add(new NamespaceOptions { Pattern = ">", HistoryEntries = 100, HistoryBytes = 1 << 30 });
            };
        });
        var budget = host.Get<ChannelHub>().Budget;
        await using var live = await host.UpgradeAsync("/channels/a");
        string first = (await host.PublishAsync("a", "first")).Id.ToString();
        await live.ReadFrameAsync();
        string large = new('x', 1_000_000);
        for (int i = 0; i < 2 * budget.BytesMax / large.Length; i++)
        {
            await host.PublishAsync("a", large);
            Assert.Equal(large.Length, (await live.ReadFrameAsync()).Payload.Length);
            Assert.InRange(budget.LogBytes, 0, budget.BytesMax);
        }

        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        var gauges = Read(host.Get<IMeterFactory>());
        Assert.Equal(budget.BytesMax, gauges["rawpush.memory.budget"]);
        Assert.InRange(gauges["rawpush.memory.logs"], 1, 0.96 * budget.BytesMax);
        Assert.InRange(gauges["rawpush.memory.history_share"], 0, 1);
        Assert.InRange(gauges["rawpush.memory.lag_share"], 0, 1);
        Assert.Equal(0, gauges["rawpush.memory.connections"]);
        Assert.InRange(gauges["rawpush.entries.shed"], 1, 1000);
        Assert.Equal((1, 0), (gauges["rawpush.channels.active"], gauges["rawpush.patterns.active"]));
        await using var late = await Feed.OpenAsync(host, FeedKind.Lines, "a", $"after={first}");
        Assert.Equal("retention", (await late.NextAsync()).Reason);
        await host.PublishAsync("a", "live");
        Assert.Equal("live", (await live.ReadFrameAsync()).Text);
        Assert.Empty(host.Logs.AboveDebug);
    }

    /// <summary>What the host's observable instruments say at this moment.</summary>
    private static Dictionary<string, double> Read(IMeterFactory meters)
    {
        var values = new Dictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "RawPush.Server" && instrument.Meter.Scope == meters && instrument.IsObservable)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }
}
