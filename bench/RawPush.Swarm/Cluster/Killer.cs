using System.Diagnostics;
using System.Globalization;

namespace RawPush.Swarm.Cluster;

/// <summary>One end that was put to a server, and how it came back.</summary>
internal sealed record Kill
{
    public required string Server { get; init; }

    /// <summary>UTC, as in the servers' logs.</summary>
    public required string At { get; init; }

    /// <summary>Seconds from its start to when it works again: a NATS server listens, a node takes messages.</summary>
    public double StartSeconds { get; set; }

    /// <summary>Clients that got something which was due after the kill.</summary>
    public long Returned { get; set; }

    /// <summary>How long after the kill they did.</summary>
    public double DownP50Ms { get; set; }

    public double DownP99Ms { get; set; }

    public double DownMaxMs { get; set; }
}

/// <summary>Kills servers of one kind, one in each period at a moment that chance chooses, and starts them again.</summary>
internal sealed class Killer(ClusterOptions options, ClusterMembers members, Action<Kill> onKill)
{
    // The last ones are back, and what they have kept from anybody shows with the next message, before publishing ends.
    private const double QuietSecondsAtTheEnd = 8;

    public Task RunAsync(bool isNats, long started)
    {
        var random = new Random(options.Seed + (isNats ? 1 : 2));
        return RunAsync(isNats, started, random);
    }

    private async Task RunAsync(bool isNats, long started, Random random)
    {
        double room = Math.Max(0, options.KillEverySeconds - options.DownSeconds - 2);
        for (double period = 0; ; period += options.KillEverySeconds)
        {
            double at = period + (random.NextDouble() * room);
            if (at + options.DownSeconds + QuietSecondsAtTheEnd > options.Seconds)
            {
                return;
            }

            double wait = at - Stopwatch.GetElapsedTime(started).TotalSeconds;
            await Task.Delay(TimeSpan.FromSeconds(Math.Max(0, wait)));
            await KillAsync(isNats, random.Next(isNats ? options.NatsServers : options.Nodes));
        }
    }

    private async Task KillAsync(bool isNats, int index)
    {
        var process = isNats ? members.Nats[index] : members.Nodes[index];
        var kill = new Kill { Server = process.Name, At = DateTime.UtcNow.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture) };
        onKill(kill);
        await (isNats ? process.KillAsync() : members.KillNodeAsync(index));
        await Task.Delay(TimeSpan.FromSeconds(options.DownSeconds));
        long started = Stopwatch.GetTimestamp();
        process.Start();
        await (isNats ? members.WaitUntilNatsListensAsync(index) : members.WaitUntilNodePublishesAsync(index));
        kill.StartSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
