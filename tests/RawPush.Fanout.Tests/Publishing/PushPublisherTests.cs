using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Fanout.Tests.Delivery;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Publishing;

public sealed class PushPublisherTests
{
    private const int BytesMax = 10;

    private static readonly ChannelName News = ChannelName.Parse("news");

    private readonly Node _node = new(new ChannelNamespace { Pattern = ChannelFilter.Parse("kept"), HistoryEntries = 1 });
    private readonly PushPublisher _publisher;
    private readonly TestSubscriber _subscriber;

    public PushPublisherTests()
    {
        _publisher = new PushPublisher(_node.Hub, BytesMax);
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

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(MessageTraits.TextBytesMax - 1, true)]
    [InlineData(MessageTraits.TextBytesMax, true)]
    [InlineData(MessageTraits.TextBytesMax + 1, false)]
    public async Task Traits_are_as_long_as_they_may_be(int length, bool isValid)
    {
        string[] texts = [.. new[] { new string('x', length), new string('é', length / 2) + new string('x', length % 2) }.Distinct()];
        foreach (string text in texts)
        {
            await AssertTraits(new MessageTraits { EventName = text }, isValid);
            await AssertTraits(new MessageTraits { Key = text }, isValid);
            await AssertTraits(new MessageTraits { IdempotencyKey = text }, isValid, "kept");
        }
    }

    [Theory]
    [InlineData("a\nb", false)]
    [InlineData("a\0", false)]
    [InlineData("\u0085", false)]
    [InlineData("rawpush.gap", false)]
    [InlineData("rawpush.", false)]
    [InlineData("rawpush", true)]
    [InlineData("Rawpush.gap", true)]
    [InlineData("né :", true)]
    public Task An_event_name_is_text_of_a_line_and_not_one_of_ours(string name, bool isValid) => AssertTraits(new MessageTraits { EventName = name }, isValid);

    [Fact]
    public async Task A_message_expires_in_the_next_year()
    {
        await AssertTraits(new MessageTraits { Expires = TimeSpan.FromTicks(-1) }, isValid: false);
        await AssertTraits(new MessageTraits { Expires = TimeSpan.Zero }, isValid: false);
        await AssertTraits(new MessageTraits { Expires = TimeSpan.FromTicks(1) }, isValid: true);
        await AssertTraits(new MessageTraits { Expires = TimeSpan.FromDays(365) }, isValid: true);
        await AssertTraits(new MessageTraits { Expires = TimeSpan.FromDays(365) + TimeSpan.FromTicks(1) }, isValid: false);
    }

    [Fact]
    public async Task An_idempotency_key_needs_history()
    {
        var message = new PushMessage(MessageKind.Text, "x"u8.ToArray(), new MessageTraits { IdempotencyKey = "k" });
        var refused = await Assert.ThrowsAsync<PublishRefusedException>(async () => await _publisher.PublishAsync(News, message, Stop));
        Assert.Equal(PublishRefusal.NoHistory, refused.Refusal);
        Assert.False((await _publisher.PublishAsync(ChannelName.Parse("kept"), message, Stop)).IsDuplicate);
    }

    private async Task AssertTraits(MessageTraits traits, bool isValid, string channel = "news")
    {
        long before = _node.Hub.Appended;
        var message = new PushMessage(MessageKind.Text, "x"u8.ToArray(), traits);
        var refused = await Record.ExceptionAsync(async () => await _publisher.PublishAsync(ChannelName.Parse(channel), message, Stop));
        Assert.Equal(isValid ? null : PublishRefusal.BadTrait, (refused as PublishRefusedException)?.Refusal);
        Assert.Equal(isValid, _node.Hub.Appended > before);
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
