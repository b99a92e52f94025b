using System.Globalization;
using RawPush.Swarm.Resuming;
using RawPush.TestKit.Nats;

namespace RawPush.Swarm.Cluster;

/// <summary>The NATS servers and the RawPush nodes of a run, on ports of the loopback that they keep.</summary>
internal sealed class ClusterMembers : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly MemberOptions _options;
    private readonly string _folder;
    private readonly LoopbackPort[] _natsPorts;
    private readonly LoopbackPort[] _routePorts;
    private readonly LoopbackPort[] _monitorPorts;
    private readonly LoopbackPort[] _publicPorts;
    private readonly LoopbackPort[] _internalPorts;
    private readonly int[] _lives;

    public ClusterMembers(MemberOptions options, string folder)
    {
        _options = options;
        _folder = folder;
        _natsPorts = Reserve(options.NatsServers);
        _routePorts = Reserve(options.NatsServers);
        _monitorPorts = Reserve(options.NatsServers);
        _publicPorts = Reserve(options.Nodes);
        _internalPorts = Reserve(options.Nodes);
        _lives = new int[options.Nodes];
        Nats = [.. Enumerable.Range(0, options.NatsServers).Select(NewNats)];
        Nodes = [.. Enumerable.Range(0, options.Nodes).Select(NewNode)];
    }

    public ClusterProcess[] Nats { get; }

    public ClusterProcess[] Nodes { get; }

    public int[] PublicPorts => [.. _publicPorts.Select(port => port.Number)];

    public int[] NatsPorts => [.. _natsPorts.Select(port => port.Number)];

    /// <summary>Where the NATS servers say over HTTP how they are.</summary>
    public int[] MonitorPorts => [.. _monitorPorts.Select(port => port.Number)];

    public int[] InternalPorts => [.. _internalPorts.Select(port => port.Number)];

    /// <summary>Which life of which node this is: a number that no other one has. Any thread.</summary>
    public int LifeOf(int node) => node + (_options.Nodes * Volatile.Read(ref _lives[node]));

    /// <summary>What <see cref="LifeOf"/> says, for a person.</summary>
    public string NameOfLife(int life) => $"{Nodes[life % _options.Nodes].Name}, life {(life / _options.Nodes) + 1}";

    /// <summary>Starts all, and waits until each node takes messages.</summary>
    public async Task StartAsync()
    {
        Array.ForEach(Nats, server => server.Start());
        for (int i = 0; i < Nats.Length; i++)
        {
            await WaitUntilNatsListensAsync(i);
        }

        Array.ForEach(Nodes, node => node.Start());
        for (int i = 0; i < Nodes.Length; i++)
        {
            await WaitUntilNodePublishesAsync(i);
        }
    }

    public async Task KillNodeAsync(int node)
    {
        await Nodes[node].KillAsync();
        Volatile.Write(ref _lives[node], _lives[node] + 1);
    }

    public Task WaitUntilNatsListensAsync(int server) => UntilAsync(Nats[server], async () =>
    {
        using var probe = new PublishConnection(_natsPorts[server].Number);
        return await probe.TryConnectAsync();
    });

    public async Task WaitUntilNodePublishesAsync(int node)
    {
        using var probe = new PublishConnection(_internalPorts[node].Number);
        await UntilAsync(Nodes[node], async () => (await probe.PublishAsync("probe", "hello"u8.ToArray(), key: null)).Fate == PublishFate.Acknowledged);
    }

    public void Dispose()
    {
        foreach (var process in Nodes.Concat(Nats))
        {
            process.Dispose();
        }

        foreach (var port in _natsPorts.Concat(_routePorts).Concat(_monitorPorts).Concat(_publicPorts).Concat(_internalPorts))
        {
            port.Dispose();
        }
    }

    private static LoopbackPort[] Reserve(int count) => [.. Enumerable.Range(0, count).Select(_ => new LoopbackPort())];

    private ClusterProcess NewNats(int index)
    {
        string name = $"nats-{index}";
        string file = Path.Combine(_folder, $"{name}.conf");
        string routes = string.Join(", ", _routePorts.Where((_, other) => other != index).Select(port => $"\"nats-route://127.0.0.1:{port.Number}\""));
        string cluster = _options.NatsServers == 1 ? string.Empty : $"cluster {{ name: swarm, listen: \"127.0.0.1:{_routePorts[index].Number}\", routes: [{routes}] }}\n";
        string storage = _options.Promise == Promise.JetStream ? $"jetstream {{ store_dir: \"{Path.Combine(_folder, name)}\" }}\n" : string.Empty;
        File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"host: \"127.0.0.1\"\nport: {_natsPorts[index].Number}\nhttp: \"127.0.0.1:{_monitorPorts[index].Number}\"\nserver_name: \"{name}\"\n{storage}{cluster}"));
        return new ClusterProcess(name, Path.Combine(_folder, $"{name}.log"), "nats-server", "-c", file);
    }

    private ClusterProcess NewNode(int index)
    {
        string[] start = _options.Server.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", _options.Server] : [_options.Server];

        return new ClusterProcess(
            $"node-{index}",
            Path.Combine(_folder, $"node-{index}.log"),
            [.. start, "--public", $"127.0.0.1:{_publicPorts[index].Number}", "--internal", $"127.0.0.1:{_internalPorts[index].Number}", .. BusSettings(index), .. _options.Settings]);
    }

    private string[] BusSettings(int node)
    {
        if (_natsPorts.Length == 0)
        {
            return [];
        }

        int[] ports = _options.IsPinned ? [_natsPorts[node % _natsPorts.Length].Number] : NatsPorts;
        string urls = string.Join(',', ports.Select(port => $"nats://127.0.0.1:{port}"));
        return _options.Promise == Promise.JetStream ? ["--nats", urls, "--jetstream", $"RawPush:Nats:JetStream:Replicas={Math.Min(_natsPorts.Length, 3)}"] : ["--nats", urls];
    }

    private static async Task UntilAsync(ClusterProcess process, Func<Task<bool>> isThere)
    {
        using var patience = new CancellationTokenSource(StartTimeout);
        while (!await isThere())
        {
            if (!process.IsRunning || patience.IsCancellationRequested)
            {
                throw new InvalidOperationException($"{process.Name} {(process.IsRunning ? "is not ready" : "has ended")}: {await File.ReadAllTextAsync(process.LogFile)}");
            }

            // Servers tell nobody when they are ready: they have to be asked, and not without a pause.
            await Task.Delay(50);
        }
    }
}
