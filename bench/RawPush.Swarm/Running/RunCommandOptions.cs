using System.CommandLine;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Resuming;
using static RawPush.Swarm.Running.CommandOption;

namespace RawPush.Swarm.Running;

/// <summary>The options of <c>run</c>.</summary>
internal sealed class RunCommandOptions
{
    private const int HostilePercentMax = 50;

    private readonly Option<string> _name = New("--name", "Name of the server, for the result.", "rawpush");
    private readonly Option<string> _scenario = New("--scenario", "Name of the scenario, for the result.", "run");
    private readonly Option<string> _dialect = New("--dialect", "ws, sse, longpoll, signalr, nats or mqtt.", "ws");
    private readonly Option<string> _host = New("--host", "The server's address.", "127.0.0.1");
    private readonly Option<int> _port = New("--port", "The server's port.", 8080);
    private readonly Option<string> _target = New("--target", "The request's target; {channel} stands for c0, c1, …", "/channels/{channel}");
    private readonly Option<string> _publish = New("--publish", "http, batch, nats or mqtt.", "http");
    private readonly Option<int> _publishPort = New("--publish-port", "Where to publish.", 8081);
    private readonly Option<string?> _publishPath = New<string?>("--publish-path", "The target of a publish over HTTP; /channels/{channel} or, for batches, /channels.", null);
    private readonly Option<int> _pid = New("--pid", "The server's process; it and its children are measured. 0: they are not.", 0);
    private readonly Option<int> _clients = New("--clients", "How many clients.", 1000);
    private readonly Option<int> _channels = New("--channels", "Channels the clients are spread over.", 1);
    private readonly Option<int> _processes = New("--processes", "Worker processes; 0: as many as the limit of open files asks for.", 0);
    private readonly Option<int> _sources = New("--sources", "Source addresses, 127.0.0.2 and on.", 4);
    private readonly Option<int> _ramp = New("--ramp", "Connections begun per second; 0: as fast as the server takes them.", 0);
    private readonly Option<double> _settle = New("--settle", "Seconds from the last connection to the reading of memory.", 3.0);
    private readonly Option<double> _hold = New("--hold", "Seconds to stay idle.", 0.0);
    private readonly Option<int> _publishers = New("--publishers", "Connections that publish.", 1);
    private readonly Option<double> _rate = New("--rate", "Messages per second over all channels; 0: none.", 0.0);
    private readonly Option<int> _size = New("--size", "Bytes of a message; at least 38.", 128);
    private readonly Option<string> _payload = New("--payload", "What messages are filled with: x, over and over, or json, as plausible records.", "x");
    private readonly Option<bool> _compression = New("--compression", "WebSocket clients (ws, --transports) offer permessage-deflate and inflate what comes deflated.", false);
    private readonly Option<double> _load = New("--load", "Seconds to publish.", 10.0);
    private readonly Option<double> _echo = New("--echo", "Seconds of echoes: each client sends the next message when the last is back. 0: none.", 0.0);
    private readonly Option<int> _slow = New("--slow", "Per cent of the clients that read slowly.", 0);
    private readonly Option<int> _slowRate = New("--slow-rate", "Bytes per second that a slow reader takes; 0: none at all.", 0);
    private readonly Option<int> _hostile = New("--hostile", "Hostile peers beside the clients, in per cent of these; 0 to 50. They are counted, and judged by nobody.", 0);
    private readonly Option<int> _storms = New("--storms", "How often all connections are dropped at once.", 0);
    private readonly Option<int> _jitter = New("--jitter", "Milliseconds over which they come back.", 0);
    private readonly Option<int> _churn = New("--churn", "Clients that leave and come back each second under load.", 0);
    private readonly Option<string?> _transports = New<string?>(
        "--transports", "Clients that resume, strictly checked; each connection chooses from websocket, sse, ndjson, longpoll, shortpoll, or all.", null);
    private readonly Option<double> _reconnectEvery = New("--reconnect-every", "Seconds under load until a client drops its connection, on average; 0: never.", 0.0);
    private readonly Option<int> _pollEvery = New("--poll-every", "Milliseconds between short polls, on average.", 500);
    private readonly Option<double> _drain = New("--drain", "Seconds that clients have to come to the end when all has been published.", 30.0);
    private readonly Option<int> _seed = New("--seed", "Where chance begins.", 0);
    private readonly Option<bool> _truth = New("--truth", "Check that each client gets each message once and in order; the first lie ends the run with exit code 3.", false);
    private readonly Option<bool> _noWarmUp = New("--no-warm-up", "Measure from the first connection of the server's life.", false);
    private readonly Option<string?> _json = New<string?>("--json", "File for the result; standard output otherwise.", null);

    public RunCommandOptions()
    {
        _payload.AcceptOnlyFromAmong(Filling.Names);
        _hostile.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > HostilePercentMax)
            {
                result.AddError($"--hostile is from 0 to {HostilePercentMax}");
            }
        });
    }

    public IEnumerable<Option> All =>
    [
        _name, _scenario, _dialect, _host, _port, _target, _publish, _publishPort, _publishPath, _pid, _clients, _channels, _processes, _sources, _ramp,
        _settle, _hold, _publishers, _rate, _size, _payload, _compression, _load, _echo, _slow, _slowRate, _hostile, _storms, _jitter, _churn,
        _transports, _reconnectEvery, _pollEvery, _drain, _seed, _truth, _noWarmUp, _json,
    ];

    public RunOptions Read(ParseResult result)
    {
        int clients = result.GetValue(_clients);
        int processes = result.GetValue(_processes);
        return new RunOptions
        {
            Name = result.GetValue(_name)!,
            Scenario = result.GetValue(_scenario)!,
            Dialect = result.GetValue(_dialect)!,
            Host = result.GetValue(_host)!,
            Port = result.GetValue(_port),
            Target = result.GetValue(_target)!,
            PublishDialect = result.GetValue(_publish)!,
            PublishPort = result.GetValue(_publishPort),
            PublishPath = result.GetValue(_publishPath),
            ServerPid = result.GetValue(_pid),
            Clients = clients,
            Channels = result.GetValue(_channels),
            Processes = processes > 0 ? processes : RunCommand.ProcessesFor(clients + (clients * result.GetValue(_hostile) / 100)),
            SourceAddresses = result.GetValue(_sources),
            RampPerSecond = result.GetValue(_ramp),
            SettleSeconds = result.GetValue(_settle),
            HoldSeconds = result.GetValue(_hold),
            Publishers = result.GetValue(_publishers),
            MessagesPerSecond = result.GetValue(_rate),
            MessageBytes = result.GetValue(_size),
            Payload = result.GetValue(_payload)!,
            Compression = result.GetValue(_compression),
            LoadSeconds = result.GetValue(_load),
            EchoSeconds = result.GetValue(_echo),
            SlowPercent = result.GetValue(_slow),
            SlowBytesPerSecond = result.GetValue(_slowRate),
            HostilePercent = result.GetValue(_hostile),
            Storms = result.GetValue(_storms),
            StormJitterMs = result.GetValue(_jitter),
            ChurnPerSecond = result.GetValue(_churn),
            Transports = result.GetValue(_transports) is { } transports ? TransportNames.Read(transports) : [],
            ReconnectEverySeconds = result.GetValue(_reconnectEvery),
            PollEveryMs = result.GetValue(_pollEvery),
            DrainSeconds = result.GetValue(_drain),
            Seed = result.GetValue(_seed),
            KeepsTruth = result.GetValue(_truth),
            WarmsUp = !result.GetValue(_noWarmUp),
            JsonFile = result.GetValue(_json),
        };
    }
}
