using System.Diagnostics;
using System.Text.Json;

namespace RawPush.Swarm.Running;

/// <summary>A worker as the coordinator sees it.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process _process;
    private readonly object _lock = new();
    private TaskCompletionSource<WorkerReport>? _full;

    public WorkerProcess(WorkerPlan plan)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(WorkerProcess).Assembly.Location);
        }

        start.ArgumentList.Add("worker");
        _process = Process.Start(start)!;
        Order(JsonSerializer.Serialize(plan, WorkerJson.Default.WorkerPlan));
        new Thread(ReadReports) { IsBackground = true }.Start();
    }

    public int Id => _process.Id;

    /// <summary>The latest report, at most a fifth of a second old.</summary>
    public WorkerReport Latest { get; private set; } = new();

    public void Order(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Asks for a report with latencies. What was ordered before has been done when it comes.</summary>
    public Task<WorkerReport> ReportAsync()
    {
        lock (_lock)
        {
            _full = new TaskCompletionSource<WorkerReport>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        Order("report");
        return _full.Task;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Order("exit");
            if (!_process.WaitForExit(5000))
            {
                _process.Kill();
            }
        }

        _process.Dispose();
    }

    private void ReadReports()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            Latest = JsonSerializer.Deserialize(line, WorkerJson.Default.WorkerReport)!;
            if (Latest.Latencies is not null)
            {
                lock (_lock)
                {
                    _full?.TrySetResult(Latest);
                }
            }
        }

        lock (_lock)
        {
            _full?.TrySetException(new InvalidOperationException("a worker process has ended"));
        }
    }
}
