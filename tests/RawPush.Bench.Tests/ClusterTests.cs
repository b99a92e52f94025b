using System.Diagnostics;
using System.Text.Json;
using RawPush.Server.Hosting;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Cluster;

namespace RawPush.Bench.Tests;

/// <summary>A small cluster of real processes, one of which is killed.</summary>
public sealed class ClusterTests
{
    [Fact]
    public async Task Clients_and_publishers_that_move_between_nodes_are_told_the_truth_while_one_is_killed()
    {
        string json = Path.GetTempFileName();
        string[] arguments =
        [
            typeof(Payload).Assembly.Location, "cluster", "--mode", "core", "--server", typeof(RawPushOptions).Assembly.Location, "--nodes", "2", "--nats", "1",
            "--clients", "60", "--channels", "10", "--patterns", "30", "--rate", "100", "--seconds", "13", "--move-every", "2", "--kill", "node", "--kill-every", "10", "--down", "1",
            "--json", json,
        ];
        using var run = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string errors = await run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(run.ExitCode == 0, errors + await output);
        var result = JsonSerializer.Deserialize(await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken), ClusterJson.Default.ClusterResult)!;
        File.Delete(json);
        Assert.Equal((60, 1300), (result.Open, result.Publishing.Acknowledged + result.Publishing.Unknown));
        Assert.True(result.Verdict.Moves > 0 && result.Verdict.Gaps["epoch"] > 0, errors);
        Assert.Equal(5, result.Verdict.Reconnects.Count);
        Assert.StartsWith("node-", Assert.Single(result.Kills).Server, StringComparison.Ordinal);
    }
}
