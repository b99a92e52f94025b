using System.Text.Unicode;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Publishing;

/// <summary>Checks a message once, for every way in, and gives it to the broker.</summary>
/// <param name="broker">Where messages get their order.</param>
/// <param name="messageBytesMax">Longest payload, in bytes.</param>
public sealed class PushPublisher(IBroker broker, int messageBytesMax) : IPushPublisher
{
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

        return broker.PublishAsync(channel, message, cancellationToken);
    }
}
