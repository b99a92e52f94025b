using System.Text.Json.Serialization;

namespace RawPush.Swarm.Bus;

/// <summary>What <c>bus</c> has measured.</summary>
internal sealed class BusResult
{
    public required string Started { get; init; }

    public required string Machine { get; init; }

    public required double MessagesPerSecond { get; init; }

    public required int PayloadBytes { get; init; }

    /// <summary>Of each way, over all rounds.</summary>
    public required double Seconds { get; init; }

    public required List<BusRow> Rows { get; init; }
}

/// <summary>One way. Times are from the call that publishes to the message at its subscriber, or to the answer.</summary>
internal sealed record BusRow
{
    public required string Stage { get; init; }

    public required string Path { get; init; }

    public required long Published { get; init; }

    public required long Delivered { get; init; }

    public required long P50Micros { get; init; }

    public required long P99Micros { get; init; }

    public required long P999Micros { get; init; }

    public required long AcknowledgedP50Micros { get; init; }

    public required long AcknowledgedP99Micros { get; init; }

    /// <summary>By how much it is slower than the raw way of the stage.</summary>
    public double P50ToRaw { get; init; }

    public double P99ToRaw { get; init; }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BusResult))]
[JsonSerializable(typeof(InterestResult))]
[JsonSerializable(typeof(ForwardResult))]
internal sealed partial class BusJson : JsonSerializerContext;
