using System.CommandLine;
using RawPush.Swarm.Clients;
using static RawPush.Swarm.Running.CommandOption;

namespace RawPush.Swarm.Bus;

/// <summary>What the commands <c>bus</c>, <c>interest</c> and <c>forward</c> are asked for.</summary>
internal sealed record BusOptions
{
    /// <summary>Of core, jetstream and jetstream-r3; interest also has alone.</summary>
    public required string[] Stages { get; init; }

    /// <summary>RawPush.Server, as an executable or a .dll.</summary>
    public required string Server { get; init; }

    /// <summary>Settings of each node, as its command line takes them.</summary>
    public required string[] Settings { get; init; }

    public required double MessagesPerSecond { get; init; }

    /// <summary>Of each way, or of each case.</summary>
    public required double Seconds { get; init; }

    public required int PayloadBytes { get; init; }

    public required int Channels { get; init; }

    public required string? JsonFile { get; init; }

    /// <summary>Where logs and configurations stay; null: nowhere.</summary>
    public required string? Folder { get; init; }
}

/// <summary>The command line of one of them.</summary>
internal sealed class BusCommandOptions
{
    private readonly Option<string[]> _stages;
    private readonly Option<string> _server = New("--server", "RawPush.Server, the executable or its .dll.", "src/RawPush.Server/bin/Release/net10.0/RawPush.Server");
    private readonly Option<string[]> _set = new("--set") { Description = "A setting of each node, as RawPush:Shards=1; may be repeated.", DefaultValueFactory = _ => [] };
    private readonly Option<double> _rate;
    private readonly Option<double> _seconds;
    private readonly Option<int> _payload = New("--payload", $"Bytes of a message; at least {Payload.HeaderLength}.", 128);
    private readonly Option<int> _channels;
    private readonly Option<string?> _json = New<string?>("--json", "File for the result.", null);
    private readonly Option<string?> _folder = New<string?>("--folder", "Where the servers' logs and configurations stay; a temporary folder otherwise.", null);

    public BusCommandOptions(string[] stages, double rate, double seconds, int channels)
    {
        _stages = new Option<string[]>("--stages") { Description = $"Of {string.Join(", ", stages)}.", DefaultValueFactory = _ => stages, AllowMultipleArgumentsPerToken = true };
        _stages.AcceptOnlyFromAmong(stages);
        _rate = New("--rate", "Messages per second.", rate);
        _seconds = New("--seconds", "How long each is measured.", seconds);
        _channels = New("--channels", "How many channels.", channels);
        Limit(_payload, value => value >= Payload.HeaderLength, $"is at least {Payload.HeaderLength}");
        Limit(_channels, value => value >= 1, "is at least 1");
        Limit(_rate, value => value > 0, "is more than 0");
        Limit(_seconds, value => value > 0, "is more than 0");
    }

    /// <summary>For all of the commands; those that a command has no use for are left out by their names.</summary>
    public IEnumerable<Option> Except(params string[] names) =>
        new Option[] { _stages, _server, _set, _rate, _seconds, _payload, _channels, _json, _folder }.Where(option => !names.Contains(option.Name));

    public BusOptions Read(ParseResult result) => new()
    {
        Stages = result.GetValue(_stages)!,
        Server = Path.GetFullPath(result.GetValue(_server)!),
        Settings = result.GetValue(_set)!,
        MessagesPerSecond = result.GetValue(_rate),
        Seconds = result.GetValue(_seconds),
        PayloadBytes = result.GetValue(_payload),
        Channels = result.GetValue(_channels),
        JsonFile = result.GetValue(_json),
        Folder = result.GetValue(_folder),
    };
}
