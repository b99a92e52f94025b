using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Cluster;

/// <summary>One run over several nodes, as the command line asks for it.</summary>
internal sealed record ClusterOptions : MemberOptions
{
    public required int Clients { get; init; }

    public required int Processes { get; init; }

    public required Transport[] Transports { get; init; }

    public required int Channels { get; init; }

    /// <summary>Per cent of the clients that subscribe to several channels or a pattern.</summary>
    public required int ManyPercent { get; init; }

    /// <summary>Messages per second over all channels.</summary>
    public required double MessagesPerSecond { get; init; }

    public required int MessageBytes { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Seconds until a client, or a channel's publisher, goes to another node, on average; 0: only when it must.</summary>
    public required double MoveEverySeconds { get; init; }

    public required bool KillsNats { get; init; }

    public required bool KillsNodes { get; init; }

    public required double KillEverySeconds { get; init; }

    /// <summary>Seconds that a killed process stays dead.</summary>
    public required double DownSeconds { get; init; }

    /// <summary>Seconds that clients have to come to the end when all has been published.</summary>
    public required double DrainSeconds { get; init; }

    public required int Seed { get; init; }

    public required string? JsonFile { get; init; }

    /// <summary>Where logs are kept; null: a temporary folder, which stays only after a lie.</summary>
    public required string? Folder { get; init; }
}
