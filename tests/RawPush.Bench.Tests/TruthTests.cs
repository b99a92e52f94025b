using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RawPush.Swarm.Clients;

namespace RawPush.Bench.Tests;

/// <summary>The load generator tells the truth: a server that drops or repeats a message is found out, and an honest one is not accused.</summary>
public sealed class TruthTests
{
    private const int LieExitCode = 3;

    private static readonly string SwarmFile = typeof(Payload).Assembly.Location;

    [Theory]
    [InlineData(null, 0)]
    [InlineData("drop", LieExitCode)]
    [InlineData("repeat", LieExitCode)]
    public async Task A_run_in_truth_mode_ends_as_the_server_deserves(string? lie, int exitCode)
    {
        int port = FreePort();
        using var server = Start(["bare", "--port", Text(port), .. lie is null ? Array.Empty<string>() : ["--lie", lie]]);
        try
        {
            await ListensAsync(port);
            string json = Path.GetTempFileName();
            using var run = Start(
                "run", "--port", Text(port), "--publish-port", Text(port), "--clients", "50", "--rate", "200", "--load", "2", "--truth", "--no-warm-up",
                "--settle", "0", "--json", json);
            await run.WaitForExitAsync(TestContext.Current.CancellationToken);
            string result = await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken);
            File.Delete(json);

            Assert.True(run.ExitCode == exitCode, result);
            Assert.Contains(lie switch { "drop" => "lost", "repeat" => "twice", _ => "\"truth\": \"kept\"" }, result, StringComparison.Ordinal);
        }
        finally
        {
            server.Kill();
        }
    }

    [Fact]
    public void A_message_that_comes_early_is_a_loss_of_the_one_before_it()
    {
        var client = new SwarmClient(7, channel: 1, isSlow: false);
        var truth = new TruthKeeper(publishers: 1);
        truth.Begin(client);

        truth.Check(client, new Payload(0, 1, 1, 0));
        Assert.Null(truth.Lie);
        truth.Check(client, new Payload(0, 1, 3, 0));
        Assert.Contains("message 2 lost at client 7", truth.Lie, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_never_comes_is_found_at_the_end()
    {
        var client = new SwarmClient(7, channel: 1, isSlow: false) { State = ClientState.Open };
        var truth = new TruthKeeper(publishers: 1);
        truth.Begin(client);
        truth.Check(client, new Payload(0, 1, 1, 0));

        // Messages 0 to 4 went to channels 0, 1, 2, 0, 1: two of them to channel 1.
        truth.CheckEnd([client], [5], channels: 3);

        Assert.Contains("came to message 1 of 2", truth.Lie, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_of_another_channel_is_a_lie()
    {
        var client = new SwarmClient(7, channel: 1, isSlow: false);
        var truth = new TruthKeeper(publishers: 1);
        truth.Begin(client);

        truth.Check(client, new Payload(0, 2, 1, 0));

        Assert.NotNull(truth.Lie);
    }

    private static Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo("dotnet", [SwarmFile, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true })!;

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static async Task ListensAsync(int port)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Yield();
            }
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
