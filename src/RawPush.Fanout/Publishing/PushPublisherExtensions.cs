using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Publishing;

/// <summary>Shorter ways to publish.</summary>
public static class PushPublisherExtensions
{
    /// <summary>Publishes a text message.</summary>
    /// <exception cref="FormatException">The channel's name is not valid.</exception>
    /// <exception cref="PublishRefusedException">The message is too large, or could not be kept. Nothing was published.</exception>
    public static ValueTask<PublishReceipt> PublishAsync(
        this IPushPublisher publisher, string channel, string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(publisher);
        ArgumentNullException.ThrowIfNull(text);
        var message = new PushMessage(MessageKind.Text, Encoding.UTF8.GetBytes(text));
        return publisher.PublishAsync(ChannelName.Parse(channel), message, cancellationToken);
    }
}
