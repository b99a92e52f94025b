using System.Text.Unicode;
using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Publishing;

/// <summary>Checks a message once, for every way in, and gives it to the broker.</summary>
/// <param name="hub">Knows which channels have history; its broker gives messages their order.</param>
/// <param name="messageBytesMax">Longest payload, in bytes.</param>
public sealed class PushPublisher(ChannelHub hub, int messageBytesMax) : IPushPublisher
{
    private static readonly TimeSpan ExpiresMax = TimeSpan.FromDays(365);

    /// <inheritdoc/>
    public ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default)
    {
        if (message.Payload.Length > messageBytesMax)
        {
            throw new PublishRefusedException(PublishRefusal.TooLarge, $"a message is at most {messageBytesMax} bytes long");
        }

        // A text frame that is not UTF-8 would make every receiving client fail its connection (RFC 6455 section 8.1).
        if (message.Kind == MessageKind.Text && !Utf8.IsValid(message.Payload.Span))
        {
            throw new PublishRefusedException(PublishRefusal.NotUtf8, "a text message must be UTF-8; publish other bytes as application/octet-stream");
        }

        if (message.Traits is { } traits)
        {
            Check(channel, traits);
        }

        return hub.Broker.PublishAsync(channel, message, cancellationToken);
    }

    private void Check(ChannelName channel, MessageTraits traits)
    {
        CheckText(traits.EventName, "an event name");
        CheckText(traits.Key, "a key");
        CheckText(traits.IdempotencyKey, "an idempotency key");
        if (traits.EventName is { } name && MessageTraits.IsReservedEvent(name))
        {
            throw new PublishRefusedException(PublishRefusal.BadTrait, "event names under 'rawpush.' are reserved");
        }

        if (traits.Expires is { } expires && (expires <= TimeSpan.Zero || expires > ExpiresMax))
        {
            throw new PublishRefusedException(PublishRefusal.BadTrait, "a message expires after more than 0 seconds and at most 365 days");
        }

        if (traits.IdempotencyKey is not null && !hub.Broker.IsDurable && !hub.HasHistory(channel))
        {
            throw new PublishRefusedException(PublishRefusal.NoHistory, "an idempotency key needs a channel with history: this one keeps nothing to compare it with");
        }
    }

    private static void CheckText(string? text, string what)
    {
        if (text is not null && !MessageTraits.IsText(text))
        {
            throw new PublishRefusedException(PublishRefusal.BadTrait, $"{what} is 1 to {MessageTraits.TextBytesMax} bytes long and has no control characters");
        }
    }
}
