using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class PublisherWaitTests
{
    // Only a publisher that waits for ever would need it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_publisher_waits_for_the_shard_and_no_quick_subscriber_lags()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 4 });
        var subscriber = node.Subscribe("a");
        var published = Enumerable.Range(1, 1_000).Select(number => node.Publish("a", $"{number}")).ToArray();

        Assert.All(published[..4], task => Assert.True(task.IsCompletedSuccessfully));
        Assert.All(published[4..], task => Assert.False(task.IsCompleted));

        node.RunAll();
        var receipts = await Task.WhenAll(published).WaitAsync(Patience, Stop);
        Assert.Equal(Enumerable.Range(1, 1_000).Select(sequence => (long)sequence), receipts.Select(receipt => receipt.Id.Sequence));
        Assert.Equal(Enumerable.Range(1, 1_000), subscriber.Numbers);
        Assert.Empty(subscriber.Lagged);
        Assert.True(node.Publish("a", "1001").IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Bytes_count_as_well()
    {
        var node = new Node(new ChannelLimits { LogBytesMax = 100 });
        var subscriber = node.Subscribe("a");
        Assert.True(node.Publish("a", new string('x', 48)).IsCompletedSuccessfully);
        Assert.True(node.Publish("a", new string('x', 48)).IsCompletedSuccessfully);
        var waiting = node.Publish("a", "");
        Assert.False(waiting.IsCompleted);

        node.RunAll();
        await waiting.WaitAsync(Patience, Stop);
        Assert.Equal(3, subscriber.Forms.Count);
    }

    [Fact]
    public async Task A_publisher_waits_for_every_shard()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 4 }, shards: 3);
        var subscribers = node.Shards.Select(shard => node.SubscribeOn(shard, "a")).ToArray();
        node.PublishNumbers("a", 1, 4);
        var waiting = node.Publish("a", "5");
        node.Shards[0].RunAll();
        node.Shards[2].RunAll();
        Assert.False(waiting.IsCompleted);

        node.Shards[1].RunAll();
        await waiting.WaitAsync(Patience, Stop);
        Assert.All(subscribers, subscriber => Assert.Equal([1, 2, 3, 4, 5], subscriber.Numbers));
    }

    [Fact]
    public async Task A_publisher_does_not_wait_for_somebody_who_is_gone()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 4 });
        var subscriber = node.Subscribe("a");
        node.PublishNumbers("a", 1, 4);
        var waiting = node.Publish("a", "5");
        Assert.False(waiting.IsCompleted);

        node.Shard.Do(subscriber.Unsubscribe);
        await waiting.WaitAsync(Patience, Stop);
        Assert.Empty(subscriber.Forms);
    }

    [Fact]
    public async Task A_publisher_does_not_wait_for_a_shard_that_everybody_has_left()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 4 }, shards: 2);
        var near = node.SubscribeOn(node.Shards[0], "a");
        var far = node.SubscribeOn(node.Shards[1], "a");
        node.PublishNumbers("a", 1, 4);
        var waiting = node.Publish("a", "5");
        node.Shards[0].RunAll();
        Assert.False(waiting.IsCompleted);

        node.Shards[1].Do(far.Unsubscribe);
        await waiting.WaitAsync(Patience, Stop);
        Assert.Equal([1, 2, 3, 4, 5], near.Numbers);
    }

    [Fact]
    public async Task Other_channels_are_published_to_meanwhile()
    {
        var node = new Node(new ChannelLimits { LogEntriesMax = 1 });
        node.Subscribe("full");
        node.Subscribe("free");
        node.PublishNumbers("full", 1, 1);
        var waiting = node.Publish("full", "2");
        Assert.True(node.Publish("free", "3").IsCompletedSuccessfully);
        Assert.True(node.Publish("nobody", "4").IsCompletedSuccessfully);
        Assert.False(waiting.IsCompleted);
        node.RunAll();
        await waiting.WaitAsync(Patience, Stop);
    }
}
