using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Publishing;

/// <summary>Publishes messages from code. Safe for threads.</summary>
public interface IPushPublisher
{
    /// <summary>Publishes a message to every subscriber of a channel.</summary>
    /// <param name="channel">The channel. It needs no creation.</param>
    /// <param name="message">Text must be well-formed UTF-8. The payload is borrowed until the task ends.</param>
    /// <param name="cancellationToken">Ends the wait for the bus. A message may have been published all the same.</param>
    /// <returns>The message's id and the subscribers on this node, once the broker has it. It never waits for a client.</returns>
    /// <exception cref="PublishRefusedException">The message is too large, is text that is not UTF-8, has a trait that is not valid or needs history, or could not be kept. Nothing was published.</exception>
    ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default);
}
