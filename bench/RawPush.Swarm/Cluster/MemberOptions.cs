using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Cluster;

/// <summary>Which NATS servers and nodes there are.</summary>
internal record MemberOptions
{
    /// <summary>What the nodes promise: <see cref="Promise.Core"/> or <see cref="Promise.JetStream"/>.</summary>
    public required Promise Promise { get; init; }

    /// <summary>RawPush nodes.</summary>
    public required int Nodes { get; init; }

    /// <summary>NATS servers; none: each node is alone.</summary>
    public required int NatsServers { get; init; }

    /// <summary>RawPush.Server, as an executable or a .dll.</summary>
    public required string Server { get; init; }

    /// <summary>Settings of each node, as its command line takes them.</summary>
    public required string[] Settings { get; init; }

    /// <summary>Node N connects to NATS server N, counted around, and to no other one: each message takes the way that the numbers say. Otherwise a node takes any.</summary>
    public bool IsPinned { get; init; }
}
