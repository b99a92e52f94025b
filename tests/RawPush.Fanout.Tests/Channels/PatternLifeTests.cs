using RawPush.Fanout.Channels;
using RawPush.Fanout.Tests.Delivery;

namespace RawPush.Fanout.Tests.Channels;

public sealed class PatternLifeTests
{
    private static readonly ChannelLimits Limits = new() { Namespaces = [new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), HistoryEntries = 100 }] };

    [Fact]
    public void A_pattern_outlives_its_last_subscriber_for_some_sweeps_and_goes_on()
    {
        var node = new Node(Limits);
        var first = node.Subscribe("a.*");
        node.Shard.Do(first.Unsubscribe);
        node.PublishNumbers("a.b", 1, 3);
        for (int sweep = 0; sweep < Channel.PatternIdleSweepsMax; sweep++)
        {
            node.Hub.Sweep();
        }

        Assert.Equal(1, node.Hub.PatternCount);
        var second = node.Subscribe("a.*");
        node.PublishNumbers("a.b", 4, 4);
        node.RunAll();
        Assert.Equal([4], second.Numbers);

        node.Shard.Do(second.Unsubscribe);
        node.SweepPatterns();
        Assert.Equal(0, node.Hub.PatternCount);
    }

    [Fact]
    public void A_message_on_its_way_when_the_pattern_is_made_is_neither_missed_nor_repeated()
    {
        // Publishers on threads of their own, and patterns that are made anew for each subscriber.
        const int Rounds = 300;
        var node = new Node(Limits with { Namespaces = [Limits.Namespaces[0] with { HistoryEntries = 2_000 }] });
        bool isOver = false;
        var publisher = new Thread(() =>
        {
            for (int number = 1; !Volatile.Read(ref isOver); number++)
            {
                node.PublishNumbers($"a.b{number % 3}", number, number);
                Thread.SpinWait(500);
            }
        });
        publisher.Start();
        for (int round = 0; round < Rounds; round++)
        {
            var from = node.Hub.Newest;
            var subscriber = new TestSubscriber(node.Shard);
            node.Shard.Do(() => Assert.True(subscriber.TrySubscribe(node.Hub, [ChannelFilter.Parse("a.*"), ChannelFilter.Parse($"*.b{round % 3}")], StartPoint.After(from))));
            node.Shard.Do(subscriber.TakeNow);
            node.Shard.Turn();
            node.Shard.Do(subscriber.Unsubscribe);
            node.SweepPatterns();

            // Numbers are sequences: all channels are matched.
            Assert.Equal(Enumerable.Range((int)from.Sequence + 1, subscriber.Numbers.Length), subscriber.Numbers);
            Assert.Empty(subscriber.Faults);
        }

        Volatile.Write(ref isOver, true);
        publisher.Join();
    }
}
