using System.Diagnostics;
using System.Globalization;
using HdrHistogram;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Measuring;
using RawPush.Swarm.Resuming;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Cluster;

/// <summary>Takes one run over several nodes through its phases: servers, clients, load with kills, drain, verdict.</summary>
internal sealed class ClusterRun(ClusterOptions options, string folder, IProgressView view)
{
    // Channels that one pattern stands for.
    private const int GroupSize = 5;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(60);

    private readonly ChannelMap _channels = new(options.Channels, Math.Max(1, options.Channels / GroupSize));
    private readonly PublishCounts _counts = new();
    private readonly List<Kill> _kills = [];
    private readonly string _started = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public async Task<ClusterResult> RunAsync()
    {
        using var members = new ClusterMembers(options, folder);
        view.Phase("servers");
        await members.StartAsync();
        using var swarm = new Running.Swarm(Plans(members));
        int open = await OpenAsync(swarm);
        long began = Stopwatch.GetTimestamp();
        var publishers = await LoadAsync(swarm, members);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await DrainAsync(swarm, publishers);
        var (sum, latencies, returns) = await swarm.ReportReturnsAsync();
        FillReturns(returns);
        var verdict = sum.Verdict!;
        long silent = ExplainLosses(verdict.Losses!, publishers, members);
        return new ClusterResult
        {
            Mode = options.Promise.ToString().ToLowerInvariant(),
            Started = _started,
            Machine = MachineInfo.Describe(),
            Nodes = options.Nodes,
            NatsServers = options.NatsServers,
            Clients = options.Clients,
            Open = open,
            Channels = options.Channels,
            ManyPercent = options.ManyPercent,
            MessagesPerSecond = options.MessagesPerSecond,
            Seconds = options.Seconds,
            Seed = options.Seed,
            Truth = SentenceOf(verdict),
            Verdict = verdict,
            SilentLosses = silent,
            Publishing = FiguresOf(_counts),
            Deliveries = new DeliveryFigures(sum.Messages, sum.Messages / seconds, Ms(latencies, 50), Ms(latencies, 99), Ms(latencies, 100)),
            Kills = _kills,
            FaultsLogged = new SortedDictionary<string, long>(members.Nodes.ToDictionary(node => node.Name, node => CountFaults(node.LogFile)), StringComparer.Ordinal),
            LastError = swarm.LastError,
        };
    }

    /// <summary>Nodes with one log announce nothing, as they have everything: where they do, something that was acknowledged is lost all the same.</summary>
    private string SentenceOf(Verdict verdict) => verdict.IsClean && options.Promise == Promise.JetStream && verdict.MissedInGaps > 0
        ? $"{verdict.MissedInGaps} acknowledged messages were announced as missing"
        : verdict.Sentence();

    private static PublishFigures FiguresOf(PublishCounts counts) => new()
    {
        Acknowledged = counts.Acknowledged,
        Unknown = counts.Unknown,
        NeverTaken = counts.NeverTaken,
        Refusals = counts.Refusals,
        P50Ms = Ms(counts.Micros, 50),
        P99Ms = Ms(counts.Micros, 99),
        MaxMs = Ms(counts.Micros, 100),
    };

    private WorkerPlan[] Plans(ClusterMembers members)
    {
        int processes = Math.Min(options.Processes, options.Clients);
        return [.. Enumerable.Range(0, processes).Select(index => new WorkerPlan
        {
            Dialect = "ws",
            Host = "127.0.0.1",
            Ports = members.PublicPorts,
            Target = "/channels/{channel}",
            FirstClient = (int)((long)options.Clients * index / processes),
            Clients = WorkerPlans.Share(options.Clients, processes, index),
            Channels = options.Channels,
            Groups = _channels.Groups,
            ManyPercent = options.ManyPercent,
            Promise = options.Promise,
            Publishers = 1,
            RampPerSecond = 0,
            SourceAddresses = 4,
            SlowPercent = 0,
            SlowBytesPerSecond = 0,
            HostilePeers = 0,
            Transports = options.Transports,
            PollEveryMs = 500,
            Seed = options.Seed,
            IsTruthKept = true,
            MessageBytes = options.MessageBytes,
            Payload = "x",
            Compression = false,
        })];
    }

    private async Task<int> OpenAsync(Running.Swarm swarm)
    {
        view.Phase("clients");
        swarm.Order("open");
        long started = Stopwatch.GetTimestamp();
        while (swarm.Open < swarm.Clients && Stopwatch.GetElapsedTime(started) < OpenTimeout)
        {
            view.Update(swarm.Open, swarm.Clients);
            await Task.Delay(Poll);
        }

        // Polls count as open before they are answered, and NATS servers tell each other of interest in their own time.
        await Task.Delay(TimeSpan.FromSeconds(2));
        return swarm.Open;
    }

    private async Task<ChannelPublisher[]> LoadAsync(Running.Swarm swarm, ClusterMembers members)
    {
        view.Phase("load");
        swarm.Order("reset");
        swarm.Order("begin");
        await swarm.ReportEachAsync();
        swarm.Order(string.Create(CultureInfo.InvariantCulture, $"reconnect {options.MoveEverySeconds}"));
        var filling = Filling.Of("x", options.MessageBytes);
        ChannelPublisher[] publishers =
            [.. Enumerable.Range(0, options.Channels).Select(channel => new ChannelPublisher(channel, _channels.NameOf(channel), options, members, filling, _counts))];
        var killer = new Killer(options, members, kill => Begin(kill, swarm));
        long started = Stopwatch.GetTimestamp();
        var work = Task.WhenAll(
        [
            .. publishers.Select(publisher => Task.Run(() => publisher.RunAsync(started))),
            options.KillsNats ? killer.RunAsync(isNats: true, started) : Task.CompletedTask,
            options.KillsNodes ? killer.RunAsync(isNats: false, started) : Task.CompletedTask,
        ]);
        while (!work.IsCompleted)
        {
            view.Update(_counts.Acknowledged, (long)(options.MessagesPerSecond * options.Seconds));
            await Task.WhenAny(work, Task.Delay(Poll));
        }

        Array.ForEach(publishers, publisher => publisher.Dispose());
        await work;
        return publishers;
    }

    private void Begin(Kill kill, Running.Swarm swarm)
    {
        // Two killers, and workers count marks in the order of these.
        lock (_kills)
        {
            _kills.Add(kill);
            swarm.Order("mark");
        }
    }

    /// <summary>Nobody moves any more, and everybody comes to the last acknowledged message of its channels, or has had the time for it.</summary>
    private async Task DrainAsync(Running.Swarm swarm, ChannelPublisher[] publishers)
    {
        view.Phase("drain");
        swarm.Order("reconnect 0");
        swarm.Order("last " + new Fates([.. publishers.Select(publisher => publisher.Ledger.Fate)]));
        long started = Stopwatch.GetTimestamp();
        while (swarm.Behind is not 0 && Stopwatch.GetElapsedTime(started).TotalSeconds < options.DrainSeconds)
        {
            view.Update(swarm.Clients - (swarm.Behind ?? swarm.Clients), swarm.Clients);
            await Task.Delay(Poll);
        }

        // Whatever a server still sends is something that it has sent before.
        await Task.Delay(TimeSpan.FromSeconds(1));
    }

    private void FillReturns(LongHistogram[] returns)
    {
        foreach (var (kill, micros) in _kills.Zip(returns))
        {
            kill.Returned = micros.TotalCount;
            kill.DownP50Ms = Ms(micros, 50);
            kill.DownP99Ms = Ms(micros, 99);
            kill.DownMaxMs = Ms(micros, 100);
        }
    }

    /// <summary>Says of each loss how the messages had been published, and counts those that no later message could have told of.</summary>
    private static long ExplainLosses(List<Loss> losses, ChannelPublisher[] publishers, ClusterMembers members)
    {
        long silent = 0;
        for (int i = 0; i < losses.Count; i++)
        {
            var loss = losses[i];
            var ledger = publishers[loss.Channel].Ledger;
            bool isHeard = loss.HeardAfter.Contains(ledger.LifeOf(loss.From));
            silent += isHeard ? 0 : 1;
            var published = new[] { loss.From, loss.To }.Distinct().Select(number => ledger.Tell(number, members.NameOfLife));
            string heard = isHeard ? "later messages of that life came" : "no later message of that life came";
            losses[i] = loss with { Story = $"{loss.Story}; published: {string.Join(", ", published)}; {heard}" };
        }

        return silent;
    }

    private static long CountFaults(string logFile) =>
        File.ReadLines(logFile).Count(line => line.StartsWith("fail", StringComparison.Ordinal) || line.StartsWith("crit", StringComparison.Ordinal) || line.Contains("Unhandled", StringComparison.Ordinal));

    private static double Ms(LongHistogram micros, double percentile) => micros.TotalCount == 0 ? 0 : micros.GetValueAtPercentile(percentile) / 1000.0;
}
