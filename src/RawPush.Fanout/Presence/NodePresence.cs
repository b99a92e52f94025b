namespace RawPush.Fanout.Presence;

/// <summary>What one node says of a channel or pattern.</summary>
/// <param name="Subscribers">Subscriptions to it there.</param>
/// <param name="Users">Whose they are; null if that was not asked.</param>
public sealed record NodePresence(long Subscribers, UserList? Users)
{
    /// <summary>Names that one node gives at most: more would not fit into a message of NATS.</summary>
    public const int NamesMax = 1000;
}
