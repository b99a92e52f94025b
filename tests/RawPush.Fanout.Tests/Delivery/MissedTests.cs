using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>A node that may not have got everything says so to its subscribers, at that place.</summary>
public sealed class MissedTests
{
    private static readonly ChannelFilter A = ChannelFilter.Parse("a");

    [Fact]
    public void Who_has_everything_is_told_before_anything_that_follows()
    {
        var node = new Node();
        var subscriber = node.Subscribe("a");
        node.PublishNumbers("a", 1, 2);
        node.RunAll();
        node.Broker.Miss(A);
        node.RunAll();
        node.PublishNumbers("a", 3, 3);
        node.RunAll();

        Assert.Equal([1, 2, 3], subscriber.Numbers);
        var (gap, at) = Assert.Single(subscriber.Gaps);
        Assert.Equal(new GapNotice(A, node.Id(2), node.Id(3), GapReason.Bus), gap);
        Assert.Equal(2, at);
        Assert.False(subscriber.IsLagging);
        Assert.Empty(subscriber.Lagged);
    }

    [Fact]
    public void Who_came_later_and_is_visited_after_one_that_is_told_gets_what_follows()
    {
        var node = new Node();
        var first = node.Subscribe("a");
        var told = node.Subscribe("a");
        var later = new TestSubscriber(node.Shard);
        node.Shard.Do(() =>
        {
            node.Broker.Miss(A);
            node.Join(later, "a");
            first.Unsubscribe();   // The last one takes its place, and is visited last.
            node.PublishNumbers("a", 1, 3);
        });
        node.RunAll();

        Assert.Single(told.Gaps);
        Assert.Empty(later.Gaps);
        Assert.Equal([1, 2, 3], told.Numbers);
        Assert.Equal([1, 2, 3], later.Numbers);
    }

    [Fact]
    public void Nobody_is_cut_off_for_it_who_is_not_slow()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 64 });
        var slow = node.Subscribe("a");
        slow.Room = 1;
        node.PublishNumbers("a", 1, 3);
        node.RunAll();
        Assert.True(slow.IsBlocked);
        node.Broker.Miss(A);
        node.PublishNumbers("a", 4, 4);
        node.RunAll();
        Assert.Empty(slow.Lagged);

        node.Shard.Do(() => slow.TakeMore());
        Assert.Equal([1, 2, 3, 4], slow.Numbers);
        Assert.Equal(GapReason.Bus, Assert.Single(slow.Gaps).Gap.Reason);
    }

    [Fact]
    public void Of_several_channels_the_one_is_named()
    {
        var node = new Node();
        var subscriber = node.Subscribe("a", "b");
        node.PublishNumbers("a", 1, 1);
        node.RunAll();
        node.Broker.Miss(ChannelFilter.Parse("b"));
        node.PublishNumbers("a", 2, 2);
        node.PublishNumbers("b", 3, 3);
        node.RunAll();

        Assert.Equal([1, 2, 3], subscriber.Numbers);
        var (gap, at) = Assert.Single(subscriber.Gaps);
        Assert.Equal((ChannelFilter.Parse("b"), GapReason.Bus, 1), (gap.Channel, gap.Reason, at));
    }

    [Fact]
    public void Who_comes_back_is_told_and_who_begins_is_not()
    {
        var node = new Node(new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), HistoryEntries = 100 });
        node.PublishNumbers("a", 1, 2);
        node.Broker.Miss(A);
        node.PublishNumbers("a", 3, 3);

        var back = node.SubscribeFrom(node.After(1), "a");
        Assert.Equal([2, 3], back.Numbers);
        Assert.Equal(node.Id(3), Assert.Single(back.Gaps).Gap.To);

        var behind = node.SubscribeFrom(node.After(3), "a");
        Assert.Equal([3], behind.Numbers);
        Assert.Empty(behind.Gaps);
        var beginner = node.Subscribe("a");
        node.PublishNumbers("a", 4, 4);
        node.RunAll();
        Assert.Equal([4], beginner.Numbers);
        Assert.Empty(beginner.Gaps);
    }

    [Fact]
    public void A_lost_message_of_a_channel_is_missing_behind_a_pattern_as_well()
    {
        var node = new Node();
        var subscriber = node.Subscribe("a.*");
        var other = node.Subscribe("b.*");
        node.PublishNumbers("a.b", 1, 1);
        node.RunAll();
        node.Broker.Lose(ChannelName.Parse("a.b"));
        node.PublishNumbers("a.b", 2, 2);
        node.RunAll();

        Assert.Equal([1, 2], subscriber.Numbers);
        var (gap, at) = Assert.Single(subscriber.Gaps);
        Assert.Equal((ChannelFilter.Parse("a.*"), GapReason.Bus, 1), (gap.Channel, gap.Reason, at));
        Assert.Empty(other.Gaps);
    }

    [Fact]
    public void A_channel_that_was_not_listened_to_is_not_missing_behind_a_pattern_that_was()
    {
        var node = new Node();
        var subscriber = node.Subscribe("a.*");
        node.PublishNumbers("a.b", 1, 1);
        node.Broker.Miss(ChannelFilter.Parse("a.b"));
        node.PublishNumbers("a.b", 2, 2);
        node.RunAll();

        Assert.Equal([1, 2], subscriber.Numbers);
        Assert.Empty(subscriber.Gaps);
    }

    [Fact]
    public void A_lost_message_is_remembered_for_those_who_come_back_with_a_pattern()
    {
        var node = new Node();
        node.PublishNumbers("other", 1, 1);
        node.Broker.Lose(ChannelName.Parse("a.b"));

        Assert.Single(node.SubscribeFrom(node.After(1), "a.*").Gaps);
        Assert.Single(node.SubscribeFrom(node.After(1), "a.b").Gaps);
        Assert.Empty(node.SubscribeFrom(node.After(2), "a.*").Gaps);
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("a.*")]
    public void It_is_remembered_of_what_is_not_there(string filter)
    {
        var node = new Node();
        node.PublishNumbers("other", 1, 1);
        node.Broker.Miss(ChannelFilter.Parse(filter));

        Assert.Single(node.SubscribeFrom(node.After(1), filter).Gaps);
        Assert.Empty(node.SubscribeFrom(node.After(2), filter).Gaps);
    }
}
