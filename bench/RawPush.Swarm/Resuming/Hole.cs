namespace RawPush.Swarm.Resuming;

/// <summary>Numbers of a channel that a client has passed over.</summary>
/// <param name="From">The first of them.</param>
/// <param name="To">The last.</param>
/// <param name="NoticedAt">When, as a timestamp.</param>
/// <param name="IsAnnounced">The server has said so.</param>
/// <param name="Story">What the client saw around it.</param>
internal readonly record struct Hole(uint From, uint To, long NoticedAt, bool IsAnnounced, string Story)
{
    /// <summary>The lives of nodes of which later messages came in the same epoch.</summary>
    public int[] HeardAfter { get; init; } = [];

    public bool Has(uint number) => number >= From && number <= To;
}
