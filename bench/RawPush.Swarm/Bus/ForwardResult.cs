namespace RawPush.Swarm.Bus;

/// <summary>What <c>forward</c> has measured.</summary>
internal sealed class ForwardResult
{
    public required string Started { get; init; }

    public required string Machine { get; init; }

    public required double MessagesPerSecond { get; init; }

    public required int PayloadBytes { get; init; }

    public required double Seconds { get; init; }

    public required List<ForwardRow> Rows { get; init; }
}

/// <summary>One case.</summary>
internal sealed record ForwardRow
{
    public required string Stage { get; init; }

    public required int Channels { get; init; }

    /// <summary>none; elsewhere: it is subscribed to, and matches nothing of this; matching: its client gets everything as well.</summary>
    public required string Pattern { get; init; }

    public required long Published { get; init; }

    public required long Delivered { get; init; }

    /// <summary>CPU time of the node per message that was published; of its process, user and system.</summary>
    public required double NodeMicros { get; init; }

    public required double NatsMicros { get; init; }

    /// <summary>The highest rate tried at which everything came, as it really was published; null: not tried.</summary>
    public double? KeptUpPerSecond { get; init; }

    /// <summary>Messages per second that came at the first rate at which not everything did; null: there was none.</summary>
    public double? OverloadedPerSecond { get; init; }
}
