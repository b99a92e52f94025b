using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace RawPush.TestKit.Nats;

/// <summary>One run of nats-server, from its launch to its end.</summary>
internal sealed class NatsProcess : IDisposable
{
    // The server does not look at its input; a watcher beside it does. Whatever ends the tests ends the pipe, and that the server. A line sends the watcher home.
    private const string EndsWithItsInput = "exec 3<&0; (read -r _ <&3 || kill -KILL $$) >/dev/null 2>&1 & exec \"$@\" 3<&- </dev/null";

    private const string ReadySign = "Server is ready";

    // waitid(2).
    private const int OfOneProcess = 1;
    private const int HasStopped = 2;
    private const int HasContinued = 8;

    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly TaskCompletionSource<bool> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private bool _isOver;

    private NatsProcess(Process process)
    {
        _process = process;
        _reading = ReadLogAsync();
    }

    private enum Signal
    {
        Kill = 9,
        Terminate = 15,
        Continue = 18,
        Stop = 19,
    }

    /// <summary>How long it may take over what it must do. Never reached when all is well.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    public bool IsPaused { get; private set; }

    /// <summary>What it has written so far.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    public static NatsProcess Launch(string configurationFile)
    {
        // Debian has it where only root looks for it.
        var start = new ProcessStartInfo("sh", ["-c", EndsWithItsInput, "sh", "nats-server", "-c", configurationFile])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            Environment = { ["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin" },
        };
        return new NatsProcess(Process.Start(start)!);
    }

    /// <summary>Waits until it says that it listens.</summary>
    public async Task WaitUntilReadyAsync()
    {
        await FinishAsync(_ready.Task, "become ready");
        if (!await _ready.Task)
        {
            throw new InvalidOperationException($"nats-server ended before it was ready. Where it is missing, tests/clients/install.sh installs it.\n{Log}");
        }
    }

    public Task KillAsync() => EndAsync(Signal.Kill);

    public async Task StopAsync()
    {
        // What is paused hears of nothing else.
        await ContinueAsync();
        await EndAsync(Signal.Terminate);
    }

    /// <summary>Halts it in the middle of what it does. Its sockets stay open.</summary>
    public async Task PauseAsync()
    {
        if (!IsPaused)
        {
            await ChangeAsync(Signal.Stop, HasStopped);
            IsPaused = true;
        }
    }

    public async Task ContinueAsync()
    {
        if (IsPaused)
        {
            await ChangeAsync(Signal.Continue, HasContinued);
            IsPaused = false;
        }
    }

    public void Dispose() => _process.Dispose();

    private async Task EndAsync(Signal signal)
    {
        if (_isOver)
        {
            return;
        }

        if (!HasEnded)
        {
            // Unless it ends by itself just now: nobody is there to get the signal then.
            _ = Kill(Id, (int)signal);
        }

        await FinishAsync(_process.WaitForExitAsync(), "end");
        await FinishAsync(_reading, "close its log");
        _isOver = true;
        IsPaused = false;

        // Without the line the watcher would kill by the number of a process that is no more.
        await _process.StandardInput.WriteLineAsync();
        _process.StandardInput.Close();
    }

    private async Task ChangeAsync(Signal signal, int change)
    {
        Send(signal);

        // A signal is sent before it is obeyed, and a server has several threads that obey.
        await FinishAsync(Task.Run(() => WaitForChange(change)), $"obey {signal}");
    }

    private void Send(Signal signal)
    {
        if (Kill(Id, (int)signal) != 0)
        {
            throw new InvalidOperationException($"kill({Id}, {signal}) failed with errno {Marshal.GetLastPInvokeError()}.\n{Log}");
        }
    }

    private void WaitForChange(int change)
    {
        byte[] information = new byte[128];
        if (WaitForState(OfOneProcess, Id, information, change) != 0)
        {
            throw new InvalidOperationException($"waitid({Id}) failed with errno {Marshal.GetLastPInvokeError()}.\n{Log}");
        }
    }

    private async Task FinishAsync(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"nats-server did not {what}.\n{Log}", exception);
        }
    }

    private async Task ReadLogAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_log)
            {
                _log.AppendLine(line);
            }

            if (line.EndsWith(ReadySign, StringComparison.Ordinal))
            {
                _ready.TrySetResult(true);
            }
        }

        _ready.TrySetResult(false);
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    [DllImport("libc", EntryPoint = "waitid", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int WaitForState(int kind, int process, byte[] information, int options);
}
