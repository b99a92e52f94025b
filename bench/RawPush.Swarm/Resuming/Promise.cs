namespace RawPush.Swarm.Resuming;

/// <summary>What clients may expect, by how the nodes that they move between keep messages.</summary>
internal enum Promise : byte
{
    /// <summary>One server: every message of a channel once, in its order; a notice of a gap stands exactly where something is missing.</summary>
    OneNode,

    /// <summary>Nodes with a log and an epoch each: within one epoch nothing is lost without a notice and nothing comes twice, and what was published through one node keeps its order.</summary>
    Core,

    /// <summary>Nodes with one log: every message that was acknowledged, once, in its order, whatever node a client is on.</summary>
    JetStream,
}
