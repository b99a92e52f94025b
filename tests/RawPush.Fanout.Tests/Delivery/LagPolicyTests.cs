using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class LagPolicyTests
{
    [Theory]
    [InlineData(3, false)]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void Who_is_to_be_disconnected_goes_when_the_history_has_passed_it(int behind, bool isLagged)
    {
        var (node, slow) = Block(LagPolicy.Disconnect, behind);
        Assert.Equal(isLagged ? [ChannelFilter.Parse("a")] : [], slow.Lagged);
        Assert.Equal(isLagged ? [] : Enumerable.Range(1, behind), slow.Numbers);
        Assert.Empty(slow.Gaps);
        node.PublishNumbers("a", behind + 1, behind + 1);
        node.RunAll();
        Assert.Equal(!isLagged, slow.Numbers.Contains(behind + 1));
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(100, 96)]
    public void Who_skips_goes_on_at_the_oldest_that_is_kept_after_a_notice(int behind, int missing)
    {
        var (node, slow) = Block(LagPolicy.Skip, behind);
        Assert.Empty(slow.Lagged);
        Assert.Equal(Enumerable.Range(missing + 1, behind - missing), slow.Numbers);
        Assert.Equal(missing == 0 ? [] : [(new GapNotice(ChannelFilter.Parse("a"), node.Id(0), node.Id(missing), GapReason.Slow), 0)], slow.Gaps);

        node.PublishNumbers("a", behind + 1, behind + 1);
        node.RunAll();
        Assert.Equal(behind + 1, slow.Numbers[^1]);
        Assert.Equal(missing == 0 ? 0 : 1, slow.Gaps.Count);
    }

    [Fact]
    public void A_notice_for_which_there_is_no_room_comes_later()
    {
        var node = CreateNode(LagPolicy.Skip);
        var slow = node.SubscribeFrom(StartPoint.Latest, room: 2, "a");
        node.PublishNumbers("a", 1, 10);
        node.RunAll();
        node.Shard.Do(() => slow.TakeMore(0));
        Assert.True(slow.IsBlocked);
        Assert.Empty(slow.Gaps);

        node.PublishNumbers("a", 11, 20);
        node.RunAll();
        node.Shard.Do(() => slow.TakeMore(1));
        Assert.Equal([(new GapNotice(ChannelFilter.Parse("a"), node.Id(2), node.Id(16), GapReason.Slow), 2)], slow.Gaps);
        Assert.True(slow.IsBlocked);
        node.Shard.Do(() => slow.TakeMore());
        Assert.Equal([1, 2, 17, 18, 19, 20], slow.Numbers);
        Assert.Equal(20, slow.Position.Sequence);
    }

    [Fact]
    public void The_blocked_get_the_newest_of_each_key_in_the_order_of_the_stream()
    {
        var node = CreateNode(LagPolicy.Conflate, entries: 5);
        var slow = node.SubscribeFrom(StartPoint.Latest, room: 0, "a");
        var quick = node.SubscribeFrom(StartPoint.Latest, "a");
        string?[] keys = ["x", "y", "x", null, "z", "x", null, "y"];
        for (int i = 0; i < keys.Length; i++)
        {
            _ = node.Publish("a", $"{i + 1}", new MessageTraits { Key = keys[i] });
            node.RunAll();
        }

        node.Shard.Do(() => slow.TakeMore());
        Assert.Equal([4, 5, 6, 7, 8], slow.Numbers);
        Assert.Empty(slow.Gaps);
        Assert.Equal(Enumerable.Range(1, 8), quick.Numbers);
        Assert.Equal([4, 5, 6, 7, 8], node.SubscribeFrom(StartPoint.Earliest, "a").Numbers);
    }

    [Fact]
    public void A_key_is_one_of_its_channel_only()
    {
        var node = CreateNode(LagPolicy.Conflate);
        _ = node.Publish("a", "1", new MessageTraits { Key = "x" });
        _ = node.Publish("b", "2", new MessageTraits { Key = "x" });
        _ = node.Publish("a", "3", new MessageTraits { Key = "y" });
        Assert.Equal([1, 2, 3], node.SubscribeFrom(StartPoint.Earliest, "a", "b").Numbers);
    }

    [Fact]
    public void Without_conflation_keys_mean_nothing()
    {
        var node = CreateNode(LagPolicy.Skip);
        _ = node.Publish("a", "1", new MessageTraits { Key = "x" });
        _ = node.Publish("a", "2", new MessageTraits { Key = "x" });
        Assert.Equal([1, 2], node.SubscribeFrom(StartPoint.Earliest, "a").Numbers);
    }

    [Fact]
    public void A_channel_that_conflates_says_what_the_unkeyed_have_lost()
    {
        var node = CreateNode(LagPolicy.Conflate);
        var slow = node.SubscribeFrom(StartPoint.Latest, room: 0, "a");
        node.PublishNumbers("a", 1, 1);
        node.RunAll();
        for (int i = 2; i <= 10; i++)
        {
            _ = node.Publish("a", $"{i}", new MessageTraits { Key = $"{i % 5}" });
        }

        node.RunAll();
        node.Shard.Do(() => slow.TakeMore());
        Assert.Equal([7, 8, 9, 10], slow.Numbers);   // of keys 1 to 4 and 0 the oldest, 6, is more than are kept
        Assert.Equal([(new GapNotice(ChannelFilter.Parse("a"), node.Id(0), node.Id(6), GapReason.Slow), 0)], slow.Gaps);
    }

    private static Node CreateNode(LagPolicy policy, int entries = 4) => new(new ChannelLimits
    {
        LogEntriesMax = 1,
        Namespaces = [new() { Pattern = ChannelFilter.Parse(">"), HistoryEntries = entries, LagPolicy = policy }],
    });

    private static (Node Node, TestSubscriber Slow) Block(LagPolicy policy, int behind)
    {
        var node = CreateNode(policy);
        var slow = node.SubscribeFrom(StartPoint.Latest, room: 0, "a");
        node.PublishNumbers("a", 1, behind);
        node.RunAll();
        node.Shard.Do(() => slow.TakeMore());
        return (node, slow);
    }
}
