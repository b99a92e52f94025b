using RawPush.Fanout.Channels;
using RawPush.Server.Hosting;

namespace RawPush.Bench.Tests;

/// <summary>Clients that are cut all the time and come back with their position, each time on another transport.</summary>
public sealed class ReturningClientsTests
{
    [Theory]
    [InlineData(10_000)]
    [InlineData(5)]   // Gone before some come back: what they missed is announced, and truly missing.
    public async Task Clients_that_come_back_on_any_transport_miss_nothing_that_they_are_not_told_of(int historyEntries)
    {
        await using var host = await SwarmHost.StartAsync(options => options.Namespaces.Add(
            new NamespaceOptions { Pattern = ">", HistoryEntries = historyEntries, LagPolicy = LagPolicy.Skip }));
        await host.RunAsync("--clients 200 --transports all --reconnect-every 0.5 --channels 5 --publish batch --rate 300 --load 5");
    }
}
