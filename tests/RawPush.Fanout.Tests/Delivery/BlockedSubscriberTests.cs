using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class BlockedSubscriberTests
{
    private static readonly ChannelFilter A = ChannelFilter.Parse("a");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(9)]
    public void It_is_passed_over_and_reads_on_where_it_stopped(int room)
    {
        var node = new Node();
        var slow = node.Subscribe("a");
        var quick = node.Subscribe("a");
        slow.Room = room;
        node.PublishNumbers("a", 1, 10);
        node.RunAll();
        Assert.True(slow.IsBlocked);
        Assert.Equal(Enumerable.Range(1, room), slow.Numbers);

        node.PublishNumbers("a", 11, 20);
        node.RunAll();
        Assert.Single(slow.Writes);
        Assert.Equal(Enumerable.Range(1, 20), quick.Numbers);

        node.Shard.Do(() => slow.TakeMore());
        Assert.False(slow.IsBlocked);
        Assert.Equal([10, 20 - room], slow.Writes);

        node.PublishNumbers("a", 21, 22);
        node.RunAll();
        Assert.Equal(Enumerable.Range(1, 22), slow.Numbers);
        Assert.Empty(slow.Faults);
    }

    [Fact]
    public void It_may_block_again_and_again()
    {
        var node = new Node();
        var slow = node.Subscribe("a");
        slow.Room = 0;
        node.PublishNumbers("a", 1, 300);
        node.RunAll();
        for (int room = 1; slow.Forms.Count < 300; room++)
        {
            int before = slow.Forms.Count;
            node.Shard.Do(() => slow.TakeMore(room));
            node.RunAll();
            Assert.Equal(Math.Min(300, before + room), slow.Forms.Count);
        }

        Assert.Equal(Enumerable.Range(1, 300), slow.Numbers);
    }

    [Fact]
    public void One_that_takes_exactly_what_there_is_does_not_block()
    {
        var node = new Node();
        var subscriber = node.Subscribe("a");
        subscriber.Room = 10;
        node.PublishNumbers("a", 1, 10);
        node.RunAll();
        Assert.False(subscriber.IsBlocked);
    }

    [Fact]
    public void Resuming_without_being_blocked_does_nothing()
    {
        var node = new Node();
        var subscriber = node.Subscribe("a");
        node.Shard.Do(() => subscriber.TakeMore());
        node.PublishNumbers("a", 1, 1);
        node.Shard.Do(() => subscriber.TakeMore());
        node.Shard.Do(() => subscriber.TakeMore());
        Assert.Equal([1], subscriber.Numbers);
    }

    [Fact]
    public void Resuming_after_leaving_does_nothing()
    {
        var node = new Node();
        var subscriber = node.Subscribe("a");
        subscriber.Room = 0;
        node.PublishNumbers("a", 1, 1);
        node.RunAll();
        node.Shard.Do(() =>
        {
            subscriber.Unsubscribe();
            subscriber.TakeMore();
        });
        Assert.Empty(subscriber.Forms);
        Assert.Empty(subscriber.Faults);
    }

    [Fact]
    public void Resuming_in_the_middle_of_a_walk_repeats_nothing()
    {
        var node = new Node();
        var slow = node.Subscribe("a");   // first in the list, so the walk comes to it last
        slow.Room = 3;
        node.PublishNumbers("a", 1, 5);
        node.RunAll();
        var crowd = Enumerable.Range(0, 600).Select(_ => node.Subscribe("a")).ToArray();
        node.PublishNumbers("a", 6, 8);
        node.Shard.Turn();

        node.Shard.Do(() => slow.TakeMore());
        Assert.Equal(Enumerable.Range(1, 8), slow.Numbers);
        node.PublishNumbers("a", 9, 9);
        node.RunAll();
        Assert.Equal(Enumerable.Range(1, 9), slow.Numbers);
        Assert.All(crowd, subscriber => Assert.Equal([6, 7, 8, 9], subscriber.Numbers));
    }

    [Theory]
    [InlineData(256, new[] { 64, 64, 64, 64 })]
    [InlineData(257, new[] { 64, 64, 64, 64, 1 })]
    [InlineData(1_000, new[] { 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 40 })]
    public void A_long_way_to_catch_up_is_gone_in_one_turn(int behind, int[] writes)
    {
        var node = new Node();
        var slow = node.Subscribe("a");
        slow.Room = 0;
        node.PublishNumbers("a", 1, behind);
        node.RunAll();
        slow.Writes.Clear();

        node.Shard.Post(() => slow.TakeMore());
        node.Shard.Turn();

        Assert.Equal(writes, slow.Writes);
        Assert.Equal(Enumerable.Range(1, behind), slow.Numbers);
        Assert.False(slow.IsBlocked);
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void It_lags_when_the_log_has_dropped_an_entry_that_it_lacks(int behind, bool isLagged)
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 4 });
        AssertLag(node, behind, isLagged);
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void It_lags_likewise_when_the_log_has_too_many_bytes(int behind, bool isLagged)
    {
        // One digit behind a header of two bytes.
        var node = new Node(new ChannelLimits { LogBytesMax = 4 * 3 });
        AssertLag(node, behind, isLagged);
    }

    [Fact]
    public void A_walk_tells_it_as_well()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 4 });
        var slow = node.Subscribe("a");
        var quick = node.Subscribe("a");
        slow.Room = 2;
        node.PublishNumbers("a", 1, 6);
        node.RunAll();
        Assert.Empty(slow.Lagged);   // two taken, four in the log

        node.PublishNumbers("a", 7, 7);
        node.RunAll();
        node.PublishNumbers("a", 8, 8);
        node.RunAll();
        Assert.Equal([A], slow.Lagged);
        Assert.Equal([1, 2], slow.Numbers);
        Assert.Equal(Enumerable.Range(1, 8), quick.Numbers);
    }

    [Fact]
    public void It_holds_back_nobody()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 4 });
        var slow = node.Subscribe("a");
        var quick = node.Subscribe("a");
        slow.Room = 0;
        for (int number = 1; number <= 100; number++)
        {
            var published = node.Publish("a", $"{number}");
            Assert.True(published.IsCompletedSuccessfully);
            node.RunAll();
        }

        Assert.Equal(Enumerable.Range(1, 100), quick.Numbers);
        Assert.Equal([A], slow.Lagged);
    }

    [Fact]
    public void A_fault_while_it_catches_up_is_its_own()
    {
        var node = new Node();
        var slow = node.Subscribe("a");
        var quick = node.Subscribe("a");
        slow.Room = 0;
        node.PublishNumbers("a", 1, 3);
        node.RunAll();
        slow.OnWrite = _ => throw new InvalidOperationException("broken");
        node.Shard.Do(() => slow.TakeMore());
        node.PublishNumbers("a", 4, 4);
        node.RunAll();

        Assert.Single(slow.Faults);
        Assert.Empty(slow.Forms);
        Assert.Equal([1, 2, 3, 4], quick.Numbers);
    }

    private static void AssertLag(Node node, int behind, bool isLagged)
    {
        var slow = node.Subscribe("a");
        slow.Room = 0;
        node.PublishNumbers("a", 1, behind);
        node.RunAll();
        node.Shard.Do(() => slow.TakeMore());

        Assert.Equal(isLagged ? [A] : [], slow.Lagged);
        Assert.Equal(isLagged ? [] : Enumerable.Range(1, behind), slow.Numbers);

        // What comes later must not stand where something is missing.
        node.PublishNumbers("a", behind + 1, behind + 1);
        node.RunAll();
        Assert.Equal(isLagged ? [] : Enumerable.Range(1, behind + 1), slow.Numbers);
        Assert.Empty(slow.Faults);
    }
}
