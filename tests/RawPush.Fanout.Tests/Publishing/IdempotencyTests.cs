using RawPush.Fanout.Channels;
using RawPush.Fanout.Tests.Delivery;

namespace RawPush.Fanout.Tests.Publishing;

public sealed class IdempotencyTests
{
    private static readonly MessageTraits Key = new() { IdempotencyKey = "order-1" };

    private readonly Node _node = new(new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), HistoryEntries = 3, HistoryAge = TimeSpan.FromSeconds(10) });

    [Fact]
    public async Task The_same_key_publishes_nothing_and_answers_with_the_first_id()
    {
        var subscriber = _node.SubscribeFrom(StartPoint.Latest, "a", "*");
        var first = await _node.Publish("a", "1", Key);
        var second = await _node.Publish("a", "2", Key);
        var other = await _node.Publish("a", "3", new MessageTraits { IdempotencyKey = "order-2" });
        _node.RunAll();

        Assert.Equal((1L, false), (first.Id.Sequence, first.IsDuplicate));
        Assert.Equal((first.Id, true, 0), (second.Id, second.IsDuplicate, second.Subscribers));
        Assert.Equal((2L, false), (other.Id.Sequence, other.IsDuplicate));
        Assert.Equal([1, 3], subscriber.Numbers);
        Assert.Equal([1, 3], _node.SubscribeFrom(StartPoint.Earliest, "a").Numbers);
    }

    [Fact]
    public async Task A_key_is_one_of_its_channel_only()
    {
        await _node.Publish("a", "1", Key);
        Assert.False((await _node.Publish("b", "2", Key)).IsDuplicate);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public async Task It_publishes_again_when_the_entry_has_left_the_history(int others, bool isDuplicate)
    {
        await _node.Publish("a", "0", Key);
        _node.PublishNumbers("a", 1, others);
        Assert.Equal(isDuplicate, (await _node.Publish("a", "9", Key)).IsDuplicate);
        Assert.True((await _node.Publish("a", "9", Key)).IsDuplicate);
    }

    [Theory]
    [InlineData(9_999, true)]
    [InlineData(10_000, false)]
    public async Task It_publishes_again_when_the_entry_is_too_old(int milliseconds, bool isDuplicate)
    {
        await _node.Publish("a", "0", Key);
        _node.Age(TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal(isDuplicate, (await _node.Publish("a", "9", Key)).IsDuplicate);
    }

    [Fact]
    public async Task Of_many_who_publish_the_same_at_once_one_does()
    {
        var receipts = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(() => _node.Publish("a", $"{i}", Key))));
        Assert.Single(receipts, receipt => !receipt.IsDuplicate);
        Assert.Single(receipts.Select(receipt => receipt.Id).Distinct());
        Assert.Equal(1, _node.Hub.Appended);
    }
}
