using System.CommandLine;
using RawPush.Swarm.Resuming;
using static RawPush.Swarm.Running.CommandOption;

namespace RawPush.Swarm.Cluster;

/// <summary>The options of <c>cluster</c>.</summary>
internal sealed class ClusterCommandOptions
{
    private readonly Option<string> _mode = New("--mode", "core: NATS without memory, a log and an epoch per node. jetstream: one log for all.", "core");
    private readonly Option<int> _nodes = New("--nodes", "RawPush nodes.", 3);
    private readonly Option<int> _nats = New("--nats", "NATS servers.", 3);
    private readonly Option<string> _server = New("--server", "RawPush.Server, the executable or its .dll.", "src/RawPush.Server/bin/Release/net10.0/RawPush.Server");
    private readonly Option<string[]> _set = new("--set") { Description = "A setting of each node, as RawPush:LogEntriesMax=1024; may be repeated.", DefaultValueFactory = _ => [] };
    private readonly Option<int> _history = New("--history", "Messages that each channel keeps on each node.", 100);
    private readonly Option<int> _clients = New("--clients", "How many clients.", 3000);
    private readonly Option<int> _processes = New("--processes", "Worker processes.", 1);
    private readonly Option<string> _transports = New("--transports", "What each connection chooses from: websocket, sse, ndjson, longpoll, shortpoll, or all.", "all");
    private readonly Option<int> _channels = New("--channels", "Channels the clients are spread over; each has a publisher.", 300);
    private readonly Option<int> _patterns = New("--patterns", "Per cent of the clients that subscribe to several channels or a pattern.", 10);
    private readonly Option<double> _rate = New("--rate", "Messages per second over all channels.", 2000.0);
    private readonly Option<int> _size = New("--size", "Bytes of a message; at least 38.", 128);
    private readonly Option<double> _seconds = New("--seconds", "How long to publish.", 300.0);
    private readonly Option<double> _moveEvery = New("--move-every", "Seconds until a client, or a channel's publisher, goes elsewhere, on average; 0: only when it must.", 5.0);
    private readonly Option<string> _kill = New("--kill", "What is killed and started again in every period: nats, node, both or none.", "both");
    private readonly Option<double> _killEvery = New("--kill-every", "Seconds of a period; of each kind, one server is killed in it, at a random moment.", 20.0);
    private readonly Option<double> _down = New("--down", "Seconds that what is killed stays dead.", 2.0);
    private readonly Option<double> _drain = New("--drain", "Seconds that clients have to come to the end when all has been published.", 30.0);
    private readonly Option<int> _seed = New("--seed", "Where chance begins.", 0);
    private readonly Option<string?> _json = New<string?>("--json", "File for the result; standard output otherwise.", null);
    private readonly Option<string?> _folder = New<string?>("--folder", "Where the servers' logs and configurations stay; a temporary folder otherwise, which is kept after a lie.", null);

    public ClusterCommandOptions()
    {
        _mode.AcceptOnlyFromAmong("core", "jetstream");
        _kill.AcceptOnlyFromAmong("nats", "node", "both", "none");
        foreach (var count in new[] { _nodes, _nats, _clients, _channels, _processes })
        {
            Limit(count, value => value >= 1, "is at least 1");
        }

        Limit(_patterns, value => value is >= 0 and <= 100, "is from 0 to 100");
        foreach (var length in new[] { _rate, _seconds, _killEvery })
        {
            Limit(length, value => value > 0, "is more than 0");
        }

        foreach (var length in new[] { _moveEvery, _down, _drain })
        {
            Limit(length, value => value >= 0, "is not negative");
        }
    }

    public IEnumerable<Option> All =>
    [
        _mode, _nodes, _nats, _server, _set, _history, _clients, _processes, _transports, _channels, _patterns, _rate, _size, _seconds, _moveEvery, _kill, _killEvery, _down, _drain, _seed, _json, _folder,
    ];

    public ClusterOptions Read(ParseResult result) => new()
    {
        Promise = result.GetValue(_mode) == "core" ? Promise.Core : Promise.JetStream,
        Nodes = result.GetValue(_nodes),
        NatsServers = result.GetValue(_nats),
        Server = Path.GetFullPath(result.GetValue(_server)!),
        Settings = ["RawPush:Namespaces:0:Pattern=>", $"RawPush:Namespaces:0:HistoryEntries={result.GetValue(_history)}", .. result.GetValue(_set)!],
        Clients = result.GetValue(_clients),
        Processes = result.GetValue(_processes),
        Transports = TransportNames.Read(result.GetValue(_transports)!),
        Channels = result.GetValue(_channels),
        ManyPercent = result.GetValue(_patterns),
        MessagesPerSecond = result.GetValue(_rate),
        MessageBytes = result.GetValue(_size),
        Seconds = result.GetValue(_seconds),
        MoveEverySeconds = result.GetValue(_moveEvery),
        KillsNats = result.GetValue(_kill) is "nats" or "both",
        KillsNodes = result.GetValue(_kill) is "node" or "both",
        KillEverySeconds = result.GetValue(_killEvery),
        DownSeconds = result.GetValue(_down),
        DrainSeconds = result.GetValue(_drain),
        Seed = result.GetValue(_seed),
        JsonFile = result.GetValue(_json),
        Folder = result.GetValue(_folder),
    };
}
