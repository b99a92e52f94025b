using System.Diagnostics;
using System.Globalization;
using NATS.Client.Core;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Cluster;
using RawPush.Swarm.Measuring;
using RawPush.Swarm.Resuming;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Bus;

/// <summary>A node that forwards messages from NATS to one client, at a steady rate and then at rates that grow until it does not keep up.</summary>
internal sealed class ForwardRun(BusOptions options, string folder, IProgressView view)
{
    private const double StepSeconds = 2;
    private const double StepFactor = 2;
    private const double FirstStepPerSecond = 25_000;

    // Beyond that it is the publisher, in this process, that does not keep up.
    private const double LastStepPerSecond = 400_000;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // With logs that are long enough it is the inbox that fills, and not the client who cannot follow.
    private static readonly string[] Settings = ["RawPush:ChannelsPerConnectionMax=1024", "RawPush:LogEntriesMax=262144", "RawPush:LogBytesMax=268435456", "RawPush:Nats:InterestLinger=00:00:01"];

    private readonly Filling _filling = Filling.Of("json", options.PayloadBytes);
    private long _arrived;
    private long _lastArrival;

    public async Task<ForwardResult> RunAsync()
    {
        var rows = new List<ForwardRow>();
        foreach (string stage in options.Stages)
        {
            using var members = new ClusterMembers(MembersOf(stage), Directory.CreateDirectory(Path.Combine(folder, stage)).FullName);
            await members.StartAsync();
            await using var connection = new NatsConnection(new NatsOpts { Url = $"nats://127.0.0.1:{members.NatsPorts[0]}" });

            int cases = 0;

            // Patterns come last: the node listens to them for a while after they are gone.
            foreach (string pattern in (string[])["none", "elsewhere", "matching"])
            {
                foreach (int channels in (int[])[1, options.Channels])
                {
                    view.Phase($"{stage}: {channels} channels, pattern {pattern}");
                    rows.Add(await MeasureAsync(new Case(stage, $"f{cases++}", channels, pattern), members, connection));
                }
            }
        }

        return new ForwardResult
        {
            Started = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            Machine = MachineInfo.Describe(),
            MessagesPerSecond = options.MessagesPerSecond,
            PayloadBytes = options.PayloadBytes,
            Seconds = options.Seconds,
            Rows = rows,
        };
    }

    private async Task<ForwardRow> MeasureAsync(Case what, ClusterMembers members, NatsConnection connection)
    {
        using var client = await WebSocketReader.OpenAsync(members.PublicPorts[0], string.Join(',', what.Names), OnPayload);
        using var other = what.Pattern == "none" ? null : await WebSocketReader.OpenAsync(members.PublicPorts[0], what.Pattern == "matching" ? $"{what.Root}.*" : "elsewhere.*", static _ => { });
        string[] subjects = [.. what.Names.Select(name => $"rawpush.in.{name}")];
        await LoadAsync(connection, subjects, options.MessagesPerSecond, 1);
        var (node, nats) = CpuSeconds(members);
        var load = await LoadAsync(connection, subjects, options.MessagesPerSecond, options.Seconds);
        var (nodeAfter, natsAfter) = CpuSeconds(members);
        var row = new ForwardRow
        {
            Stage = what.Stage,
            Channels = what.Channels,
            Pattern = what.Pattern,
            Published = load.Published,
            Delivered = load.Delivered,
            NodeMicros = 1e6 * (nodeAfter - node) / load.Published,
            NatsMicros = 1e6 * (natsAfter - nats) / load.Published,
        };
        return what.Pattern == "matching" ? row : await OverloadAsync(row, connection, subjects);
    }

    private async Task<ForwardRow> OverloadAsync(ForwardRow row, NatsConnection connection, string[] subjects)
    {
        for (double rate = FirstStepPerSecond; rate <= LastStepPerSecond; rate *= StepFactor)
        {
            var load = await LoadAsync(connection, subjects, rate, StepSeconds);
            if (load.Delivered < load.Published)
            {
                return row with { OverloadedPerSecond = load.DeliveredPerSecond };
            }

            row = row with { KeptUpPerSecond = Math.Max(row.KeptUpPerSecond ?? 0, load.DeliveredPerSecond) };
        }

        return row;
    }

    // Over when all has come, or nothing more comes.
    private async Task<Load> LoadAsync(NatsConnection connection, string[] subjects, double perSecond, double seconds)
    {
        Volatile.Write(ref _arrived, 0);
        long began = Stopwatch.GetTimestamp();
        Volatile.Write(ref _lastArrival, began);
        await SteadyPace.RunAsync(perSecond, seconds, number => Publish(connection, subjects[number % subjects.Length], number));
        await connection.PingAsync();
        long published = (long)(perSecond * seconds);
        long quietSince = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref _arrived) < published && Stopwatch.GetElapsedTime(Math.Max(quietSince, Volatile.Read(ref _lastArrival))) < Patience)
        {
            await Task.Delay(Poll);
        }

        long delivered = Volatile.Read(ref _arrived);
        return new Load(published, delivered, delivered / Stopwatch.GetElapsedTime(began, Volatile.Read(ref _lastArrival)).TotalSeconds);
    }

    private void Publish(NatsConnection connection, string subject, uint number)
    {
        byte[] bytes = new byte[options.PayloadBytes];
        new Payload(0, 0, number, Stopwatch.GetTimestamp()).WriteTo(bytes, _filling);
        var publishing = connection.PublishAsync(subject, bytes);
        if (!publishing.IsCompletedSuccessfully)
        {
            publishing.AsTask().GetAwaiter().GetResult();
        }
    }

    private void OnPayload(Payload payload)
    {
        Volatile.Write(ref _lastArrival, Stopwatch.GetTimestamp());
        Interlocked.Increment(ref _arrived);
    }

    private MemberOptions MembersOf(string stage) => new()
    {
        Promise = stage == "jetstream" ? Promise.JetStream : Promise.Core,
        Nodes = 1,
        NatsServers = 1,
        Server = options.Server,
        Settings = [.. Settings, .. options.Settings],
    };

    private static (double Node, double Nats) CpuSeconds(ClusterMembers members) => (ProcessTree.Read(members.Nodes[0].Pid).CpuSeconds, ProcessTree.Read(members.Nats[0].Pid).CpuSeconds);

    private readonly record struct Load(long Published, long Delivered, double DeliveredPerSecond);

    private sealed record Case(string Stage, string Root, int Channels, string Pattern)
    {
        // Short, for a thousand of them to stand in one address.
        public IEnumerable<string> Names => Enumerable.Range(0, Channels).Select(channel => $"{Root}.{channel}");
    }
}
