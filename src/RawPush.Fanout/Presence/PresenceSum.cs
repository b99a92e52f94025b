using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Presence;

/// <summary>Adds up what nodes say.</summary>
internal static class PresenceSum
{
    /// <summary>Names in a sum at most, so that no number of nodes makes it too long.</summary>
    public const int NamesMax = 10_000;

    /// <param name="channel">What was asked about.</param>
    /// <param name="answers">One of each node that answered.</param>
    /// <param name="nodes">How many of how many they are.</param>
    /// <param name="withUsers">Users were asked for.</param>
    public static PresenceReport Of(ChannelFilter channel, IReadOnlyCollection<NodePresence> answers, NodeTally nodes, bool withUsers) =>
        new(channel.Value, answers.Sum(answer => answer.Subscribers), withUsers ? SumUsers(answers, nodes.IsComplete) : null, nodes);

    private static UserList SumUsers(IReadOnlyCollection<NodePresence> answers, bool areAll)
    {
        // Whom two nodes name counts once; of whom one of them does not name nothing can be said.
        var names = new SortedSet<string>(StringComparer.Ordinal);
        long count = 0;
        bool isComplete = areAll;
        foreach (var answer in answers)
        {
            count += answer.Users?.Count ?? 0;
            isComplete &= answer.Users is { IsComplete: true };
            foreach (string name in answer.Users?.Names ?? [])
            {
                count -= names.Add(name) ? 0 : 1;
            }
        }

        return names.Count <= NamesMax ? new UserList(count, names, isComplete) : new UserList(count, [.. names.Take(NamesMax)], IsComplete: false);
    }
}
