using RawPush.Fanout.Presence;

namespace RawPush.Fanout.Channels;

/// <content>Who is on its channels.</content>
public sealed partial class ChannelHub
{
    private static readonly TimeSpan UsersWait = TimeSpan.FromSeconds(1);

    /// <summary>Who is on a channel or pattern, on this node alone.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="withUsers">Which users as well: at most <see cref="NodePresence.NamesMax"/> of them are named.</param>
    /// <remarks>Counting is a look at a number. Users are found by the shards, which may take a second for it; after that, what they have not said is missing.</remarks>
    public async Task<NodePresence> FindPresenceAsync(ChannelFilter filter, bool withUsers)
    {
        if (_directory.Find(filter) is not { Subscribers: > 0 and var subscribers } channel)
        {
            return new NodePresence(0, withUsers ? new UserList(0, [], IsComplete: true) : null);
        }

        return new NodePresence(subscribers, withUsers ? await FindUsersAsync(channel) : null);
    }

    private async Task<UserList> FindUsersAsync(Channel channel)
    {
        var walks = channel.FindUsersAsync().ToArray();
        try
        {
            await Task.WhenAll(walks).WaitAsync(UsersWait, _time);
        }
        catch (TimeoutException)
        {
            // A shard is very busy, or has ended with the server.
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var walk in walks.Where(static walk => walk.IsCompletedSuccessfully))
        {
            names.UnionWith(await walk);
        }

        return new UserList(names.Count, [.. names.Take(NodePresence.NamesMax)], names.Count <= NodePresence.NamesMax && walks.All(static walk => walk.IsCompletedSuccessfully));
    }
}
