using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class DeliveryTests
{
    [Fact]
    public void Messages_that_come_before_a_turn_leave_in_one_write()
    {
        var node = new Node();
        var subscribers = Enumerable.Range(0, 3).Select(_ => node.Subscribe("a")).ToArray();
        node.PublishNumbers("a", 1, 10);
        Assert.All(subscribers, subscriber => Assert.Empty(subscriber.Writes));

        node.Shard.Turn();

        Assert.All(subscribers, subscriber => Assert.Equal([10], subscriber.Writes));
        Assert.All(subscribers, subscriber => Assert.Equal(Enumerable.Range(1, 10), subscriber.Numbers));
        Assert.True(node.Shard.IsIdle);
    }

    [Theory]
    [InlineData(63, new[] { 63 })]
    [InlineData(64, new[] { 64 })]
    [InlineData(65, new[] { 64, 1 })]
    [InlineData(200, new[] { 64, 64, 64, 8 })]
    public void More_than_a_batch_leaves_in_several_writes(int messages, int[] writes)
    {
        var node = new Node();
        var subscriber = node.Subscribe("a");
        node.PublishNumbers("a", 1, messages);
        node.RunAll();
        Assert.Equal(writes, subscriber.Writes);
        Assert.Equal(Enumerable.Range(1, messages), subscriber.Numbers);
    }

    [Fact]
    public void Every_shard_delivers_to_its_own_subscribers()
    {
        var node = new Node(shards: 2);
        var near = node.SubscribeOn(node.Shards[0], "a");
        var far = node.SubscribeOn(node.Shards[1], "a");
        node.PublishNumbers("a", 1, 5);

        node.Shards[0].RunAll();
        Assert.Equal([1, 2, 3, 4, 5], near.Numbers);
        Assert.Empty(far.Forms);

        node.PublishNumbers("a", 6, 7);
        node.Shards[1].RunAll();
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], far.Numbers);
        Assert.Equal(5, near.Forms.Count);

        node.RunAll();
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], near.Numbers);
        Assert.Same(near.Forms[6], far.Forms[6]);
    }

    [Fact]
    public void Channels_do_not_leak_into_each_other()
    {
        var node = new Node();
        var a = node.Subscribe("a");
        var b = node.Subscribe("b");
        node.PublishNumbers("a", 1, 2);
        node.PublishNumbers("b", 3, 4);
        node.PublishNumbers("a", 5, 5);
        node.RunAll();
        Assert.Equal([1, 2, 5], a.Numbers);
        Assert.Equal([3, 4], b.Numbers);
    }

    [Fact]
    public void A_walk_over_many_lets_other_channels_have_their_turn()
    {
        var node = new Node();
        var crowd = Enumerable.Range(0, 1_000).Select(_ => node.Subscribe("crowd")).ToArray();
        var single = node.Subscribe("single");
        node.PublishNumbers("crowd", 1, 1);
        node.PublishNumbers("single", 2, 2);

        node.Shard.Turn();
        Assert.InRange(Served(), 200, 256);
        Assert.Empty(single.Forms);

        node.Shard.Turn();
        Assert.Equal([2], single.Numbers);
        Assert.InRange(Served(), 400, 512);

        node.Shard.RunAll();
        Assert.Equal(1_000, Served());

        int Served() => crowd.Count(subscriber => subscriber.Forms.Count == 1);
    }

    [Fact]
    public void Posted_work_does_not_wait_for_a_walk_to_end()
    {
        var node = new Node();
        var crowd = Enumerable.Range(0, 1_000).Select(_ => node.Subscribe("crowd")).ToArray();
        node.PublishNumbers("crowd", 1, 1);
        node.Shard.Turn();

        bool isDone = false;
        node.Shard.Post(() => isDone = true);
        node.Shard.Turn();
        Assert.True(isDone);
        Assert.Contains(crowd, subscriber => subscriber.Forms.Count == 0);
    }

    [Fact]
    public void What_is_published_during_a_walk_comes_after_what_it_offers()
    {
        var node = new Node();
        var crowd = Enumerable.Range(0, 600).Select(_ => node.Subscribe("crowd")).ToArray();
        node.PublishNumbers("crowd", 1, 1);
        node.Shard.Turn();
        node.PublishNumbers("crowd", 2, 2);
        node.Shard.Turn();
        node.PublishNumbers("crowd", 3, 3);
        node.RunAll();
        Assert.All(crowd, subscriber => Assert.Equal([1, 2, 3], subscriber.Numbers));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a", "b")]
    public void One_that_does_not_wait_for_the_walk_gets_everything_once(params string[] channels)
    {
        var node = new Node();
        var hasty = node.Subscribe(channels);
        var patient = node.Subscribe("a");
        node.Shard.Post(() =>
        {
            node.PublishNumbers("a", 1, 300);
            hasty.TakeNow();
            Assert.Empty(patient.Forms);
            Assert.Equal(300, hasty.Forms.Count);
            hasty.TakeNow();
            Assert.Equal(300, hasty.Forms.Count);
        });
        node.RunAll();
        node.PublishNumbers("a", 301, 301);
        node.RunAll();

        Assert.Equal(Enumerable.Range(1, 301), hasty.Numbers);
        Assert.Equal(Enumerable.Range(1, 301), patient.Numbers);
        Assert.Empty(hasty.Faults);
    }

    [Fact]
    public void A_subscriber_may_leave_while_it_is_written_to()
    {
        var node = new Node();
        var crowd = Enumerable.Range(0, 10).Select(_ => node.Subscribe("a")).ToArray();
        crowd[5].OnWrite = leaver => leaver.Unsubscribe();
        node.PublishNumbers("a", 1, 2);
        node.RunAll();
        node.PublishNumbers("a", 3, 3);
        node.RunAll();

        Assert.Equal([1, 2], crowd[5].Numbers);
        Assert.All(crowd.Where(subscriber => subscriber != crowd[5]), subscriber => Assert.Equal([1, 2, 3], subscriber.Numbers));
        Assert.All(crowd, subscriber => Assert.Empty(subscriber.Faults));
    }

    [Fact]
    public void Everybody_may_leave_while_one_is_written_to()
    {
        var node = new Node();
        var crowd = Enumerable.Range(0, 10).Select(_ => node.Subscribe("a")).ToArray();
        crowd[5].OnWrite = _ => Array.ForEach(crowd, subscriber => subscriber.Unsubscribe());
        node.PublishNumbers("a", 1, 1);
        node.RunAll();

        // Walks go from the last to the first: half of them were served before.
        Assert.Equal([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], crowd.Select(subscriber => subscriber.Forms.Count));
        Assert.Equal(0, node.Hub.ChannelCount);
    }

    [Fact]
    public void A_fault_is_its_subscribers_own()
    {
        var node = new Node();
        var crowd = Enumerable.Range(0, 10).Select(_ => node.Subscribe("a")).ToArray();
        var exception = new InvalidOperationException("broken");
        crowd[5].OnWrite = _ => throw exception;
        node.PublishNumbers("a", 1, 2);
        node.RunAll();
        node.PublishNumbers("a", 3, 3);
        node.RunAll();

        Assert.Same(exception, Assert.Single(crowd[5].Faults));
        Assert.Empty(crowd[5].Forms);
        Assert.All(crowd.Where(subscriber => subscriber != crowd[5]), subscriber => Assert.Equal([1, 2, 3], subscriber.Numbers));
    }

    [Fact]
    public void A_channel_that_was_left_and_joined_again_during_a_walk_does_not_stall()
    {
        // The subscriber on the other shard keeps the channel alive, so that it is the same one that is joined again.
        var node = new Node(new ChannelLimits { LogEntriesMax = 4 }, shards: 2);
        var keeper = node.SubscribeOn(node.Shards[1], "a");
        for (int rejoined = 1; rejoined <= 600; rejoined += 299)
        {
            var crowd = Enumerable.Range(0, 600).Select(_ => node.Subscribe("a")).ToArray();
            node.PublishNumbers("a", 1, 3);
            node.Shard.Turn();   // stops in the middle

            var late = new TestSubscriber[rejoined];
            node.Shard.Post(() =>
            {
                Array.ForEach(crowd, subscriber => subscriber.Unsubscribe());
                node.PublishNumbers("a", 4, 5);
                for (int i = 0; i < rejoined; i++)
                {
                    node.Join(late[i] = new TestSubscriber(node.Shard), "a");
                }

                node.PublishNumbers("a", 6, 7);
            });
            node.RunAll();
            Assert.All(late, subscriber => Assert.Equal([6, 7], subscriber.Numbers));

            var last = node.Publish("a", "8");
            node.RunAll();
            Assert.True(last.IsCompletedSuccessfully);
            Assert.All(late, subscriber => Assert.Equal([6, 7, 8], subscriber.Numbers));
            node.Shard.Do(() => Array.ForEach(late, subscriber => subscriber.Unsubscribe()));
            node.RunAll();
        }

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8], keeper.Numbers);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Coming_and_going_during_walks_misses_and_repeats_nobody(int seed)
    {
        var crowd = new Crowd(seed);
        for (int round = 0; round < 400; round++)
        {
            crowd.PlayRound();
        }

        crowd.AssertComplete();
    }

    /// <summary>Subscribers of one channel on two shards, more than one turn can visit, that come and go as the dice fall.</summary>
    private sealed class Crowd
    {
        private readonly Node _node = new(shards: 2);
        private readonly Random _random;
        private readonly List<(TestSubscriber Subscriber, int First)> _present = [];
        private readonly List<(TestSubscriber Subscriber, int First)> _gone = [];
        private int _published;

        public Crowd(int seed)
        {
            _random = new Random(seed);
            foreach (var shard in _node.Shards)
            {
                shard.Do(() => Come(shard, 600));
            }
        }

        public void PlayRound()
        {
            if (_random.Next(3) == 0)
            {
                int count = _random.Next(10) == 0 ? 100 : _random.Next(1, 4);
                _node.PublishNumbers("a", _published + 1, _published + count);
                _published += count;
            }

            var shard = _node.Shards[_random.Next(2)];
            int come = _present.Count < 400 ? 400 : _random.Next(60);
            int go = _random.Next(20) == 0 ? 500 : _random.Next(60);
            switch (_random.Next(4))
            {
                case 0:
                    shard.Post(() => Come(shard, come));
                    break;
                case 1:
                    shard.Post(() => Go(shard, go));
                    break;
                case 2:
                    shard.Post(() => MakeSomebodyLeaveInTheirWrite(shard));
                    break;
                default:
                    break;
            }

            shard.Turn();
        }

        public void AssertComplete()
        {
            _node.RunAll();
            foreach (var (subscriber, first) in _present)
            {
                Assert.Equal(Enumerable.Range(first, _published + 1 - first), subscriber.Numbers);
            }

            foreach (var (subscriber, first) in _gone)
            {
                Assert.Equal(Enumerable.Range(first, subscriber.Forms.Count), subscriber.Numbers);
            }

            Assert.All(_present.Concat(_gone), one => Assert.Empty(one.Subscriber.Faults));
            Assert.All(_present.Concat(_gone), one => Assert.Empty(one.Subscriber.Lagged));
            Assert.NotEmpty(_present);
            Assert.NotEmpty(_gone);
            Assert.True(_published > 100);
        }

        private void Come(ManualShard shard, int count)
        {
            for (int i = 0; i < count; i++)
            {
                var subscriber = new TestSubscriber(shard);
                _node.Join(subscriber, "a");
                _present.Add((subscriber, _published + 1));
            }
        }

        private void Go(ManualShard shard, int count)
        {
            for (int i = 0; i < count; i++)
            {
                LetOneGo(shard);
            }
        }

        private void LetOneGo(ManualShard shard)
        {
            int start = _present.Count == 0 ? 0 : _random.Next(_present.Count);
            int index = _present.FindIndex(start, one => one.Subscriber.Shard == shard);
            if (index >= 0)
            {
                var leaver = _present[index];
                _present.RemoveAt(index);
                _gone.Add(leaver);
                leaver.Subscriber.Unsubscribe();
            }
        }

        private void MakeSomebodyLeaveInTheirWrite(ManualShard shard)
        {
            var mover = _present.Find(one => one.Subscriber.Shard == shard).Subscriber;
            if (mover is not null)
            {
                mover.OnWrite = writer =>
                {
                    writer.OnWrite = null;
                    Go(shard, 5);
                    Come(shard, 2);
                };
            }
        }
    }
}
