using HdrHistogram;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Hostile;
using RawPush.Swarm.Measuring;
using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Running;

/// <summary>All workers together.</summary>
internal sealed class Swarm : IDisposable
{
    private readonly WorkerProcess[] _workers;

    public Swarm(RunOptions options, int clients)
    {
        Clients = clients;
        int processes = Math.Min(options.Processes, clients);
        _workers = [.. Enumerable.Range(0, processes).Select(i => new WorkerProcess(PlanOf(options, clients, processes, i)))];
    }

    public int Clients { get; }

    public int Open => _workers.Sum(worker => worker.Latest.Open);

    public long Opened => _workers.Sum(worker => worker.Latest.Opened);

    public long Failed => _workers.Sum(worker => worker.Latest.Failed);

    public long Dropped => _workers.Sum(worker => worker.Latest.Dropped);

    public long Messages => _workers.Sum(worker => worker.Latest.Messages);

    public string? LastError => _workers.Select(worker => worker.Latest.LastError).FirstOrDefault(error => error is not null);

    public string? Lie => _workers.Select(worker => worker.Latest.Lie).FirstOrDefault(lie => lie is not null);

    /// <summary>Clients that have not come to the end; null until every worker knows of one.</summary>
    public int? Behind => _workers.Aggregate((int?)0, (sum, worker) => sum + worker.Latest.Behind);

    public double CpuSeconds => _workers.Sum(worker => ProcessTree.Read(worker.Id).CpuSeconds);

    public void Order(string line)
    {
        foreach (var worker in _workers)
        {
            worker.Order(line);
        }
    }

    /// <summary>Counts and latencies of all workers; what was ordered before has been done.</summary>
    public async Task<(WorkerReport Sum, LongHistogram Latencies)> ReportAsync()
    {
        var latencies = Latencies.New();
        var reports = await Task.WhenAll(_workers.Select(worker => worker.ReportAsync()));
        var sum = new WorkerReport { Hostile = HostileCount.Sum(reports.Select(report => report.Hostile)) };
        foreach (var report in reports)
        {
            Latencies.AddEncoded(latencies, report.Latencies!);
            sum = sum with
            {
                Messages = sum.Messages + report.Messages,
                Reads = sum.Reads + report.Reads,
                WireBytes = sum.WireBytes + report.WireBytes,
                Inflated = sum.Inflated + report.Inflated,
                Echoes = sum.Echoes + report.Echoes,
                Verdict = report.Verdict is null ? null : (sum.Verdict ?? new Verdict()) + report.Verdict,
            };
        }

        return (sum, latencies);
    }

    public void Dispose()
    {
        foreach (var worker in _workers)
        {
            worker.Dispose();
        }
    }

    private static int Part(int whole, int parts, int index) => (int)((long)whole * (index + 1) / parts) - (int)((long)whole * index / parts);

    private static WorkerPlan PlanOf(RunOptions options, int clients, int processes, int index) => new()
    {
        Dialect = options.Dialect,
        Host = options.Host,
        Port = options.Port,
        Target = options.Target,
        FirstClient = (int)((long)clients * index / processes),
        Clients = Part(clients, processes, index),
        Channels = options.Channels,
        Publishers = options.Publishers,
        RampPerSecond = options.RampPerSecond / processes,
        SourceAddresses = options.SourceAddresses,
        SlowPercent = options.SlowPercent,
        SlowBytesPerSecond = options.SlowBytesPerSecond,
        HostilePeers = Part(options.HostilePeers, processes, index),
        Transports = options.Transports,
        PollEveryMs = options.PollEveryMs,
        Seed = options.Seed,
        IsTruthKept = options.KeepsTruth,
        MessageBytes = options.MessageBytes,
        Payload = options.Payload,
        Compression = options.Compression,
    };
}
