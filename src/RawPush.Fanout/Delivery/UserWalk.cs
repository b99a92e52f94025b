namespace RawPush.Fanout.Delivery;

/// <summary>Finds the users among a channel's subscribers on one shard, some at a time, so that reads and deliveries go on meanwhile.</summary>
/// <remarks>Who is there from the start to the end of it is found; who comes or goes meanwhile, perhaps. From the end of the list to its start, as deliveries walk, since leaving moves the last one.</remarks>
internal sealed class UserWalk(ChannelMembers members, Shard shard)
{
    /// <summary>Subscribers looked at in one turn.</summary>
    public const int VisitsPerTurn = 1024;

    private readonly TaskCompletionSource<HashSet<string>> _found = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private int _next = int.MaxValue;

    /// <summary>Any thread. Ends when the shard has come to it; never, if the shard has ended.</summary>
    public Task<HashSet<string>> RunAsync()
    {
        shard.Post(Walk);
        return _found.Task;
    }

    private void Walk()
    {
        _next = shard.Users.Count == 0 ? 0 : Math.Min(_next, members.Count);
        for (int end = Math.Max(0, _next - VisitsPerTurn); _next > end;)
        {
            if (shard.Users.Find(members[--_next].Subscriber) is { } name)
            {
                _names.Add(name);
            }
        }

        if (_next > 0)
        {
            shard.Post(Walk);
        }
        else
        {
            _found.SetResult(_names);
        }
    }
}
