using System.Runtime.CompilerServices;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Fanout.Tests.Delivery;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Channels;

public sealed class ChannelHubTests
{
    [Fact]
    public void A_channel_exists_while_somebody_subscribes_to_it()
    {
        var node = new Node(shards: 2);
        var name = ChannelName.Parse("a");
        Assert.Equal((0, false), (node.Hub.ChannelCount, node.Hub.IsWanted(name)));

        var first = node.SubscribeOn(node.Shards[0], "a");
        var second = node.SubscribeOn(node.Shards[1], "a");
        var third = node.SubscribeOn(node.Shards[1], "a");
        Assert.Equal((1, true), (node.Hub.ChannelCount, node.Hub.IsWanted(name)));

        node.Shards[1].Do(third.Unsubscribe);
        node.Shards[0].Do(first.Unsubscribe);
        Assert.Equal((1, true), (node.Hub.ChannelCount, node.Hub.IsWanted(name)));

        node.Shards[1].Do(second.Unsubscribe);
        Assert.Equal((0, false), (node.Hub.ChannelCount, node.Hub.IsWanted(name)));
    }

    [Fact]
    public void Leaving_twice_is_leaving_once()
    {
        var node = new Node();
        var subscriber = node.Subscribe("a", "b");
        var other = node.Subscribe("a");
        Assert.Equal(2, CountOf(subscriber));

        node.Shard.Do(subscriber.Unsubscribe);
        node.Shard.Do(subscriber.Unsubscribe);

        Assert.Equal(0, CountOf(subscriber));
        Assert.Equal(1, node.Hub.ChannelCount);
        node.PublishNumbers("a", 1, 1);
        node.RunAll();
        Assert.Equal([1], other.Numbers);
        Assert.Empty(subscriber.Forms);
    }

    [Fact]
    public void A_subscriber_gets_what_is_published_after_it_joined()
    {
        var node = new Node();
        var early = node.Subscribe("a");
        node.PublishNumbers("a", 1, 3);
        var late = node.Subscribe("a");
        node.PublishNumbers("a", 4, 5);
        node.RunAll();

        Assert.Equal([1, 2, 3, 4, 5], early.Numbers);
        Assert.Equal([4, 5], late.Numbers);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void A_node_has_no_more_channels_than_it_may_have(int channels, bool isJoined)
    {
        var node = new Node(new ChannelLimits { ChannelsMax = 3 });
        for (int i = 1; i < channels; i++)
        {
            node.Subscribe($"channel{i}");
        }

        var subscriber = new TestSubscriber(node.Shard);
        node.Shard.Do(() =>
        {
            Assert.Equal(isJoined, subscriber.TrySubscribe(node.Hub, [ChannelFilter.Parse("channel1"), ChannelFilter.Parse("last")]));
            Assert.Equal(isJoined ? 2 : 0, CountOf(subscriber));
            subscriber.Unsubscribe();
            Assert.True(subscriber.TrySubscribe(node.Hub, [ChannelFilter.Parse("channel1")]));
        });

        Assert.Equal(Math.Min(channels - 1, 3), node.Hub.ChannelCount);
        Assert.False(node.Hub.IsWanted(ChannelName.Parse("last")));
        Assert.Equal(2, node.Hub.Describe(ChannelName.Parse("channel1"))?.Subscribers);
    }

    [Fact]
    public void A_channel_that_is_retired_makes_room_for_another()
    {
        var node = new Node(new ChannelLimits { ChannelsMax = 1 });
        for (int i = 0; i < 10; i++)
        {
            var subscriber = node.Subscribe($"channel{i}");
            node.Shard.Do(subscriber.Unsubscribe);
        }

        Assert.Equal(0, node.Hub.ChannelCount);
    }

    [Fact]
    public async Task Receipts_count_the_stream_and_the_subscribers_of_the_channel()
    {
        var node = new Node(shards: 2);
        node.SubscribeOn(node.Shards[0], "a", "b");
        var leaver = node.SubscribeOn(node.Shards[1], "a");

        var receipts = new[]
        {
            await node.Publish("a", "1"), await node.Publish("b", "2"), await node.Publish("nobody", "3"), await node.Publish("a", "4"),
        };
        node.Shards[1].Do(leaver.Unsubscribe);
        var last = await node.Publish("a", "5");

        Assert.Equal([(1L, 2), (2L, 1), (3L, 0), (4L, 2)], receipts.Select(receipt => (receipt.Id.Sequence, receipt.Subscribers)));
        Assert.Equal((5L, 1), (last.Id.Sequence, last.Subscribers));
        Assert.All(receipts, receipt => Assert.Equal(node.Broker.Epoch, receipt.Id.Epoch));
    }

    [Fact]
    public async Task A_message_for_nobody_is_not_stored()
    {
        var node = new Node();
        await node.Publish("a", "1");
        Assert.Equal(0, node.Hub.ChannelCount);
        Assert.True(node.Shard.IsIdle);

        var subscriber = node.Subscribe("a");
        node.RunAll();
        Assert.Empty(subscriber.Forms);
    }

    [Fact]
    public async Task A_message_for_nobody_costs_no_memory()
    {
        var node = new Node();
        var name = ChannelName.Parse("nobody");
        var message = new PushMessage(MessageKind.Text, new byte[10_000]);
        await PublishMany(1_000);   // warm-up

        long before = GC.GetAllocatedBytesForCurrentThread();
        await PublishMany(1_000);

        // Less than a byte each: nothing but, in a debug build, the loop's own state machine.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 999);

        async Task PublishMany(int count)
        {
            for (int i = 0; i < count; i++)
            {
                await node.Broker.PublishAsync(name, message, CancellationToken.None);
            }
        }
    }

    [Fact]
    public void A_message_that_can_be_read_is_not_above_the_watermark_nor_is_one_below_it_missing()
    {
        const int Messages = 200_000;
        var node = new Node();
        var name = ChannelName.Parse("a");
        var channel = node.Subscribe("a").FirstSubscription!.Channel;
        var message = new PushMessage(MessageKind.Text, "x"u8.ToArray());
        var publisher = new Thread(() =>
        {
            for (int sequence = 1; sequence <= Messages; sequence++)
            {
                node.Hub.Append(name, message, ChannelHub.CreateFrame(message), new MessageId(1, sequence));
            }
        });
        publisher.Start();

        int above = 0;
        int missing = 0;
        var entry = new Entry[1];
        for (long sequence = 0; sequence < Messages; sequence++)
        {
            while (channel.Read(sequence, entry, out _, out _) == 0)
            {
                // The publisher has not come so far.
            }

            above += entry[0].Sequence == sequence + 1 && sequence < node.Hub.Watermark ? 0 : 1;
            missing += channel.HasEntriesAfter(node.Hub.Watermark - 2) ? 0 : 1;
            missing += channel.HasEntriesAfter(node.Hub.Appended - 1) ? 0 : 1;
        }

        publisher.Join();
        Assert.Equal((0, 0), (above, missing));
    }

    [Fact]
    public void The_broker_hears_of_first_and_last_subscribers_only()
    {
        var broker = new InterestRecorder();
        var hub = new ChannelHub(new ChannelLimits(), broker, shardCount: 2);
        var shard = new ManualShard();
        var far = new ManualShard(1);
        var first = Join(shard, "a");
        var second = Join(far, "a");
        Assert.Equal(["+a"], broker.Calls);

        shard.Do(first.Unsubscribe);
        Assert.Equal(["+a"], broker.Calls);
        far.Do(second.Unsubscribe);
        Assert.Equal(["+a", "-a"], broker.Calls);

        var again = Join(far, "a");
        var other = Join(far, "b");
        far.Do(other.Unsubscribe);
        far.Do(again.Unsubscribe);
        Assert.Equal(["+a", "-a", "+a", "+b", "-b", "-a"], broker.Calls);

        TestSubscriber Join(ManualShard on, string channel)
        {
            var subscriber = new TestSubscriber(on);
            on.Do(() => Assert.True(subscriber.TrySubscribe(hub, [ChannelFilter.Parse(channel)])));
            return subscriber;
        }
    }

    [Fact]
    public void The_last_to_leave_is_one_also_when_two_leave_at_the_same_moment()
    {
        const int Rounds = 200_000;
        var broker = new InterestCounter();
        var hub = new ChannelHub(new ChannelLimits(), broker, shardCount: 2);
        var threads = Enumerable.Range(0, 2).Select(index => new Thread(() => ComeAndGo(new ManualShard(index)))).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Equal(broker.Added, broker.Removed);
        Assert.InRange(broker.Added, 1, 2 * Rounds);
        Assert.Equal(0, hub.ChannelCount);

        void ComeAndGo(ManualShard shard)
        {
            var subscriber = new TestSubscriber(shard);
            Action come = () => subscriber.TrySubscribe(hub, [ChannelFilter.Parse("a")]);
            Action go = subscriber.Unsubscribe;
            for (int round = 0; round < Rounds; round++)
            {
                shard.Do(come);
                shard.Do(go);
            }
        }
    }

    [Fact]
    public void A_channel_that_was_refused_interests_nobody()
    {
        var broker = new InterestRecorder();
        var hub = new ChannelHub(new ChannelLimits { ChannelsMax = 0 }, broker, shardCount: 1);
        var subscriber = new TestSubscriber(new ManualShard());
        ((ManualShard)subscriber.Shard).Do(() => Assert.False(subscriber.TrySubscribe(hub, [ChannelFilter.Parse("a")])));
        Assert.Empty(broker.Calls);
    }

    [Fact]
    public void A_retired_channel_and_its_messages_are_garbage()
    {
        var node = new Node();
        var subscriber = new TestSubscriber(node.Shard, WireFormat.ServerSentEvent);
        var (channel, form) = LiveAndLeave(node, subscriber);

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(channel.IsAlive);
        Assert.False(form.IsAlive);
        GC.KeepAlive(node);
        GC.KeepAlive(subscriber);
    }

    [Fact]
    public async Task An_epoch_is_later_than_those_before_and_shared_with_nobody()
    {
        var first = new InProcessBroker(new FixedTime(1_000_000));
        var later = new InProcessBroker(new FixedTime(1_000_001));
        Assert.Equal(1_000_000UL, first.Epoch >> 20);
        Assert.True(later.Epoch > first.Epoch);

        // Twenty random bits: that 50 brokers of one millisecond share one epoch happens once in 2^980 runs.
        Assert.True(Enumerable.Range(0, 50).Select(_ => new InProcessBroker(new FixedTime(1)).Epoch).Distinct().Count() > 1);
        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await first.PublishAsync(ChannelName.Parse("a"), default, TestContext.Current.CancellationToken));
    }

    // Apart and not inlined, so that no local of the test keeps alive what should be dead.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (WeakReference Channel, WeakReference Form) LiveAndLeave(Node node, TestSubscriber subscriber)
    {
        node.Shard.Do(() => node.Join(subscriber, "a"));
        var channel = new WeakReference(subscriber.FirstSubscription!.Channel);
        node.PublishNumbers("a", 1, 100);
        node.RunAll();
        var form = new WeakReference(subscriber.Forms[50]);
        subscriber.Forms.Clear();
        node.Shard.Do(subscriber.Unsubscribe);
        Assert.True(channel.IsAlive);
        return (channel, form);
    }

    private sealed class InterestRecorder : IBroker
    {
        public List<string> Calls { get; } = [];

        public ulong Epoch => 1;

        public void Attach(ChannelHub hub) => throw new NotSupportedException();

        public ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public void AddInterest(ChannelFilter channel) => Calls.Add("+" + channel);

        public void RemoveInterest(ChannelFilter channel) => Calls.Add("-" + channel);
    }

    private static int CountOf(TestSubscriber subscriber)
    {
        int count = 0;
        for (var subscription = subscriber.FirstSubscription; subscription is not null; subscription = subscription.Next)
        {
            count++;
        }

        return count;
    }

    private sealed class InterestCounter : IBroker
    {
        private int _added;
        private int _removed;

        public int Added => _added;

        public int Removed => _removed;

        public ulong Epoch => 1;

        public void Attach(ChannelHub hub) => throw new NotSupportedException();

        public ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public void AddInterest(ChannelFilter channel) => Interlocked.Increment(ref _added);

        public void RemoveInterest(ChannelFilter channel) => Interlocked.Increment(ref _removed);
    }

    private sealed class FixedTime(long milliseconds) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }
}
