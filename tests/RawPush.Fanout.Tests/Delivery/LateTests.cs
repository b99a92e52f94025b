using System.Globalization;
using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>A broker may bring a message when others have come that stand behind it in the stream.</summary>
public sealed class LateTests
{
    private readonly Node _node = new();

    [Fact]
    public void Who_reads_its_channel_alone_gets_it()
    {
        var a = _node.Subscribe("a");
        var b = _node.Subscribe("b");
        Append("a", 1, 4);
        Append("b", 2);
        Assert.Equal([1, 4], a.Numbers);
        Assert.Equal([2], b.Numbers);
        Assert.Empty(a.Gaps);
        Assert.Empty(b.Gaps);
    }

    [Theory]
    [InlineData("a,b")]
    [InlineData("*")]
    public void Who_reads_several_and_has_gone_past_it_is_told(string channels)
    {
        var subscriber = _node.Subscribe(channels.Split(','));
        Append("a", 1, 4);
        Append("b", 2);
        Append("a", 5);
        Assert.Equal([1, 4, 5], subscriber.Numbers);
        var (gap, at) = Assert.Single(subscriber.Gaps);
        var channel = ChannelFilter.Parse(channels == "*" ? "*" : "b");
        Assert.Equal(new GapNotice(channel, _node.Id(1), _node.Id(4), GapReason.Bus), gap);
        Assert.Equal(2, at);
        Assert.False(subscriber.IsLagging);
    }

    [Theory]
    [InlineData("a,b")]
    [InlineData("*")]
    public void Who_reads_several_and_has_not_gone_past_it_gets_it_in_its_place(string channels)
    {
        var subscriber = _node.Subscribe(channels.Split(','));
        subscriber.Room = 1;
        Append("a", 1, 4);
        Append("b", 2);
        _node.Shard.Do(() => subscriber.TakeMore());
        Assert.Equal([1, 2, 4], subscriber.Numbers);
        Assert.Empty(subscriber.Gaps);
    }

    [Fact]
    public void Who_is_blocked_is_told_when_there_is_room()
    {
        var subscriber = _node.Subscribe("a", "b", "c");
        subscriber.Room = 2;
        Append("a", 1, 4, 5);
        Append("b", 2);
        Append("c", 3);
        Assert.Empty(subscriber.Gaps);
        _node.Shard.Do(() => subscriber.TakeMore());
        Assert.Equal([1, 4, 5], subscriber.Numbers);

        // Of two channels: no one is named, and it begins before the first.
        var (gap, at) = Assert.Single(subscriber.Gaps);
        Assert.Equal(new GapNotice(default, _node.Id(1), _node.Id(4), GapReason.Bus), gap);
        Assert.Equal(2, at);
    }

    [Fact]
    public void Who_comes_back_gets_it_in_its_place()
    {
        var node = new Node(new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), HistoryEntries = 10 });
        Append(node, "a", 1, 4);
        Append(node, "b", 2);
        Assert.Equal([1, 2, 4], node.SubscribeFrom(StartPoint.Earliest, "a", "b").Numbers);
        Assert.Equal([2, 4], node.SubscribeFrom(node.After(1), "*").Numbers);
    }

    [Fact]
    public void What_its_own_channel_has_gone_past_is_left_out()
    {
        var subscriber = _node.Subscribe("a");
        Append("a", 1, 4);
        Append("a", 2, 4);
        Assert.Equal([1, 4], subscriber.Numbers);
    }

    [Fact]
    public void A_loss_that_is_found_late_is_told_to_who_has_gone_past_it()
    {
        var several = _node.Subscribe("a", "b");
        var pattern = _node.Subscribe("*");
        Append("a", 1, 4);
        _node.Hub.Lose(ChannelName.Parse("b"), 2);
        _node.RunAll();
        Assert.Equal(GapReason.Bus, Assert.Single(several.Gaps).Gap.Reason);
        Assert.Equal(GapReason.Bus, Assert.Single(pattern.Gaps).Gap.Reason);
    }

    private void Append(string channel, params long[] sequences) => Append(_node, channel, sequences);

    private static void Append(Node node, string channel, params long[] sequences)
    {
        foreach (long sequence in sequences)
        {
            var message = new PushMessage(MessageKind.Text, Encoding.UTF8.GetBytes(sequence.ToString(CultureInfo.InvariantCulture)), null);
            _ = node.Hub.Append(ChannelName.Parse(channel), message, null, node.Id(sequence)).DeliverAsync();
        }

        node.RunAll();
    }
}
