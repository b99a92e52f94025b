using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class ExpiryTests
{
    private static readonly MessageTraits TenSeconds = new() { Expires = TimeSpan.FromSeconds(10) };

    private readonly Node _node = new(new ChannelNamespace { Pattern = ChannelFilter.Parse("kept"), HistoryEntries = 10, LagPolicy = LagPolicy.Skip });

    [Theory]
    [InlineData(9_999, new[] { 1, 2, 3 })]
    [InlineData(10_000, new[] { 1, 3 })]
    public void Nobody_is_sent_what_has_expired_nor_told(int milliseconds, int[] expected)
    {
        foreach (string channel in new[] { "kept", "live" })
        {
            var node = new Node(new ChannelNamespace { Pattern = ChannelFilter.Parse("kept"), HistoryEntries = 10 });
            var late = node.SubscribeFrom(StartPoint.Latest, channel);
            var slow = node.SubscribeFrom(StartPoint.Latest, room: 0, channel, "other");
            node.PublishNumbers(channel, 1, 1);
            _ = node.Publish(channel, "2", TenSeconds);
            node.PublishNumbers(channel, 3, 3);
            node.Age(TimeSpan.FromMilliseconds(milliseconds));
            node.RunAll();
            node.Shard.Do(() => slow.TakeMore());

            Assert.Equal(expected, late.Numbers);
            Assert.Equal(expected, slow.Numbers);
            Assert.Empty(slow.Gaps);
        }
    }

    [Fact]
    public void Who_resumes_is_not_told_of_what_has_expired()
    {
        _node.PublishNumbers("kept", 1, 1);
        _ = _node.Publish("kept", "2", TenSeconds);
        _node.Age(TimeSpan.FromSeconds(10));
        var resumed = _node.SubscribeFrom(_node.After(1), "kept");
        Assert.Empty(resumed.Numbers);
        Assert.Empty(resumed.Gaps);
        _node.PublishNumbers("kept", 3, 3);
        _node.RunAll();
        Assert.Equal([3], resumed.Numbers);
    }

    [Fact]
    public void One_that_was_slow_is_not_told_of_a_flood_that_has_expired()
    {
        var slow = _node.SubscribeFrom(StartPoint.Latest, room: 0, "kept");
        for (int i = 1; i <= 5; i++)
        {
            _ = _node.Publish("kept", $"{i}", TenSeconds);
        }

        _node.RunAll();
        _node.Age(TimeSpan.FromSeconds(10));
        _node.PublishNumbers("kept", 6, 6);
        _node.RunAll();
        _node.Shard.Do(() => slow.TakeMore());
        Assert.Equal([6], slow.Numbers);
        Assert.Empty(slow.Gaps);
    }

    [Fact]
    public void What_has_expired_leaves_the_memory_with_the_sweep()
    {
        _ = _node.Publish("kept", "1", TenSeconds);
        _node.Age(TimeSpan.FromMilliseconds(9_999));
        Assert.Equal(1, _node.Hub.ChannelCount);
        _node.Age(TimeSpan.FromMilliseconds(1));
        Assert.Equal((0, 0L), (_node.Hub.ChannelCount, _node.Hub.Budget.LogBytes));
    }
}
