using System.Diagnostics;

namespace RawPush.Swarm.Cluster;

/// <summary>A server of the cluster: a process that is killed and started again, and ends with us however we end. What it says goes to a file.</summary>
/// <remarks>Killed and started by one caller at a time.</remarks>
internal sealed class ClusterProcess : IDisposable
{
    // The server does not look at its input; a watcher beside it does. Whatever ends us ends the pipe, and that the server. A line sends the watcher home.
    private const string EndsWithItsInput = "exec 3<&0; (read -r _ <&3 || kill -KILL $$) >/dev/null 2>&1 & exec \"$@\" 3<&- </dev/null >>\"$0\" 2>&1";

    private readonly string[] _command;
    private Process? _process;

    public ClusterProcess(string name, string logFile, params string[] command)
    {
        Name = name;
        LogFile = logFile;
        _command = command;
    }

    /// <summary>What it is called in results.</summary>
    public string Name { get; }

    public string LogFile { get; }

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Its number. It must have been started.</summary>
    public int Pid => _process!.Id;

    public void Start()
    {
        // Debian has nats-server where only root looks for it.
        var start = new ProcessStartInfo("sh", ["-c", EndsWithItsInput, LogFile, .. _command])
        {
            RedirectStandardInput = true,
            Environment = { ["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin" },
        };
        _process = Process.Start(start)!;
    }

    /// <summary>Ends it as a crash would (<c>kill -9</c>), and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        if (_process is null)
        {
            return;
        }

        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();

        // Without the line the watcher would kill by the number of a process that is no more.
        await _process.StandardInput.WriteLineAsync();
        _process.StandardInput.Close();
        _process.Dispose();
        _process = null;
    }

    public void Dispose() => KillAsync().GetAwaiter().GetResult();
}
