using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using NATS.Client.Core;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Cluster;
using RawPush.Swarm.Measuring;
using RawPush.Swarm.Resuming;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Bus;

/// <summary>A node whose clients subscribe to many channels, alone and on NATS, which is then killed and started again.</summary>
internal sealed class InterestRun(BusOptions options, string folder, IProgressView view)
{
    private const int ChannelsPerClient = 1000;
    private const int ClientsAtOnce = 4;
    private const int SampleSize = 100;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Repeat = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    // For the heap to be collected after the crowd has come.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    private readonly int _clients = (options.Channels + ChannelsPerClient - 1) / ChannelsPerClient;
    private readonly int[] _sample = [.. new Random(1).GetItems(Enumerable.Range(0, options.Channels).ToArray(), SampleSize).Distinct()];
    private readonly ConcurrentDictionary<int, bool> _heard = new();

    public async Task<InterestResult> RunAsync()
    {
        var rows = new List<InterestRow>();
        foreach (string stage in options.Stages)
        {
            view.Phase($"{stage}: {options.Channels} channels");
            rows.Add(await MeasureAsync(stage));
        }

        return new InterestResult
        {
            Started = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            Machine = MachineInfo.Describe(),
            Channels = options.Channels,
            Connections = _clients,
            Rows = rows,
        };
    }

    private async Task<InterestRow> MeasureAsync(string stage)
    {
        using var members = new ClusterMembers(MembersOf(stage), Directory.CreateDirectory(Path.Combine(folder, stage)).FullName);
        await members.StartAsync();
        using (await OpenAsync(members, "warm"))
        {
            // What is compiled and made once is not the crowd's.
        }

        var before = Bytes(members);
        var clients = new ConcurrentBag<WebSocketReader>();
        long began = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, _clients, new ParallelOptions { MaxDegreeOfParallelism = ClientsAtOnce }, async (client, _) => clients.Add(await OpenAsync(members, NamesOf(client))));
        double subscribed = Seconds(began);
        var row = new InterestRow { Stage = stage, NodeBytesBefore = before.Node, NodeBytesAfter = 0, SubscribeSeconds = subscribed };
        row = stage == "alone" ? await SettleAsync(row, members) : await MeasureNatsAsync(row, members, before.Nats, began);
        foreach (var client in clients)
        {
            client.Dispose();
        }

        return row;
    }

    private async Task<InterestRow> SettleAsync(InterestRow row, ClusterMembers members)
    {
        await Task.Delay(Settling);
        return row with { NodeBytesAfter = Bytes(members).Node };
    }

    private async Task<InterestRow> MeasureNatsAsync(InterestRow row, ClusterMembers members, long before, long began)
    {
        using var monitor = new NatsMonitor(members.MonitorPorts[0]);
        await UntilAsync("NATS has all interests", async () => await monitor.CountSubscriptionsAsync() >= options.Channels);
        double interest = Seconds(began);
        row = await SettleAsync(row, members);
        long after = Bytes(members).Nats;
        await DeliverSampleAsync(members);
        long subscriptions = await monitor.CountSubscriptionsAsync();

        view.Phase($"{row.Stage}: NATS is killed and started again");
        await members.Nats[0].KillAsync();
        long restarted = Stopwatch.GetTimestamp();
        members.Nats[0].Start();
        await members.WaitUntilNatsListensAsync(0);
        double listen = Seconds(restarted);
        var delivered = DeliverSampleAsync(members);
        await UntilAsync("NATS has all interests again", async () => await monitor.CountSubscriptionsAsync() >= subscriptions);
        double again = Seconds(restarted);
        await delivered;
        double deliveredAfter = Seconds(restarted);
        await Task.Delay(Settling);
        return row with
        {
            Nats = new NatsInterest
            {
                BytesBefore = before,
                BytesAfter = after,
                InterestSeconds = interest,
                RestartListenSeconds = listen,
                RestartInterestSeconds = again,
                RestartDeliveredSeconds = deliveredAfter,
                Sample = _sample.Length,
                NodeBytesAfterRestart = Bytes(members).Node,
                BytesAfterRestart = Bytes(members).Nats,
            },
        };
    }

    // What is published before the node listens again is lost where NATS keeps nothing: it is published until it is heard.
    private async Task DeliverSampleAsync(ClusterMembers members)
    {
        _heard.Clear();
        await using var connection = new NatsConnection(new NatsOpts { Url = $"nats://127.0.0.1:{members.NatsPorts[0]}", RetryOnInitialConnect = true });
        byte[] bytes = new byte[options.PayloadBytes];
        var filling = Filling.Of("x", options.PayloadBytes);
        await UntilAsync("the sample has been delivered", async () =>
        {
            foreach (int channel in _sample.Where(channel => !_heard.ContainsKey(channel)))
            {
                new Payload(0, channel, 0, Stopwatch.GetTimestamp()).WriteTo(bytes, filling);
                await connection.PublishAsync($"rawpush.in.i{channel}", bytes);
            }

            await connection.PingAsync();
            long published = Stopwatch.GetTimestamp();
            while (!_sample.All(_heard.ContainsKey) && Stopwatch.GetElapsedTime(published) < Repeat)
            {
                await Task.Delay(Poll);
            }

            return _sample.All(_heard.ContainsKey);
        });
    }

    private Task<WebSocketReader> OpenAsync(ClusterMembers members, string channels) => WebSocketReader.OpenAsync(members.PublicPorts[0], channels, payload => _heard[payload.Channel] = true);

    private string NamesOf(int client) =>
        string.Join(',', Enumerable.Range(client * ChannelsPerClient, Math.Min(ChannelsPerClient, options.Channels - (client * ChannelsPerClient))).Select(channel => $"i{channel}"));

    private MemberOptions MembersOf(string stage) => new()
    {
        Promise = stage == "jetstream" ? Promise.JetStream : Promise.Core,
        Nodes = 1,
        NatsServers = stage == "alone" ? 0 : 1,
        Server = options.Server,
        Settings = [$"RawPush:ChannelsPerConnectionMax={ChannelsPerClient}", .. options.Settings],
    };

    private static (long Node, long Nats) Bytes(ClusterMembers members) =>
        (ProcessTree.Read(members.Nodes[0].Pid).RssBytes, members.Nats.Sum(server => ProcessTree.Read(server.Pid).RssBytes));

    private static double Seconds(long since) => Stopwatch.GetElapsedTime(since).TotalSeconds;

    private static async Task UntilAsync(string what, Func<Task<bool>> isSo)
    {
        long since = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(since) > Patience)
            {
                throw new InvalidOperationException($"it is not so after {Patience.TotalMinutes} minutes that {what}");
            }

            await Task.Delay(Poll);
        }
    }
}
