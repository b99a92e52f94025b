using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>What was lost of one log is told before anything of another log that stands behind it: the id of whatever came last is where a client resumes.</summary>
public sealed class HoleTests
{
    private static readonly ChannelNamespace[] Namespaces =
    [
        new() { Pattern = ChannelFilter.Parse("long.>"), HistoryEntries = 100, LagPolicy = LagPolicy.Skip },
        new() { Pattern = ChannelFilter.Parse("short.>"), HistoryEntries = 1, LagPolicy = LagPolicy.Skip },
    ];

    private readonly Node _node = new(new ChannelLimits { LogEntriesMax = 1, Namespaces = Namespaces });

    [Theory]
    [InlineData("long.1", "short.1")]
    [InlineData("short.1", "long.1")]
    [InlineData(">")]
    public void Who_is_interrupted_in_the_middle_has_been_told_of_what_came_before(params string[] filters)
    {
        _node.PublishNumbers("short.1", 1, 1);
        _node.PublishNumbers("long.1", 2, 5);
        _node.PublishNumbers("short.1", 6, 7);

        // The connection ends behind 2, when 1 is lost and 6 as well.
        var first = _node.SubscribeFrom(_node.After(0), room: 2, filters);
        _node.Leave(first);
        Assert.Equal([2], first.Numbers);
        Assert.Equal((0L, 6L, GapReason.Retention, 0), (first.Gaps[0].Gap.From.Sequence, first.Gaps[0].Gap.To.Sequence, first.Gaps[0].Gap.Reason, first.Gaps[0].At));

        var second = _node.SubscribeFrom(StartPoint.After(first.Position), filters);
        Assert.Equal([3, 4, 5, 7], second.Numbers);
        Assert.Equal((2L, 6L), (second.Gaps[0].Gap.From.Sequence, second.Gaps[0].Gap.To.Sequence));
    }

    [Fact]
    public void Whose_last_was_a_notice_misses_nothing_of_what_was_to_follow()
    {
        _node.PublishNumbers("short.1", 1, 1);
        _node.PublishNumbers("long.1", 2, 5);
        _node.PublishNumbers("short.1", 6, 7);
        var first = _node.SubscribeFrom(_node.After(0), room: 1, "long.1", "short.1");
        _node.Leave(first);
        Assert.Empty(first.Numbers);
        Assert.Equal((1L, 1L), (first.Gaps[0].Gap.Position.Sequence, first.Position.Sequence));
        Assert.Equal([2, 3, 4, 5, 7], _node.SubscribeFrom(StartPoint.After(first.Position), "long.1", "short.1").Numbers);
    }

    [Fact]
    public void What_is_lost_to_slowness_is_told_whatever_another_channel_had_lost_before()
    {
        _node.PublishNumbers("long.1", 1, 1);
        _node.PublishNumbers("short.1", 2, 3);
        _node.PublishNumbers("long.1", 4, 9);
        _node.PublishNumbers("none", 10, 11);
        var slow = _node.SubscribeFrom(StartPoint.Earliest, room: 1, "none", "short.1", "long.1");
        Assert.Equal([1], slow.Numbers);

        // 4 to 8, which were kept when it came, get too old before it takes them. One entry stays for the slow.
        _node.Age(TimeSpan.FromHours(1));
        _node.Shard.Do(() => slow.TakeMore());
        Assert.Equal([1, 3, 9], slow.Numbers);
        var (gap, _) = Assert.Single(slow.Gaps);
        Assert.Equal((ChannelFilter.Parse("long.1"), 1L, 8L, GapReason.Slow), (gap.Channel, gap.From.Sequence, gap.To.Sequence, gap.Reason));
    }

    [Theory]
    [InlineData("a.*")]
    [InlineData("*.1")]
    public void Who_resumes_with_a_pattern_disturbs_nobody_who_has_it_already(string pattern)
    {
        var live = _node.Subscribe(pattern, "b");
        _node.PublishNumbers("a.1", 1, 1);
        _node.RunAll();
        _node.PublishNumbers("a.b.c", 2, 2);   // for nobody, but of the same first token
        _node.PublishNumbers("a.1", 3, 3);
        _node.PublishNumbers("a.b.c", 4, 4);
        _node.SubscribeFrom(_node.After(0), pattern);
        _node.RunAll();
        _node.PublishNumbers("a.1", 5, 5);
        _node.RunAll();
        Assert.Empty(live.Lagged);
        Assert.Empty(live.Gaps);
        Assert.Equal([1, 3, 5], live.Numbers);
    }

    [Fact]
    public void What_a_pattern_missed_before_it_was_there_is_told_also_if_its_log_has_what_followed()
    {
        _node.PublishNumbers("a.1", 1, 1);
        var live = _node.Subscribe("a.*");
        _node.PublishNumbers("a.1", 2, 2);
        var resumed = _node.SubscribeFrom(_node.After(0), "a.*");
        Assert.Equal([2], resumed.Numbers);
        Assert.Equal((0L, 1L), (resumed.Gaps[0].Gap.From.Sequence, resumed.Gaps[0].Gap.To.Sequence));
        _node.RunAll();
        Assert.Equal([2], live.Numbers);
    }
}
