using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>A proxy in front of a server: a process of the test's own, which ends with it.</summary>
internal sealed class Proxy : IAsyncDisposable
{
    // A proxy does not look at its input. Whatever ends the test ends the pipe, and that the proxy.
    private const string EndsWithItsInput = "exec 3<&0; (cat <&3; kill $$) >/dev/null 2>&1 & exec \"$@\" 3<&- </dev/null";

    private readonly Process _process;
    private readonly DirectoryInfo _folder;
    private readonly Lock _lock = new();
    private readonly List<string> _log = [];
    private TaskCompletionSource _logged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _openStreams = 2;

    private Proxy(Process process, DirectoryInfo folder, int plainPort, int tlsPort)
    {
        _process = process;
        _folder = folder;
        Plain = new Uri($"http://127.0.0.1:{plainPort}");
        Tls = new Uri($"https://127.0.0.1:{tlsPort}");
        process.OutputDataReceived += (_, line) => OnLine(line.Data);
        process.ErrorDataReceived += (_, line) => OnLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public static TheoryData<ProxyKind> Kinds => [.. Enum.GetValues<ProxyKind>()];

    public Uri Plain { get; }

    public Uri Tls { get; }

    /// <summary>Starts one with the configuration of <c>docs/proxies.md</c>, and waits until it listens.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="server">What stands behind it.</param>
    /// <param name="change">What is different of the configuration.</param>
    public static async Task<Proxy> StartAsync(ProxyKind kind, Uri server, Func<string, string>? change = null)
    {
        var (plainPort, tlsPort) = (TakePort(), TakePort());
        var folder = Directory.CreateTempSubdirectory("rawpush-proxy-");
        string certificate = Path.Combine(folder.FullName, "certificate.pem");
        await File.WriteAllTextAsync(certificate, ProxyConfiguration.CreateCertificate(), Patience.Token);
        string configuration = ProxyConfiguration.Create(kind, server, plainPort, tlsPort, certificate);
        string file = Path.Combine(folder.FullName, "proxy.conf");
        await File.WriteAllTextAsync(file, change is null ? configuration : change(configuration), Patience.Token);
        string[] command = kind == ProxyKind.Nginx
            ? ["nginx", "-p", folder.FullName, "-e", "stderr", "-c", file]
            : ["haproxy", "-W", "-f", file];
        var proxy = new Proxy(Launch(command), folder, plainPort, tlsPort);
        await proxy.WaitForLogAsync(kind == ProxyKind.Nginx ? "start worker process " : "Loading success");
        return proxy;
    }

    /// <summary>Waits until the proxy has logged a line with this in it.</summary>
    public async Task WaitForLogAsync(string part)
    {
        while (true)
        {
            Task logged;
            string log;
            lock (_lock)
            {
                logged = _logged.Task;
                log = string.Join('\n', _log);
            }

            if (log.Contains(part, StringComparison.Ordinal))
            {
                return;
            }

            Assert.True(Volatile.Read(ref _openStreams) > 0, $"The proxy ended before it logged '{part}':\n{log}");
            await logged.WaitAsync(Patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync(Patience.Token);
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static Process Launch(string[] command)
    {
        // Debian has both where only root looks for them.
        var start = new ProcessStartInfo("sh", ["-c", EndsWithItsInput, "sh", .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin" },
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            Assert.Fail($"{command[0]} cannot be run ({exception.Message}): run tests/clients/install.sh.");
            throw;
        }
    }

    // A proxy cannot be asked for any free port. Below those that the kernel gives to others, nobody takes it between here and its start.
    private static int TakePort()
    {
        while (true)
        {
            int port = Random.Shared.Next(20_000, 32_000);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }
    }

    private void OnLine(string? line)
    {
        TaskCompletionSource logged;
        lock (_lock)
        {
            if (line is null)
            {
                _openStreams--;
            }
            else
            {
                _log.Add(line);
            }

            logged = _logged;
            _logged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        logged.SetResult();
    }
}
