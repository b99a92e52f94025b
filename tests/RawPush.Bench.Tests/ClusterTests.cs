using System.Diagnostics;
using System.Text.Json;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Server.Hosting;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Cluster;

namespace RawPush.Bench.Tests;

/// <summary>A small cluster of real processes, one of which is killed.</summary>
public sealed class ClusterTests
{
    private const int LieExitCode = 3;

    [Fact]
    public async Task Clients_and_publishers_that_move_between_nodes_are_told_the_truth_while_one_is_killed()
    {
        string json = Path.GetTempFileName();
        string[] arguments =
        [
            typeof(Payload).Assembly.Location, "cluster", "--mode", "core", "--server", typeof(RawPushOptions).Assembly.Location, "--nodes", "2", "--nats", "1",
            "--clients", "60", "--channels", "10", "--patterns", "30", "--rate", "100", "--seconds", "12", "--move-every", "2", "--kill", "node", "--kill-every", "4", "--down", "1",
            "--json", json,
        ];
        using var run = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string errors = await run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(run.ExitCode is 0 or LieExitCode, errors + await output);
        var result = JsonSerializer.Deserialize(await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken), ClusterJson.Default.ClusterResult)!;
        File.Delete(json);
        AssertNoLie(result, errors);
        Assert.Equal(run.ExitCode == 0, result.IsKept);
        Assert.Equal((60, 1200), (result.Open, result.Publishing.Acknowledged + result.Publishing.Unknown));
        Assert.True(result.Verdict.Moves > 0 && result.Verdict.Gaps["epoch"] > 0, errors);
        Assert.Equal(5, result.Verdict.Reconnects.Count);
        Assert.StartsWith("node-", Assert.Single(result.Kills).Server, StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_that_nobody_confirms_is_told_from_one_that_nothing_was_published()
    {
        Assert.Equal(PublishFate.Unknown, PublishConnection.FateOf(503, BusFaults.NotConfirmed().Message));
        Assert.Equal(PublishFate.Refused, PublishConnection.FateOf(503, "the server is cut off from the others at the moment; nothing was published"));
        Assert.Equal(PublishFate.Acknowledged, PublishConnection.FateOf(200, "{}"));
    }

    /// <summary>A node may die with a message that it has acknowledged and NATS has not got, and nobody else knows of it: nodes without a common log do not promise more.</summary>
    private static void AssertNoLie(ClusterResult result, string errors)
    {
        var verdict = result.Verdict;
        Assert.True(verdict.Repeated + verdict.OutOfOrder + verdict.Malformed + verdict.FalseGaps + verdict.UnannouncedEpochs + verdict.LostAtEnd == 0, errors);
        Assert.True(verdict.Losses!.Count == result.SilentLosses, errors);
    }
}
