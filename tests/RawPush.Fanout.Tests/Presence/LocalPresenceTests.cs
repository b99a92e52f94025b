using System.Globalization;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Presence;
using RawPush.Fanout.Tests.Delivery;

namespace RawPush.Fanout.Tests.Presence;

/// <summary>Who is on a channel of one node.</summary>
public sealed class LocalPresenceTests
{
    [Fact]
    public async Task Subscribers_count_for_what_they_subscribe_to()
    {
        var node = new Node(shards: 2);
        node.SubscribeOn(node.Shards[0], "orders.eu");
        node.SubscribeOn(node.Shards[1], "orders.eu", "orders.*");
        var gone = node.SubscribeOn(node.Shards[1], "orders.*");
        node.Leave(gone);
        Assert.Equal((2, 1, 0), (await CountAsync(node, "orders.eu"), await CountAsync(node, "orders.*"), await CountAsync(node, "orders.>")));
    }

    [Fact]
    public async Task A_user_counts_once_however_many_connections_there_are_and_until_the_last_has_left()
    {
        var node = new Node(shards: 2);
        var first = Join(node, node.Shards[0], "ann", "a");
        var second = Join(node, node.Shards[0], "ann", "a", "b");
        var third = Join(node, node.Shards[1], "ann", "b", "a");
        Join(node, node.Shards[1], "bob", "b");
        Join(node, node.Shards[1], null, "a");
        var presence = await FindAsync(node, "a");
        Assert.Equal((4, 1, true), (presence.Subscribers, presence.Users!.Count, presence.Users.IsComplete));
        Assert.Equal(["ann"], presence.Users.Names);
        Assert.Equal(["ann", "bob"], (await FindAsync(node, "b")).Users!.Names.Order());

        node.Leave(first);
        node.Leave(second);
        Assert.Equal(["ann"], (await FindAsync(node, "a")).Users!.Names);
        node.Leave(third);
        presence = await FindAsync(node, "a");
        Assert.Equal((1, 0, true), (presence.Subscribers, presence.Users!.Count, presence.Users.IsComplete));
    }

    [Fact]
    public void Who_has_left_is_out_of_the_table()
    {
        var node = new Node();
        for (int i = 0; i < 5000; i++)
        {
            node.Leave(Join(node, node.Shard, "ann", "a"));
        }

        Assert.Equal(0, node.Shard.Users.Count);
    }

    [Theory]
    [InlineData(NodePresence.NamesMax, true)]
    [InlineData(NodePresence.NamesMax + 1, false)]
    public async Task A_node_names_a_thousand_users_at_most_and_counts_all(int users, bool isComplete)
    {
        var node = new Node();
        for (int i = 0; i < users; i++)
        {
            Join(node, node.Shard, i.ToString(CultureInfo.InvariantCulture), "a");
        }

        var presence = await FindAsync(node, "a");
        Assert.Equal((users, NodePresence.NamesMax, isComplete), (presence.Users!.Count, presence.Users.Names.Count, presence.Users.IsComplete));
    }

    [Fact]
    public async Task A_hundred_thousand_subscribers_are_looked_at_some_at_a_time_and_only_if_there_are_users()
    {
        const int Crowd = 100_000;
        var node = new Node();
        node.Shard.Do(() =>
        {
            for (int i = 0; i < Crowd; i++)
            {
                new TestSubscriber(node.Shard).TrySubscribe(node.Hub, [ChannelFilter.Parse("a")]);
            }
        });

        // Without users a turn of the shard is enough.
        Assert.Equal(1, CountTurns(node, out var anonymous));
        Assert.Equal((Crowd, 0), ((await anonymous).Subscribers, (await anonymous).Users!.Count));

        Join(node, node.Shard, "ann", "a");
        Assert.Equal((Crowd / UserWalk.VisitsPerTurn) + 1, CountTurns(node, out var known));
        Assert.Equal(["ann"], (await known).Users!.Names);
    }

    [Fact]
    public async Task Who_stays_is_found_though_others_come_and_go_meanwhile()
    {
        var node = new Node();
        var goers = new List<TestSubscriber>();
        var random = new Random(1);
        for (int i = 0; i < 3 * UserWalk.VisitsPerTurn; i++)
        {
            goers.Add(Join(node, node.Shard, $"goes {i}", "a"));
            if (i % 10 == 0)
            {
                Join(node, node.Shard, $"stays {i}", "a");
            }
        }

        var finding = node.Hub.FindPresenceAsync(ChannelFilter.Parse("a"), withUsers: true);
        while (!finding.IsCompleted && !node.Shard.IsIdle)
        {
            node.Shard.Turn();
            for (int i = 0; i < 500; i++)
            {
                node.Shard.Post(goers[random.Next(goers.Count)].Unsubscribe);
            }
        }

        // At most as many are named, so the count says it: all who stayed, and of the others whom it met.
        int stayed = (3 * UserWalk.VisitsPerTurn / 10) + 1;
        Assert.InRange((await finding).Users!.Count, stayed, stayed + goers.Count);
        node.RunAll();
        foreach (var goer in goers)
        {
            node.Leave(goer);
        }

        var rest = (await FindAsync(node, "a")).Users!;
        Assert.Equal(stayed, rest.Count);
        Assert.All(rest.Names, name => Assert.StartsWith("stays", name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_shard_that_does_not_answer_is_waited_for_a_second()
    {
        var node = new Node(shards: 2);
        Join(node, node.Shards[0], "ann", "a");
        Join(node, node.Shards[1], "bob", "a");
        var finding = node.Hub.FindPresenceAsync(ChannelFilter.Parse("a"), withUsers: true);
        node.Shards[0].RunAll();
        node.Time.Advance(TimeSpan.FromSeconds(1));
        var presence = await finding;
        Assert.Equal((2, 1, false), (presence.Subscribers, presence.Users!.Count, presence.Users.IsComplete));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("Ann Ösi <a@b>", true)]
    [InlineData("", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\u0085b", false)]
    public void A_name_has_no_control_characters(string text, bool isName) => Assert.Equal(isName, UserList.IsName(text));

    [Theory]
    [InlineData(255, "a", true)]
    [InlineData(256, "a", false)]
    [InlineData(127, "ö", true)]
    [InlineData(128, "ö", false)]
    public void A_name_has_255_bytes_at_most(int count, string text, bool isName) => Assert.Equal(isName, UserList.IsName(string.Concat(Enumerable.Repeat(text, count))));

    private static TestSubscriber Join(Node node, ManualShard shard, string? user, params string[] channels)
    {
        var subscriber = new TestSubscriber(shard);
        shard.Do(() => Assert.True(subscriber.TrySubscribe(node.Hub, [.. channels.Select(ChannelFilter.Parse)], user: user)));
        return subscriber;
    }

    private static async Task<long> CountAsync(Node node, string channel) => (await node.Hub.FindPresenceAsync(ChannelFilter.Parse(channel), withUsers: false)).Subscribers;

    private static Task<NodePresence> FindAsync(Node node, string channel)
    {
        var finding = node.Hub.FindPresenceAsync(ChannelFilter.Parse(channel), withUsers: true);
        node.RunAll();
        return finding;
    }

    private static int CountTurns(Node node, out Task<NodePresence> finding)
    {
        finding = node.Hub.FindPresenceAsync(ChannelFilter.Parse("a"), withUsers: true);
        int turns = 0;
        for (; !node.Shard.IsIdle; turns++)
        {
            node.Shard.Turn();
        }

        return turns;
    }
}
