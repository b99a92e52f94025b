using System.Net;
using RawPush.Server.Hosting;
using RawPush.Swarm.Hostile;

namespace RawPush.Bench.Tests;

/// <summary>Peers that mean harm: the server puts an end to each, and those who mean well are not touched.</summary>
public sealed class HostilePeersTests
{
    [Fact]
    public async Task Every_hostile_behaviour_is_refused_or_ended_by_the_server_which_is_well_afterwards()
    {
        await using var host = await SwarmHost.StartAsync(options =>
        {
            options.Compression = true;
            options.MessageFragmentsMax = 100;
            options.HandshakeTimeout = options.PingInterval = options.PeerTimeout = options.CloseTimeout = TimeSpan.FromSeconds(1);
        });
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        enough.CancelAfter(TimeSpan.FromMinutes(1));
        var swarm = new HostileSwarm(new IPEndPoint(IPAddress.Loopback, host.Ports[0]), _ => "/channels/c0", Misbehaviour.All.Length, sourceAddresses: 1, seed: 7)
        {
            Choose = peer => Misbehaviour.All[peer.Number],
            Lifetime = _ => 3600,
        };

        while (Misbehaviour.All.Any(one => !IsSettled(swarm, one)) && !enough.IsCancellationRequested)
        {
            swarm.RunOnce();

            // Only from a stream that something is written to can be told that nobody reads it. The pause is the pace of the turns, and waits for nothing.
            await host.PublishAsync("c0", new string('y', 10_000));
            Thread.Sleep(20);
        }

        Assert.Empty(Misbehaviour.All.Where(one => !IsSettled(swarm, one)).Select(one => one.Name));
        swarm.Leave();
        await host.RunAsync("--clients 20 --rate 50 --load 1");
        Assert.Equal(0, host.Ended("Fault"));
    }

    [Fact]
    public async Task Honest_clients_get_everything_beside_hostile_ones_deflated_or_not()
    {
        await using var host = await SwarmHost.StartAsync(options =>
        {
            options.Compression = true;
            options.Namespaces.Add(new NamespaceOptions { Pattern = ">", HistoryEntries = 10_000 });
        });

        string result = await host.RunAsync(
            "--clients 200 --transports all --reconnect-every 0.5 --channels 5 --publish batch --rate 200 --load 4 --hostile 50 --compression --payload json --size 512");

        Assert.Equal(0, host.Ended("Fault"));
        Assert.DoesNotContain("\"inflated\": 0", result, StringComparison.Ordinal);
        Assert.Contains("\"inflated\":", result, StringComparison.Ordinal);
        Assert.All(Misbehaviour.All, one => Assert.Contains($"\"{one.Name}\": {{", result, StringComparison.Ordinal));
    }

    private static bool IsSettled(HostileSwarm swarm, Misbehaviour misbehaviour) =>
        swarm.Counts.TryGetValue(misbehaviour.Name, out var count) && (misbehaviour.IsForServerToEnd ? count.Refused + count.Ended : count.Begun) > 0;
}
