namespace RawPush.Swarm.Bus;

/// <summary>What <c>interest</c> has measured.</summary>
internal sealed class InterestResult
{
    public required string Started { get; init; }

    public required string Machine { get; init; }

    public required int Channels { get; init; }

    public required int Connections { get; init; }

    public required List<InterestRow> Rows { get; init; }
}

/// <summary>One stage. A node that is alone has the channels and no interest: what it takes is not the interest's.</summary>
internal sealed record InterestRow
{
    public required string Stage { get; init; }

    public required long NodeBytesBefore { get; init; }

    public required long NodeBytesAfter { get; init; }

    /// <summary>From the first request of a client until all were answered, which is when NATS has heard of their channels.</summary>
    public required double SubscribeSeconds { get; init; }

    /// <summary>Null: the node is alone. So are all that follow.</summary>
    public NatsInterest? Nats { get; init; }
}

/// <summary>What NATS had to do with it. Seconds after the restart are from its start, which follows the kill at once.</summary>
internal sealed record NatsInterest
{
    public required long BytesBefore { get; init; }

    public required long BytesAfter { get; init; }

    /// <summary>Until NATS had all subscriptions, by its own account.</summary>
    public required double InterestSeconds { get; init; }

    public required double RestartListenSeconds { get; init; }

    public required double RestartInterestSeconds { get; init; }

    /// <summary>Until a message to each channel of a sample had come to its client.</summary>
    public required double RestartDeliveredSeconds { get; init; }

    public required int Sample { get; init; }

    public required long NodeBytesAfterRestart { get; init; }

    public required long BytesAfterRestart { get; init; }
}
