using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Resuming;
using RawPush.Swarm.Running;

namespace RawPush.Bench.Tests;

/// <summary>A swarm that leaves and comes back finds out a server that does not keep its place, and does not accuse one that does.</summary>
public sealed class ResumeTests
{
    private const int LieExitCode = 3;

    [Theory]
    [InlineData("http", 1)]
    [InlineData("batch", 2)]
    public async Task A_server_that_keeps_everybodys_place_is_believed(string publish, int publishers)
    {
        using var server = new ResumableServer();
        var (exitCode, verdict) = await RunAsync(server, $"--publish {publish} --publishers {publishers}");

        Assert.True(exitCode == 0, verdict.Summary());
        Assert.Equal(TransportNames.Read("all").Select(TransportNames.NameOf).Order(StringComparer.Ordinal), verdict.Reconnects.Keys);
        Assert.True(verdict.IsClean && verdict.EndedByServer > 0, verdict.Summary());
        Assert.Empty(verdict.Gaps);
    }

    [Fact]
    public async Task A_server_that_tells_of_its_gaps_is_believed()
    {
        // Each channel gets 100 messages a second and keeps a fifth of a second: less than many are away.
        using var server = new ResumableServer(logEntriesMax: 20);
        var (exitCode, verdict) = await RunAsync(server, "--publish batch");

        Assert.True(exitCode == 0 && verdict.MissedInGaps > 0, verdict.Summary());
    }

    [Theory]
    [InlineData("drop")]
    [InlineData("repeat")]
    [InlineData("gap")]
    public async Task A_server_that_lies_is_found_out(string lie)
    {
        using var server = new ResumableServer(lie);
        var (exitCode, verdict) = await RunAsync(server, "--publish batch");

        Assert.True(exitCode == LieExitCode, verdict.Summary());
        Assert.True(lie switch { "drop" => verdict.Lost, "repeat" => verdict.Repeated, _ => verdict.FalseGaps } > 0, verdict.Summary());
    }

    private static async Task<(int ExitCode, Verdict Verdict)> RunAsync(ResumableServer server, string options)
    {
        string port = server.Port.ToString(CultureInfo.InvariantCulture);
        string[] arguments =
        [
            typeof(Payload).Assembly.Location, "run", "--port", port, "--publish-port", port, "--transports", "all", "--reconnect-every", "0.5", "--poll-every", "50",
            "--clients", "60", "--channels", "4", "--rate", "400", "--load", "2", "--settle", "0", "--no-warm-up", .. options.Split(' '),
        ];
        using var run = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string result = await run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.False(result.Length == 0, await errors);
        return (run.ExitCode, JsonSerializer.Deserialize(result, ResultJson.Default.RunResult)!.Verdict!);
    }
}
