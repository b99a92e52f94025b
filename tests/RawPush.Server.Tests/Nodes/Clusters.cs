namespace RawPush.Server.Tests.Nodes;

/// <summary>Tests that start a cluster of NATS servers one after the other, and after all others: three servers that choose a leader leave nobody else much of two cores.</summary>
[CollectionDefinition(nameof(Clusters), DisableParallelization = true)]
public sealed class Clusters
{
}
