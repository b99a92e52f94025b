using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class SeveralChannelsTests
{
    [Fact]
    public void Messages_come_in_the_order_of_the_stream()
    {
        var node = new Node();
        var subscriber = node.Subscribe("a", "b", "c");
        string[] channels = ["c", "a", "a", "b", "other", "c", "b", "a"];
        for (int i = 0; i < channels.Length; i++)
        {
            node.PublishNumbers(channels[i], i, i);
        }

        node.RunAll();
        Assert.Equal([0, 1, 2, 3, 5, 6, 7], subscriber.Numbers);
        Assert.Equal([7], subscriber.Writes);
    }

    [Theory]
    [InlineData(64, new[] { 64 })]
    [InlineData(65, new[] { 64, 1 })]
    [InlineData(1_000, null)]
    public void More_than_a_batch_leaves_in_several_writes(int messages, int[]? writes)
    {
        var node = new Node();
        var subscriber = node.Subscribe("a", "b");
        for (int i = 1; i <= messages; i++)
        {
            node.PublishNumbers(i % 3 == 0 ? "a" : "b", i, i);
        }

        node.RunAll();
        Assert.Equal(Enumerable.Range(1, messages), subscriber.Numbers);
        Assert.Equal(writes ?? subscriber.Writes.ToArray(), subscriber.Writes);
    }

    [Fact]
    public void More_channels_than_the_merge_has_room_for_at_first()
    {
        var node = new Node();
        string[] channels = [.. Enumerable.Range(0, 40).Select(i => $"channel{i}")];
        var few = node.Subscribe(channels[..3]);
        var many = node.Subscribe(channels);
        for (int i = 0; i < 200; i++)
        {
            node.PublishNumbers(channels[i * 7 % 40], i, i);
        }

        node.RunAll();
        Assert.Equal(Enumerable.Range(0, 200), many.Numbers);
        Assert.Equal(Enumerable.Range(0, 200).Where(i => i * 7 % 40 < 3), few.Numbers);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(150)]
    public void One_that_blocks_reads_on_in_order(int room)
    {
        var node = new Node();
        var slow = node.Subscribe("a", "b");
        slow.Room = room;
        for (int i = 1; i <= 200; i++)
        {
            node.PublishNumbers(i % 2 == 0 ? "a" : "b", i, i);
        }

        node.RunAll();
        Assert.Equal(Enumerable.Range(1, room), slow.Numbers);
        Assert.True(slow.IsBlocked);

        node.PublishNumbers("a", 201, 201);
        node.RunAll();
        Assert.Equal(room, slow.Forms.Count);

        node.Shard.Do(() => slow.TakeMore());
        node.RunAll();
        Assert.Equal(Enumerable.Range(1, 201), slow.Numbers);
        Assert.Empty(slow.Faults);
    }

    [Fact]
    public void One_that_takes_everything_does_not_lag_behind_a_burst()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 16 });
        var quick = node.Subscribe("a", "b");
        node.PublishNumbers("a", 1, 1_000);
        node.PublishNumbers("b", 1_001, 1_010);
        node.PublishNumbers("a", 1_011, 2_000);
        node.RunAll();

        Assert.Empty(quick.Lagged);
        Assert.Equal(Enumerable.Range(1, 2_000), quick.Numbers);
    }

    [Fact]
    public void The_channel_that_lost_entries_is_named()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 4 });
        var slow = node.Subscribe("a", "b");
        slow.Room = 0;
        node.PublishNumbers("a", 1, 4);
        node.PublishNumbers("b", 5, 9);
        node.RunAll();
        node.Shard.Do(() => slow.TakeMore());

        Assert.Equal([ChannelFilter.Parse("b")], slow.Lagged);
        Assert.Empty(slow.Forms);
        Assert.Equal(0, node.Hub.ChannelCount);
    }

    [Fact]
    public void A_fault_is_its_subscribers_own()
    {
        var node = new Node();
        var neighbour = node.Subscribe("a", "b");
        var other = node.Subscribe("c", "d");
        var broken = node.Subscribe("a", "b");   // walked first
        broken.OnWrite = _ => throw new InvalidOperationException("broken");
        node.PublishNumbers("a", 1, 2);
        node.PublishNumbers("b", 3, 3);
        node.PublishNumbers("c", 4, 4);
        node.RunAll();
        node.PublishNumbers("b", 5, 5);
        node.RunAll();

        Assert.Single(broken.Faults);
        Assert.Equal([1, 2, 3, 5], neighbour.Numbers);
        Assert.Equal([4], other.Numbers);
        Assert.Empty(neighbour.Faults);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_is_blocked_and_resumed_nothing_is_missed_repeated_or_out_of_order(int seed)
    {
        var random = new Random(seed);
        var node = new Node(new ChannelLimits { LogEntriesMax = 100_000 }, shards: 2);
        string[] channels = ["a", "b", "c", "d"];
        var published = new List<string>();
        var subscribers = new List<(TestSubscriber Subscriber, string[] Channels, int First)>();
        for (int round = 0; round < 2_000; round++)
        {
            switch (random.Next(6))
            {
                case 0 when subscribers.Count < 30:
                    string[] chosen = [.. channels.Where(_ => random.Next(2) == 0).DefaultIfEmpty("a")];
                    var joined = node.SubscribeOn(node.Shards[random.Next(2)], chosen);
                    subscribers.Add((joined, chosen, published.Count));
                    break;
                case 1 when subscribers.Count > 0:
                    subscribers[random.Next(subscribers.Count)].Subscriber.Room = random.Next(100);
                    break;
                case 2 when subscribers.Count > 0:
                    var resumed = subscribers[random.Next(subscribers.Count)].Subscriber;
                    ((ManualShard)resumed.Shard).Do(() => resumed.TakeMore(random.Next(300)));
                    break;
                case 3:
                    node.Shards[random.Next(2)].Turn();
                    break;
                default:
                    for (int count = random.Next(10) == 0 ? 200 : 5; count > 0; count--)
                    {
                        string channel = channels[random.Next(4)];
                        node.PublishNumbers(channel, published.Count, published.Count);
                        published.Add(channel);
                    }

                    break;
            }
        }

        node.RunAll();
        foreach (var (subscriber, chosen, first) in subscribers)
        {
            ((ManualShard)subscriber.Shard).Do(() => subscriber.TakeMore());
            node.RunAll();
            Assert.Equal(Enumerable.Range(first, published.Count - first).Where(i => chosen.Contains(published[i])), subscriber.Numbers);
            Assert.Empty(subscriber.Faults);
            Assert.Empty(subscriber.Lagged);
        }

        Assert.Equal(30, subscribers.Count);
    }
}
