using System.Diagnostics;
using System.Globalization;

namespace RawPush.Server.Tests.Fixture;

/// <summary>A server in a process of its own, as an operator runs it.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    /// <summary>The ports it listens on, in the order of its settings.</summary>
    public IReadOnlyList<int> Ports { get; private set; } = [];

    public int Id => _process.Id;

    /// <summary>Starts an assembly that lies beside the tests, on any free ports unless they are among the arguments, and waits until it listens.</summary>
    public static Task<ServerProcess> StartAsync(string assembly, params string[] arguments) => StartAsync(assembly, 0, arguments);

    /// <summary>The same with so many open files at most; 0 leaves the limit as it is. Environment variables are written as <c>NAME=VALUE</c>.</summary>
    public static async Task<ServerProcess> StartAsync(string assembly, int openFilesMax, string[] arguments, params string[] environment)
    {
        string[] listeners = arguments.Contains("--public") ? [] : ["--public", "127.0.0.1:0"];
        var server = Launch(assembly, openFilesMax, [.. listeners, "--internal", "127.0.0.1:0", .. arguments], environment);
        const string Sign = "Now listening on: http://127.0.0.1:";
        var ports = new List<int>();
        while (ports.Count < 2)
        {
            string? line = await server._process.StandardOutput.ReadLineAsync(Patience.Token);
            Assert.True(line is not null, "The server ended before it listened.");
            int sign = line.IndexOf(Sign, StringComparison.Ordinal);
            if (sign >= 0)
            {
                ports.Add(int.Parse(line[(sign + Sign.Length)..].Trim(), CultureInfo.InvariantCulture));
            }
        }

        server.Ports = ports;
        return server;
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string assembly, params string[] arguments)
    {
        await using var server = Launch(assembly, 0, arguments);
        var error = server._process.StandardError.ReadToEndAsync(Patience.Token);
        string output = await server._process.StandardOutput.ReadToEndAsync(Patience.Token);
        await server._process.WaitForExitAsync(Patience.Token);
        return (server._process.ExitCode, output, await error);
    }

    /// <summary>The next line on its standard output; null at its end.</summary>
    public async Task<string?> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync(Patience.Token);

    /// <summary>Processor time that it has used.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Sends a signal, as TERM or INT, and waits for the end.</summary>
    public async Task<(int ExitCode, string Output, string Error)> EndAsync(string signal)
    {
        var error = _process.StandardError.ReadToEndAsync(Patience.Token);
        var output = _process.StandardOutput.ReadToEndAsync(Patience.Token);
        using var kill = Process.Start("kill", ["-s", signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Patience.Token);
        await _process.WaitForExitAsync(Patience.Token);
        return (_process.ExitCode, await output, await error);
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ServerProcess Launch(string assembly, int openFilesMax, string[] arguments, params string[] environment)
    {
        string limit = openFilesMax > 0 ? $"ulimit -n {openFilesMax} && " : string.Empty;
        // Without the settings of whoever runs the tests, but for the transport: the suite is run on each.
        var start = new ProcessStartInfo("sh", ["-c", limit + "exec dotnet \"$@\"", "sh", Path.Combine(AppContext.BaseDirectory, assembly), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("RawPush", StringComparison.OrdinalIgnoreCase) && name != "RawPush__Transport").ToArray())
        {
            start.Environment.Remove(name);
        }

        foreach (string variable in environment)
        {
            start.Environment[variable[..variable.IndexOf('=')]] = variable[(variable.IndexOf('=') + 1)..];
        }

        return new ServerProcess(Process.Start(start)!);
    }
}
