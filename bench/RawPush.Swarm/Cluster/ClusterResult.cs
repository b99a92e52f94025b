using System.Text.Json.Serialization;
using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Cluster;

/// <summary>What a run over several nodes has found.</summary>
internal sealed record ClusterResult
{
    public required string Mode { get; init; }

    public required string Started { get; init; }

    public required string Machine { get; init; }

    public required int Nodes { get; init; }

    public required int NatsServers { get; init; }

    public required int Clients { get; init; }

    /// <summary>Clients that had connected before anything was published.</summary>
    public required int Open { get; init; }

    public required int Channels { get; init; }

    public required int ManyPercent { get; init; }

    public required double MessagesPerSecond { get; init; }

    public required double Seconds { get; init; }

    public required int Seed { get; init; }

    /// <summary>"kept", or the first lie.</summary>
    public required string Truth { get; init; }

    public required Verdict Verdict { get; init; }

    /// <summary>Of the losses that are listed, those where the node through which they were published told the client's node nothing more of the channel: none of its later messages could show them.</summary>
    public required long SilentLosses { get; init; }

    public required PublishFigures Publishing { get; init; }

    public required DeliveryFigures Deliveries { get; init; }

    public required IReadOnlyList<Kill> Kills { get; init; }

    /// <summary>Lines of the nodes' logs that speak of a fault, by node.</summary>
    public required SortedDictionary<string, long> FaultsLogged { get; init; }

    public string? LastError { get; init; }

    [JsonIgnore]
    public bool IsKept => Truth == "kept";
}

/// <summary>Publishing. Latencies are from when a message was due to its acknowledgement, attempts that failed included.</summary>
internal sealed record PublishFigures
{
    public required long Acknowledged { get; init; }

    /// <summary>Messages of which nobody knows whether they were published: each may come once.</summary>
    public required long Unknown { get; init; }

    /// <summary>Messages that no node had taken when time was up.</summary>
    public required long NeverTaken { get; init; }

    /// <summary>Attempts that were not acknowledged, by what was said.</summary>
    public required IReadOnlyDictionary<string, long> Refusals { get; init; }

    public required double P50Ms { get; init; }

    public required double P99Ms { get; init; }

    public required double MaxMs { get; init; }
}

/// <summary>Deliveries to all clients. Latencies are from when a message was due, the time included that a client was away.</summary>
internal sealed record DeliveryFigures(long Count, double PerSecond, double P50Ms, double P99Ms, double MaxMs);

/// <summary>The result as JSON.</summary>
[JsonSerializable(typeof(ClusterResult))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class ClusterJson : JsonSerializerContext;
