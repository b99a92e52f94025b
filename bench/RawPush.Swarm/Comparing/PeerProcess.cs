using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RawPush.Swarm.Comparing;

/// <summary>A peer that runs: started by its script, listening, and gone when disposed.</summary>
internal sealed class PeerProcess : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private PeerProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public static async Task<PeerProcess> StartAsync(string folder, int port, Scenario scenario)
    {
        var start = new ProcessStartInfo(Path.Combine(folder, "run.sh")) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(port.ToString(CultureInfo.InvariantCulture));
        start.Environment["SCENARIO"] = scenario.EchoSeconds > 0 ? "echo" : "push";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => Console.Error.Write(line.Data is null ? string.Empty : line.Data + "\n");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var peer = new PeerProcess(process);
        long started = Stopwatch.GetTimestamp();
        while (!await ListensAsync(port))
        {
            if (process.HasExited || Stopwatch.GetElapsedTime(started) > StartTimeout)
            {
                peer.Dispose();
                throw new InvalidOperationException($"{folder} did not start to listen on port {port}");
            }

            await Task.Delay(100);
        }

        return peer;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
            if (!_process.WaitForExit(10_000))
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
    }

    private static async Task<bool> ListensAsync(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
