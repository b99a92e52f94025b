using System.Diagnostics;
using System.Text.Json;
using RawPush.Server.Hosting;
using RawPush.Swarm.Bus;
using RawPush.Swarm.Clients;

namespace RawPush.Bench.Tests;

/// <summary>The commands that measure nodes on NATS, small, with real servers.</summary>
public sealed class BusTests
{
    [Fact]
    public async Task Every_way_from_node_to_node_is_measured_beside_NATS_alone()
    {
        var result = JsonSerializer.Deserialize(await RunAsync("bus", "--rate", "50", "--seconds", "1", "--stages", "core", "jetstream"), BusJson.Default.BusResult)!;

        Assert.Equal(8, result.Rows.Count);
        Assert.All(result.Rows, row => Assert.Equal((50, 50), (row.Published, row.Delivered)));
        Assert.All(result.Rows, row => Assert.InRange(row.P50Micros, 1, row.P999Micros));
        Assert.All(result.Rows.GroupBy(row => row.Stage), stage => Assert.Equal((1.0, 1.0), (stage.First().P50ToRaw, stage.First().P99ToRaw)));
    }

    [Fact]
    public async Task Interest_is_complete_again_when_NATS_was_killed()
    {
        var result = JsonSerializer.Deserialize(await RunAsync("interest", "--channels", "1500", "--stages", "core"), BusJson.Default.InterestResult)!;

        Assert.Equal(2, result.Connections);
        var nats = Assert.Single(result.Rows).Nats!;
        Assert.InRange(nats.RestartInterestSeconds, nats.RestartListenSeconds, double.MaxValue);
        Assert.InRange(nats.RestartDeliveredSeconds, nats.RestartListenSeconds, double.MaxValue);
        Assert.True(nats.Sample > 90);
    }

    private static async Task<string> RunAsync(string command, params string[] options)
    {
        string json = Path.GetTempFileName();
        string[] arguments = [typeof(Payload).Assembly.Location, command, "--server", typeof(RawPushOptions).Assembly.Location, "--json", json, .. options];
        using var run = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string errors = await run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(run.ExitCode == 0, errors + await output);
        string text = await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken);
        File.Delete(json);
        return text;
    }
}
