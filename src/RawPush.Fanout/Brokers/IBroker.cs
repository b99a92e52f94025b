using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;

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

    /// <summary>Whether the messages of every node reach this one, and its own reach them. Any thread.</summary>
    bool IsConnected => true;

    /// <summary>Why messages of other nodes do not reach this one, or its own do not reach them: a sentence for operators. Null: nothing is wrong. Any thread.</summary>
    string? Trouble => null;

    /// <summary>It keeps what is published, for every channel, and compares idempotency keys itself.</summary>
    bool IsDurable => false;

    /// <summary>Somebody is about to subscribe. When the task has ended, what is published from then on, by whichever node, reaches the hub; it waits for the bus, unless that is away and
    /// subscriptions are let in without it. To join takes less time than interest lingers without subscribers.</summary>
    /// <param name="channels">What is subscribed to.</param>
    /// <param name="start">Where: what is kept from there on, as far as the hub keeps messages for those who come back, is in the hub by then.</param>
    /// <exception cref="Publishing.BusUnavailableException">The node is cut off, and takes no subscriptions meanwhile.</exception>
    Task PrepareAsync(IReadOnlyList<ChannelFilter> channels, StartPoint start) => Task.CompletedTask;

    /// <summary>The first subscriber of a channel, or of a pattern, has come to this node. Called on its shard: must not throw and must not wait.</summary>
    void AddInterest(ChannelFilter channel);

    /// <summary>The last subscriber of a channel or pattern has left. Others may come back at any moment, also before this call: look at the hub before you act on it.
    /// Called on the subscriber's shard, or for a pattern by the sweep: must not throw and must not wait.</summary>
    void RemoveInterest(ChannelFilter channel);

    /// <summary>Asks the other nodes who is on a channel. Ends when all have answered that live, after a second at the latest; at once if they cannot be reached.</summary>
    /// <param name="channel">A name, or a pattern for those who subscribe to that.</param>
    /// <param name="withUsers">Which users as well, and not only how many subscribers.</param>
    Task<PeerAnswers> AskPeersAsync(ChannelFilter channel, bool withUsers) => Task.FromResult(PeerAnswers.None);
}
