using RawPush.Fanout.Presence;

namespace RawPush.Fanout.Brokers.Nats.Nodes;

/// <summary>A question that was sent, and the answers that have come. Safe for threads.</summary>
/// <param name="awaited">The nodes without whose answers it does not end before its time is up; the question's own from now on.</param>
/// <param name="isOpen">There may be nodes that are not known yet: it takes all of its time.</param>
internal sealed class OpenQuestion(HashSet<ulong> awaited, bool isOpen)
{
    private readonly Dictionary<ulong, NodePresence> _answers = [];   // Its own lock; awaited as well.
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _names;

    /// <summary>Ends when all have answered that are awaited.</summary>
    public Task Answered => _answered.Task;

    /// <summary>A node answers; the first answer of each counts.</summary>
    public void Answer(ulong node, NodePresence presence)
    {
        lock (_answers)
        {
            if (_answers.Count >= NodeTable.NodesMax || !_answers.TryAdd(node, Shorten(presence)))
            {
                return;
            }

            awaited.Remove(node);
            EndIfAnsweredLocked();
        }
    }

    /// <summary>A node does not live any more, and is not waited for.</summary>
    public void Forget(ulong node)
    {
        lock (_answers)
        {
            if (awaited.Remove(node))
            {
                EndIfAnsweredLocked();
            }
        }
    }

    /// <summary>Ends it at once where nobody is awaited.</summary>
    public void Begin()
    {
        lock (_answers)
        {
            EndIfAnsweredLocked();
        }
    }

    /// <summary>What there is by now.</summary>
    public PeerAnswers ToAnswers()
    {
        lock (_answers)
        {
            return new PeerAnswers(awaited.Count + _answers.Count, [.. _answers.Values]);
        }
    }

    // However many nodes there are, and whatever strangers send: not more names than a sum may have.
    private NodePresence Shorten(NodePresence presence)
    {
        if (presence.Users is not { } users || (_names += users.Names.Count) <= PresenceSum.NamesMax)
        {
            return presence;
        }

        return presence with { Users = new UserList(users.Count, [], IsComplete: false) };
    }

    private void EndIfAnsweredLocked()
    {
        if (awaited.Count == 0 && !isOpen)
        {
            _answered.TrySetResult();
        }
    }
}
