namespace RawPush.Fanout.Presence;

/// <summary>Who is on a channel or pattern, over all nodes that answered.</summary>
/// <param name="Channel">The name or pattern.</param>
/// <param name="Subscribers">Subscriptions to it. Who gets its messages by another name or pattern counts there.</param>
/// <param name="Users">Whose they are; null if that was not asked.</param>
/// <param name="Nodes">Of whom this is the sum.</param>
public sealed record PresenceReport(string Channel, long Subscribers, UserList? Users, NodeTally Nodes);

/// <summary>How far a sum over nodes can be trusted.</summary>
/// <param name="Known">Nodes that live, as far as the asked one knows, itself included.</param>
/// <param name="Answered">Those of them that are in the sum. Fewer than known: it is a part.</param>
/// <param name="IsConnected">The asked node hears of the others. If not, there may be more of them than it knows.</param>
public readonly record struct NodeTally(int Known, int Answered, bool IsConnected)
{
    /// <summary>Nothing is known to be missing.</summary>
    public bool IsComplete => IsConnected && Answered == Known;
}
