namespace RawPush.Fanout.Presence;

/// <summary>What the other nodes have said in time.</summary>
/// <param name="Known">Other nodes that live, as far as this one knows; those that answered are among them.</param>
/// <param name="Answers">One of each that answered.</param>
public sealed record PeerAnswers(int Known, IReadOnlyCollection<NodePresence> Answers)
{
    /// <summary>There are no others.</summary>
    public static readonly PeerAnswers None = new(0, []);
}
