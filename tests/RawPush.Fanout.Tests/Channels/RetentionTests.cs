using System.Globalization;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Fanout.Tests.Delivery;

namespace RawPush.Fanout.Tests.Channels;

public sealed class RetentionTests
{
    private const int EntryBytes = 3;   // a digit behind a header of two bytes

    private static readonly ChannelName A = ChannelName.Parse("a");

    [Theory]
    [InlineData(3, 3)]
    [InlineData(4, 4)]
    [InlineData(5, 4)]
    [InlineData(100, 4)]
    public void As_many_entries_are_kept_as_the_namespace_says(int published, int kept)
    {
        var node = new Node(History(4));
        node.PublishNumbers("a", 1, published);
        Assert.Equal((kept, published - kept), (node.Hub.Describe(A)!.Entries, node.Hub.Describe(A)!.DroppedThrough));
        Assert.Equal(Enumerable.Range(published - kept + 1, kept), node.SubscribeFrom(StartPoint.Earliest, "a").Numbers);
    }

    [Theory]
    [InlineData((4 * EntryBytes) - 1, 3)]
    [InlineData(4 * EntryBytes, 4)]
    [InlineData((4 * EntryBytes) + 1, 4)]
    [InlineData((5 * EntryBytes) - 1, 4)]
    public void As_many_bytes_are_kept_as_the_namespace_says(long bytes, int kept)
    {
        var node = new Node(History(100) with { HistoryBytes = bytes });
        node.PublishNumbers("a", 1, 9);
        Assert.Equal((kept, kept * (long)EntryBytes), (node.Hub.Describe(A)!.Entries, node.Hub.Describe(A)!.Bytes));
    }

    [Fact]
    public void The_newest_is_kept_whatever_its_size()
    {
        var node = new Node(History(100) with { HistoryBytes = 10 });
        node.PublishNumbers("a", 1, 3);
        _ = node.Publish("a", new string('x', 100));
        Assert.Equal((1, 4L), (node.Hub.Describe(A)!.Entries, node.Hub.Describe(A)!.OldestSequence));
        node.PublishNumbers("a", 5, 5);
        Assert.Equal((1, 5L), (node.Hub.Describe(A)!.Entries, node.Hub.Describe(A)!.OldestSequence));
    }

    [Fact]
    public void Entries_are_kept_as_long_as_the_namespace_says()
    {
        var node = new Node(History(100) with { HistoryAge = TimeSpan.FromSeconds(10) });
        node.PublishNumbers("a", 1, 1);
        node.Age(TimeSpan.FromSeconds(5));
        node.PublishNumbers("a", 2, 2);

        node.Age(TimeSpan.FromMilliseconds(4_999));
        Assert.Equal(2, node.Hub.Describe(A)!.Entries);
        node.Age(TimeSpan.FromMilliseconds(1));
        Assert.Equal((1, 2L, 1L), (node.Hub.Describe(A)!.Entries, node.Hub.Describe(A)!.OldestSequence, node.Hub.Describe(A)!.DroppedThrough));

        node.Age(TimeSpan.FromMilliseconds(4_999));
        Assert.Equal(1, node.Hub.ChannelCount);
        node.Age(TimeSpan.FromMilliseconds(1));
        Assert.Equal((0, 0L), (node.Hub.ChannelCount, node.Hub.Budget.LogBytes));
    }

    [Fact]
    public void What_is_too_old_but_held_for_somebody_slow_does_not_keep_the_sweep_busy()
    {
        var node = new Node(History(100) with { HistoryAge = TimeSpan.FromSeconds(10) });
        var slow = node.SubscribeFrom(StartPoint.Latest, room: 0, "a");
        node.PublishNumbers("a", 1, 3);
        node.RunAll();

        node.Age(TimeSpan.FromSeconds(11));   // once, it never came back
        node.Age(TimeSpan.FromSeconds(1));

        Assert.Equal(3, node.Hub.Describe(A)!.Entries);
        node.Shard.Do(() => slow.TakeMore());
        Assert.Equal([1, 2, 3], slow.Numbers);
        Assert.Equal(0, node.Hub.Describe(A)!.Entries);
        node.Leave(slow);
        Assert.Equal(0, node.Hub.ChannelCount);
    }

    [Fact]
    public void Nothing_is_kept_without_a_namespace()
    {
        var node = new Node(History(100) with { Pattern = ChannelFilter.Parse("b.>") });
        var quick = node.Subscribe("a");
        node.PublishNumbers("a", 1, 3);
        Assert.Equal(3, node.Hub.Describe(A)!.Entries);
        node.RunAll();
        Assert.Equal((0, (long)Channel.OverheadBytes), (node.Hub.Describe(A)!.Entries, node.Hub.Budget.LogBytes));

        node.Leave(quick);
        Assert.Equal(0, node.Hub.ChannelCount);
        Assert.False(node.Hub.IsWanted(A));
        Assert.True(node.Hub.IsWanted(ChannelName.Parse("b.c")));
    }

    [Fact]
    public void A_channel_with_history_outlives_its_subscribers()
    {
        var node = new Node(History(100));
        var subscriber = node.Subscribe("a");
        node.Leave(subscriber);
        Assert.Equal(0, node.Hub.ChannelCount);   // there is nothing to keep

        node.PublishNumbers("a", 1, 3);
        node.Leave(node.Subscribe("a"));
        Assert.Equal((1, 3), (node.Hub.ChannelCount, node.Hub.Describe(A)!.Entries));
    }

    [Fact]
    public void The_first_namespace_that_matches_counts()
    {
        var node = new Node(new ChannelLimits { Namespaces = [History(1) with { Pattern = ChannelFilter.Parse("a.b") }, History(2) with { Pattern = ChannelFilter.Parse("a.*") }, History(3)] });
        foreach (string channel in new[] { "a.b", "a.c", "x" })
        {
            node.PublishNumbers(channel, 1, 9);
        }

        Assert.Equal([1, 2, 3], node.Hub.List("", 10).Select(report => report.Entries));
    }

    [Fact]
    public void Channels_that_were_used_once_are_gone_when_they_are_old()
    {
        const int Channels = 20_000;
        var node = new Node(History(100) with { HistoryAge = TimeSpan.FromSeconds(10) });
        for (int i = 0; i < Channels; i++)
        {
            _ = node.Publish($"user.{i}", i.ToString(CultureInfo.InvariantCulture));
        }

        Assert.Equal(Channels, node.Hub.ChannelCount);
        Assert.InRange(node.Hub.Budget.LogBytes, Channels * Channel.OverheadBytes, Channels * 1_500);
        node.Age(TimeSpan.FromMilliseconds(9_999));
        Assert.Equal(Channels, node.Hub.ChannelCount);
        node.Age(TimeSpan.FromMilliseconds(1));
        Assert.Equal((0, 0L), (node.Hub.ChannelCount, node.Hub.Budget.LogBytes));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_channel_for_which_there_is_no_room_refuses_what_it_would_have_to_keep(int channelsMax)
    {
        var node = new Node(new ChannelLimits { ChannelsMax = channelsMax, Namespaces = [History(5)] });
        node.PublishNumbers("a", 1, 1);
        node.PublishNumbers("b", 1, 1);
        var third = await Record.ExceptionAsync(() => node.Publish("c", "1"));
        Assert.Equal(channelsMax == 2, third is PublishRefusedException { Refusal: PublishRefusal.TooManyChannels });
        Assert.Equal(channelsMax, node.Hub.ChannelCount);
        Assert.True(node.Publish("a", "2").IsCompletedSuccessfully);
    }

    private static ChannelNamespace History(int entries) => new() { Pattern = ChannelFilter.Parse(">"), HistoryEntries = entries };
}
