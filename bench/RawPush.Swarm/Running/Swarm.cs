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

    public Swarm(IReadOnlyList<WorkerPlan> plans)
    {
        Clients = plans.Sum(plan => plan.Clients);
        _workers = [.. plans.Select(plan => new WorkerProcess(plan))];
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

    /// <summary>What each worker says, latencies included; what was ordered before has been done.</summary>
    public Task<WorkerReport[]> ReportEachAsync() => Task.WhenAll(_workers.Select(worker => worker.ReportAsync()));

    /// <summary>Counts and latencies of all workers; what was ordered before has been done.</summary>
    public async Task<(WorkerReport Sum, LongHistogram Latencies)> ReportAsync() => Sum(await ReportEachAsync());

    /// <summary>The same, and for each mark how long after it clients got something new.</summary>
    public async Task<(WorkerReport Sum, LongHistogram Latencies, LongHistogram[] Returns)> ReportReturnsAsync()
    {
        var reports = await ReportEachAsync();
        LongHistogram[] returns = [.. reports[0].Returns!.Select(_ => Latencies.New())];
        foreach (var report in reports)
        {
            foreach (var (sum, encoded) in returns.Zip(report.Returns!))
            {
                Latencies.AddEncoded(sum, encoded);
            }
        }

        var (total, latencies) = Sum(reports);
        return (total, latencies, returns);
    }

    public void Dispose()
    {
        foreach (var worker in _workers)
        {
            worker.Dispose();
        }
    }

    private static (WorkerReport Sum, LongHistogram Latencies) Sum(WorkerReport[] reports)
    {
        var latencies = Latencies.New();
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
}
