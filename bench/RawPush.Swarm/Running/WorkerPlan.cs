using System.Text.Json;
using System.Text.Json.Serialization;
using RawPush.Swarm.Hostile;
using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Running;

/// <summary>What one worker process does.</summary>
internal sealed record WorkerPlan
{
    public required string Dialect { get; init; }

    public required string Host { get; init; }

    /// <summary>The nodes' ports; clients that resume move between them. One for a server that is alone.</summary>
    public required int[] Ports { get; init; }

    /// <summary>The request's target; <c>{channel}</c> stands for the channel's name.</summary>
    public required string Target { get; init; }

    public required int FirstClient { get; init; }

    public required int Clients { get; init; }

    public required int Channels { get; init; }

    /// <summary>Groups of channels that a pattern can stand for; 0: none.</summary>
    public int Groups { get; init; }

    /// <summary>Per cent of the clients that subscribe to several channels or a pattern.</summary>
    public int ManyPercent { get; init; }

    /// <summary>What clients that resume may expect.</summary>
    public Promise Promise { get; init; }

    public required int Publishers { get; init; }

    /// <summary>Connections begun per second; 0 for as many as the server takes, with <see cref="Window"/> under way.</summary>
    public required int RampPerSecond { get; init; }

    public required int SourceAddresses { get; init; }

    /// <summary>Per cent of the clients that read slowly.</summary>
    public required int SlowPercent { get; init; }

    /// <summary>Bytes that a slow reader takes per second; 0 for none at all.</summary>
    public required int SlowBytesPerSecond { get; init; }

    /// <summary>What clients that resume choose from at each connection; empty for clients that speak the dialect.</summary>
    public required Transport[] Transports { get; init; }

    /// <summary>Milliseconds between short polls, on average.</summary>
    public required int PollEveryMs { get; init; }

    public required int Seed { get; init; }

    public required bool IsTruthKept { get; init; }

    public required int MessageBytes { get; init; }

    /// <summary>What messages are filled with.</summary>
    public required string Payload { get; init; }

    /// <summary>WebSocket clients offer permessage-deflate.</summary>
    public required bool Compression { get; init; }

    /// <summary>Hostile peers beside the clients.</summary>
    public required int HostilePeers { get; init; }

    /// <summary>Connects under way at a time.</summary>
    public int Window { get; set; } = 256;
}

/// <summary>What a worker says of itself, twice a second and when asked.</summary>
internal sealed record WorkerReport
{
    public int Open { get; init; }

    public long Opened { get; init; }

    public long Failed { get; init; }

    public long Dropped { get; init; }

    public long Messages { get; init; }

    /// <summary>Reads that held at least one message.</summary>
    public long Reads { get; init; }

    /// <summary>All that clients have received, heads and pings with it.</summary>
    public long WireBytes { get; init; }

    /// <summary>Messages that came deflated.</summary>
    public long Inflated { get; init; }

    public long Echoes { get; init; }

    public string? LastError { get; init; }

    public string? Lie { get; init; }

    /// <summary>What clients that resume say.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>Clients that have not come to the end; null as long as there is none.</summary>
    public int? Behind { get; init; }

    /// <summary>What has become of hostile peers, by behaviour; null if there are none.</summary>
    public SortedDictionary<string, HostileCount>? Hostile { get; init; }

    /// <summary>Latencies in microseconds, as an encoded HdrHistogram; only in the answer to <c>report</c>.</summary>
    public string? Latencies { get; init; }

    /// <summary>For each mark, how long after it clients got the first message that was due after it; the same.</summary>
    public string[]? Returns { get; init; }
}

/// <summary>The lines between the coordinator and its workers.</summary>
[JsonSerializable(typeof(WorkerPlan))]
[JsonSerializable(typeof(WorkerReport))]
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class WorkerJson : JsonSerializerContext;
