using System.Globalization;
using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>A log gets what the node has not got from a broker that keeps it.</summary>
public sealed class FillingTests
{
    private static readonly TimeSpan PinTime = TimeSpan.FromSeconds(30);
    private static readonly ChannelFilter A = ChannelFilter.Parse("a");
    private static readonly ChannelFilter All = ChannelFilter.Parse("*");

    private readonly Node _node = new();

    [Fact]
    public void Who_comes_back_to_a_node_that_has_just_begun_to_listen_gets_what_was_filled_in()
    {
        Fill(A, floor: 20, after: 10, 12, 14, 18);
        var subscriber = _node.SubscribeFrom(_node.After(10), "a");
        Append("a", 22);
        Assert.Equal([12, 14, 18, 22], subscriber.Numbers);
        Assert.Empty(subscriber.Gaps);
    }

    [Fact]
    public void What_could_not_be_filled_in_is_a_gap()
    {
        Fill(A, floor: 20, after: 14, 18);
        var subscriber = _node.SubscribeFrom(_node.After(10), "a");
        Assert.Equal([18], subscriber.Numbers);
        Assert.Equal((GapReason.Retention, _node.Id(14)), (Assert.Single(subscriber.Gaps).Gap.Reason, subscriber.Gaps[0].Gap.To));
    }

    [Fact]
    public void A_pattern_is_filled_as_a_channel_is()
    {
        Fill(All, floor: 20, after: 10, 12, 14);
        _node.Hub.Advance(20);
        var subscriber = _node.SubscribeFrom(_node.After(10), "*");
        Append("b", 22);
        Assert.Equal([12, 14, 22], subscriber.Numbers);
        Assert.Empty(subscriber.Gaps);
    }

    [Fact]
    public void What_is_there_already_is_not_there_twice()
    {
        Assert.True(_node.Hub.TryPin(A, 10, PinTime, out _));
        Append("a", 12, 14, 16);
        _node.Hub.SetFloor(A, 20);
        Fill(A, floor: 20, after: 10, 12, 13, 14, 16, 18);
        Assert.Equal([12, 13, 14, 16, 18], _node.SubscribeFrom(_node.After(10), "a").Numbers);
    }

    [Fact]
    public void A_log_that_has_lost_more_meanwhile_is_to_be_looked_at_anew()
    {
        _node.Hub.SetFloor(A, 20);
        Assert.True(_node.Hub.TryPin(A, 20, PinTime, out long dropped));
        Assert.Equal(20, dropped);
        _node.Hub.SetFloor(A, 25);
        Assert.False(_node.Hub.TryFill(A, [Message("a", 12)], 10, dropped));
        Assert.True(_node.Hub.TryPin(A, 25, PinTime, out dropped));
        Assert.Equal(25, dropped);
    }

    [Fact]
    public void What_nobody_comes_for_is_dropped_again()
    {
        Fill(A, floor: 20, after: 10, 12, 14, 18);
        _node.Age(PinTime - TimeSpan.FromSeconds(1));
        Assert.Equal(3, _node.Hub.CountEntries(A));
        _node.Age(TimeSpan.FromSeconds(2));
        Assert.Equal(0, _node.Hub.ChannelCount);
        Assert.Equal(0, _node.Hub.Budget.LogBytes);

        // And nobody is told that it is there.
        Assert.Equal(GapReason.Retention, Assert.Single(_node.SubscribeFrom(_node.After(10), "a").Gaps).Gap.Reason);
    }

    [Fact]
    public void A_position_that_the_stream_has_reached_and_the_node_has_not_is_valid()
    {
        _node.Hub.NoteKnown(30);
        var subscriber = _node.SubscribeFrom(_node.After(30), "a");
        Append("a", 28, 30, 32);
        Assert.Equal([32], subscriber.Numbers);
    }

    [Fact]
    public void Of_messages_with_a_key_the_newest_counts_wherever_it_came_from()
    {
        var node = new Node(new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), HistoryEntries = 10, LagPolicy = LagPolicy.Conflate });
        node.Hub.SetFloor(A, 20);
        Assert.True(node.Hub.TryPin(A, 20, PinTime, out long dropped));
        _ = node.Hub.Append(ChannelName.Parse("a"), Keyed("x", 22), null, node.Id(22));
        Assert.True(node.Hub.TryFill(A, [new KeptMessage(ChannelName.Parse("a"), Keyed("x", 12), 12, Now), new KeptMessage(ChannelName.Parse("a"), Keyed("y", 13), 13, Now), new KeptMessage(ChannelName.Parse("a"), Keyed("y", 14), 14, Now)], 10, dropped));
        Assert.Equal([14, 22], node.SubscribeFrom(node.After(10), "a").Numbers);
        Assert.Equal(2, node.Hub.CountEntries(A));
    }

    private long Now => _node.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private void Fill(ChannelFilter filter, long floor, long after, params long[] sequences)
    {
        _node.Hub.SetFloor(filter, floor);
        Assert.True(_node.Hub.TryPin(filter, floor, PinTime, out long dropped));
        Assert.True(_node.Hub.TryFill(filter, [.. sequences.Select(sequence => Message("a", sequence))], after, dropped));
    }

    private KeptMessage Message(string channel, long sequence) => new(ChannelName.Parse(channel), Keyed(null, sequence), sequence, Now);

    private static PushMessage Keyed(string? key, long sequence) =>
        new(MessageKind.Text, Encoding.UTF8.GetBytes(sequence.ToString(CultureInfo.InvariantCulture)), key is null ? null : new MessageTraits { Key = key });

    private void Append(string channel, params long[] sequences)
    {
        foreach (long sequence in sequences)
        {
            _ = _node.Hub.Append(ChannelName.Parse(channel), Keyed(null, sequence), null, _node.Id(sequence)).DeliverAsync();
        }

        _node.RunAll();
    }
}
