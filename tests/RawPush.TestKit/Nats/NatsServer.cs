using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace RawPush.TestKit.Nats;

/// <summary>A nats-server: a process of the test's own, which ends with it, on ports of the loopback that it keeps.</summary>
/// <remarks>Stopped, killed and started by one caller at a time.</remarks>
public sealed class NatsServer : IAsyncDisposable
{
    private static readonly HttpClient Http = new();

    private readonly LoopbackPort _port = new();
    private readonly LoopbackPort _monitorPort = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rawpush-nats-");
    private readonly string _configurationFile;
    private NatsProcess? _process;
    private string _earlierLog = string.Empty;

    /// <param name="certificates">Shared with others; null for its own.</param>
    /// <param name="cluster">A block of the configuration; empty for a server that stands alone.</param>
    private NatsServer(NatsServerOptions options, string name, NatsCertificates? certificates, string cluster)
    {
        Name = name;
        _configurationFile = Path.Combine(_folder.FullName, "nats.conf");
        if (options.Tls != NatsTls.None)
        {
            Certificates = certificates ?? NatsCertificates.Create(_folder.FullName);
        }

        var place = new NatsPlace(name, _folder.FullName, _port.Number, _monitorPort.Number, Certificates, cluster);
        File.WriteAllText(_configurationFile, NatsConfiguration.Create(options, place));
    }

    public string Name { get; }

    public int Port => _port.Number;

    public string Url => $"{(Certificates is null ? "nats" : "tls")}://127.0.0.1:{Port}";

    /// <summary>What clients trust and show. Null without TLS.</summary>
    public NatsCertificates? Certificates { get; }

    public int ProcessId => _process!.Id;

    /// <summary>It runs, and is not paused.</summary>
    public bool IsResponding => _process is { HasEnded: false, IsPaused: false };

    /// <summary>What it has written so far, in all its runs.</summary>
    public string Log => _earlierLog + _process?.Log;

    /// <summary>Starts one, and waits until it has greeted a client.</summary>
    public static Task<NatsServer> StartAsync(NatsServerOptions? options = null) =>
        StartAsync(options ?? new NatsServerOptions(), "test", certificates: null, cluster: string.Empty);

    internal static async Task<NatsServer> StartAsync(NatsServerOptions options, string name, NatsCertificates? certificates, string cluster)
    {
        var server = new NatsServer(options, name, certificates, cluster);
        try
        {
            await server.LaunchAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it as a crash would: no last words, and its clients see their connections closed.</summary>
    public Task KillAsync() => _process!.KillAsync();

    /// <summary>Ends it as an operator would.</summary>
    public Task StopAsync() => _process!.StopAsync();

    /// <summary>It neither reads nor writes from now on, and nobody is told.</summary>
    public Task PauseAsync() => _process!.PauseAsync();

    public Task ContinueAsync() => _process!.ContinueAsync();

    /// <summary>Starts it again, on the same ports and with what it had stored; stops it first if it runs.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        _earlierLog = Log;
        _process!.Dispose();
        _process = null;
        await LaunchAsync();
    }

    /// <summary>Asks its monitoring, as <c>/connz?subs=1</c> or <c>/jsz</c>.</summary>
    public async Task<JsonElement> MonitorAsync(string target, CancellationToken cancellationToken = default)
    {
        string body = await Http.GetStringAsync(new Uri($"http://127.0.0.1:{_monitorPort.Number}{target}"), cancellationToken);
        return JsonElement.Parse(body);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.KillAsync();
            _process.Dispose();
        }

        _port.Dispose();
        _monitorPort.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task LaunchAsync()
    {
        _process = NatsProcess.Launch(_configurationFile);
        await _process.WaitUntilReadyAsync();

        // The greeting says what is behind the port: with TLS, too, it comes first and in the clear.
        using var client = new TcpClient();
        using var patience = new CancellationTokenSource(NatsProcess.Patience);
        await client.ConnectAsync(IPAddress.Loopback, Port, patience.Token);
        using var reader = new StreamReader(client.GetStream());
        string? greeting = await reader.ReadLineAsync(patience.Token);
        if (greeting?.StartsWith("INFO {", StringComparison.Ordinal) != true || !greeting.Contains($"\"server_name\":\"{Name}\"", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"Port {Port} greets with '{greeting}'.\n{Log}");
        }
    }
}
