using NATS.Client.Core;
using NATS.Client.JetStream;
using RawPush.Swarm.Cluster;
using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Bus;

/// <summary>NATS servers, two nodes of which each connects to a server of its own where there are several, and the ways through them.</summary>
internal sealed class BusStage : IAsyncDisposable
{
    private readonly string _name;
    private readonly ClusterMembers _members;
    private readonly NatsConnection _near;   // To the server of node A, where messages begin.
    private readonly NatsConnection _far;    // To that of node B, where they end.
    private readonly HttpPublisher _http;
    private readonly List<WebSocketReader> _clients = [];
    private NatsReader? _raw;

    private BusStage(string name, ClusterMembers members)
    {
        _name = name;
        _members = members;
        _near = new NatsConnection(new NatsOpts { Url = $"nats://127.0.0.1:{members.NatsPorts[0]}" });
        _far = new NatsConnection(new NatsOpts { Url = $"nats://127.0.0.1:{members.NatsPorts[1 % members.NatsPorts.Length]}" });
        _http = new HttpPublisher(members.InternalPorts[0]);
    }

    /// <summary>The ways, the raw one first.</summary>
    public List<BusPath> Paths { get; } = [];

    /// <summary>Starts everything. The clients are subscribed when the task has ended.</summary>
    /// <param name="name">For a person.</param>
    /// <param name="options">Two nodes that are pinned.</param>
    /// <param name="folder">For logs and configurations; it exists.</param>
    public static async Task<BusStage> OpenAsync(string name, MemberOptions options, string folder)
    {
        var members = new ClusterMembers(options, folder);
        await members.StartAsync();
        var stage = new BusStage(name, members);
        await (options.Promise == Promise.JetStream ? stage.OpenKeptAsync() : stage.OpenCoreAsync());
        return stage;
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        if (_raw is not null)
        {
            await _raw.DisposeAsync();
        }

        _http.Dispose();
        await _near.DisposeAsync();
        await _far.DisposeAsync();
        _members.Dispose();
    }

    private async Task OpenCoreAsync()
    {
        await AddRawAsync("NATS publish → NATS subscriber", "bench.raw", payload => _near.PublishAsync("bench.raw", payload).AsTask());
        await AddAsync("NATS publish → client of B", node: 1, channel => payload => _near.PublishAsync($"rawpush.in.{channel}", payload).AsTask());
        await AddHttpAsync();
    }

    // The raw way uses the stream of the nodes: it has the same leader, the same copies and the same disk.
    private async Task OpenKeptAsync()
    {
        var context = new NatsJSContext(_near);
        await AddRawAsync("JetStream publish → NATS subscriber of what is republished", "rawpush.out.raw", Store("raw"));
        await AddAsync("JetStream publish → client of B", node: 1, Store);
        await AddHttpAsync();

        Func<ReadOnlyMemory<byte>, Task> Store(string channel) => async payload => (await context.PublishAsync($"rawpush.in.{channel}", payload)).EnsureSuccess();
    }

    private async Task AddHttpAsync()
    {
        await AddAsync("HTTP at A → client of B", node: 1, channel => payload => _http.PublishAsync(channel, payload));
        await AddAsync("HTTP at A → client of A", node: 0, channel => payload => _http.PublishAsync(channel, payload));
    }

    private async Task AddRawAsync(string name, string subject, Func<ReadOnlyMemory<byte>, Task> publish)
    {
        var path = new BusPath(_name, name, isRaw: true, publish);
        Paths.Add(path);
        _raw = await NatsReader.OpenAsync(_far, subject, path.OnPayload);
    }

    private async Task AddAsync(string name, int node, Func<string, Func<ReadOnlyMemory<byte>, Task>> publishTo)
    {
        string channel = $"way{Paths.Count}";
        var path = new BusPath(_name, name, isRaw: false, publishTo(channel));
        Paths.Add(path);
        _clients.Add(await WebSocketReader.OpenAsync(_members.PublicPorts[node], channel, path.OnPayload));
    }
}
