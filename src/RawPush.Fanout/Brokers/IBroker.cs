using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers;

/// <summary>Puts messages in order and brings them to the hub of every node that is interested. Safe for threads.</summary>
public interface IBroker
{
    /// <summary>The incarnation of the stream: ids of another epoch mean nothing here.</summary>
    ulong Epoch { get; }

    /// <summary>Starts bringing messages to <paramref name="hub"/>. Called once, before anything else.</summary>
    void Attach(ChannelHub hub);

    /// <summary>Publishes a message. The task ends when the broker has it, with its id; it may wait for the bus or for our own shards, never for a client.
    /// The payload is borrowed until the task ends.</summary>
    /// <exception cref="Publishing.PublishRefusedException">The message would have to be kept, and the node has as many channels as it may have.</exception>
    ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default);

    /// <summary>The first subscriber of a channel, or of a pattern, has come to this node. Called on its shard: must not throw and must not wait.</summary>
    void AddInterest(ChannelFilter channel);

    /// <summary>The last subscriber of a channel or pattern has left. Others may come back at any moment, also before this call: look at the hub before you act on it.
    /// Called on the subscriber's shard, or for a pattern by the sweep: must not throw and must not wait.</summary>
    void RemoveInterest(ChannelFilter channel);
}
