namespace RawPush.Swarm.Running;

/// <summary>One run, as the command line asks for it.</summary>
internal sealed record RunOptions
{
    public required string Name { get; init; }

    public required string Scenario { get; init; }

    public required string Dialect { get; init; }

    public required string Host { get; init; }

    public required int Port { get; init; }

    public required string Target { get; init; }

    public required string PublishDialect { get; init; }

    public required int PublishPort { get; init; }

    public required string PublishPath { get; init; }

    /// <summary>The server's process; its descendants count as well. 0: nothing is measured on the server's side.</summary>
    public required int ServerPid { get; init; }

    public required int Clients { get; init; }

    public required int Channels { get; init; }

    public required int Processes { get; init; }

    public required int SourceAddresses { get; init; }

    public required int RampPerSecond { get; init; }

    public required double SettleSeconds { get; init; }

    public required double HoldSeconds { get; init; }

    public required int Publishers { get; init; }

    /// <summary>Messages per second over all channels; 0 publishes nothing.</summary>
    public required double MessagesPerSecond { get; init; }

    public required int MessageBytes { get; init; }

    public required double LoadSeconds { get; init; }

    public required double EchoSeconds { get; init; }

    public required int SlowPercent { get; init; }

    public required int SlowBytesPerSecond { get; init; }

    public required int Storms { get; init; }

    public required int StormJitterMs { get; init; }

    public required int ChurnPerSecond { get; init; }

    public required bool KeepsTruth { get; init; }

    public required bool WarmsUp { get; init; }

    public required string? JsonFile { get; init; }
}
