using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Fanout.Tests.Delivery;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Publishing;

public sealed class PushPublisherTests
{
    private const int BytesMax = 10;

    private static readonly ChannelName News = ChannelName.Parse("news");

    private readonly Node _node = new();
    private readonly PushPublisher _publisher;
    private readonly TestSubscriber _subscriber;

    public PushPublisherTests()
    {
        _publisher = new PushPublisher(_node.Broker, BytesMax);
        _subscriber = _node.Subscribe("news");
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(BytesMax - 1)]
    [InlineData(BytesMax)]
    public async Task A_message_up_to_the_limit_is_published(int length)
    {
        var receipt = await _publisher.PublishAsync(News, new PushMessage(MessageKind.Text, new byte[length]), Stop);

        Assert.Equal(new PublishReceipt(new MessageId(_node.Broker.Epoch, 1), 1), receipt);
        _node.RunAll();
        Assert.Equal([0x81, (byte)length, .. new byte[length]], Assert.Single(_subscriber.Forms));
    }

    [Theory]
    [InlineData(MessageKind.Text)]
    [InlineData(MessageKind.Binary)]
    public async Task A_message_over_the_limit_is_refused(MessageKind kind)
    {
        var refused = await Assert.ThrowsAsync<PublishRefusedException>(
            async () => await _publisher.PublishAsync(News, new PushMessage(kind, new byte[BytesMax + 1]), Stop));

        Assert.Equal(PublishRefusal.TooLarge, refused.Refusal);
        Assert.Equal("a message is at most 10 bytes long", refused.Message);
        await AssertNothingWasPublished();
    }

    [Theory]
    [InlineData(new byte[] { 0x80 })]
    [InlineData(new byte[] { 0x61, 0xC3 })]
    [InlineData(new byte[] { 0xC0, 0xAF })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xFF })]
    public async Task Text_that_is_not_UTF_8_is_refused_and_the_same_bytes_pass_as_binary(byte[] bytes)
    {
        var refused = await Assert.ThrowsAsync<PublishRefusedException>(
            async () => await _publisher.PublishAsync(News, new PushMessage(MessageKind.Text, bytes), Stop));

        Assert.Equal(PublishRefusal.NotUtf8, refused.Refusal);
        await AssertNothingWasPublished();

        await _publisher.PublishAsync(News, new PushMessage(MessageKind.Binary, bytes), Stop);
        _node.RunAll();
        Assert.Equal([0x82, (byte)bytes.Length, .. bytes], _subscriber.Forms[^1]);
    }

    [Fact]
    public async Task Text_may_be_given_as_a_string()
    {
        await _publisher.PublishAsync("news", "né!", Stop);
        _node.RunAll();
        Assert.Equal(["né!"], _subscriber.Texts);
        await Assert.ThrowsAsync<FormatException>(async () => await _publisher.PublishAsync("not/a/name", "x", Stop));
    }

    [Fact]
    public async Task A_publisher_that_has_given_up_publishes_nothing()
    {
        using var given = new CancellationTokenSource();
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _publisher.PublishAsync("news", "x", given.Token));
        await AssertNothingWasPublished();
    }

    /// <summary>Nothing came, and the next message gets the stream's first number.</summary>
    private async Task AssertNothingWasPublished()
    {
        _node.RunAll();
        Assert.Empty(_subscriber.Forms);
        var receipt = await _publisher.PublishAsync("news", "next", Stop);
        Assert.Equal(1, receipt.Id.Sequence);
    }
}
