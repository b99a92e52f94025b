using System.Collections.Concurrent;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Delivery;

namespace RawPush.Fanout.Channels;

/// <summary>The channels of this node. A channel exists while somebody subscribes to it.</summary>
/// <remarks>Join and leave run on the subscriber's shard; <see cref="Append"/> is called by the broker, one message at a time, in the order of sequences.</remarks>
public sealed class ChannelHub
{
    private readonly ConcurrentDictionary<ChannelName, Channel> _channels = new();
    private readonly ChannelLimits _limits;
    private readonly int _shardCount;
    private long _watermark;
    private int _channelCount;

    /// <summary>Makes an empty hub.</summary>
    /// <param name="limits">What channels may hold.</param>
    /// <param name="broker">Told which channels this node is interested in.</param>
    /// <param name="shardCount">How many shards will join subscribers; their indexes are 0 to one less.</param>
    public ChannelHub(ChannelLimits limits, IBroker broker, int shardCount)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(broker);
        ArgumentOutOfRangeException.ThrowIfLessThan(shardCount, 1);
        _limits = limits;
        Broker = broker;
        _shardCount = shardCount;
    }

    /// <summary>Where the hub's messages come from.</summary>
    public IBroker Broker { get; }

    /// <summary>How many channels have subscribers on this node.</summary>
    public int ChannelCount => Volatile.Read(ref _channelCount);

    /// <summary>Every message before this sequence is in its channel's log, so messages of several channels can be put in order up to here.</summary>
    internal long Watermark => Volatile.Read(ref _watermark);

    /// <summary>Whether anybody on this node subscribes to the channel.</summary>
    public bool HasSubscribers(ChannelName name) => _channels.ContainsKey(name);

    /// <summary>Appends a message to its channel's log, if somebody here subscribes to it.</summary>
    /// <param name="name">The channel.</param>
    /// <param name="message">What was published.</param>
    /// <param name="frame">From <see cref="CreateFrame"/>; null lets the hub make it, should it be needed after all.</param>
    /// <param name="id">Its place in the stream. Sequences must rise from call to call.</param>
    public AppendedMessage Append(ChannelName name, in PushMessage message, byte[]? frame, MessageId id)
    {
        // Before the append: a walk that finds the message must find it within the watermark, or it would count as offered to subscribers of
        // several channels that were not given it, and the log might drop it before they are visited again.
        Volatile.Write(ref _watermark, id.Sequence);
        bool isAppended = _channels.TryGetValue(name, out var channel) && channel.TryAppend(message, frame ?? Entry.CreateFrame(message), id);
        return new AppendedMessage(id, isAppended ? channel : null);
    }

    /// <summary>Copies a message into the buffer that its log entry will own; apart, so that it is not done under the broker's lock.</summary>
    public static byte[] CreateFrame(in PushMessage message) => Entry.CreateFrame(message);

    /// <summary>Joins a subscriber to a channel. O(1). Null: the node has as many channels as it may have.</summary>
    internal Subscription? Join(Subscriber subscriber, ChannelName name)
    {
        while (true)
        {
            if (!_channels.TryGetValue(name, out var channel))
            {
                channel = AddChannel(name);
                if (channel is null)
                {
                    return null;
                }
            }

            var subscription = new Subscription(subscriber, channel);
            if (channel.TryJoin(subscription, out bool isFirst))
            {
                if (isFirst)
                {
                    Broker.AddInterest(name);
                }

                return subscription;
            }

            // Retired between our look and our join, and about to be taken out by the one who left last; do it for them.
            Remove(channel);
        }
    }

    /// <summary>Takes a subscriber out of a channel. O(1), however many others there are.</summary>
    internal void Leave(Subscription subscription)
    {
        if (subscription.Channel.Leave(subscription))
        {
            Remove(subscription.Channel);
            Broker.RemoveInterest(subscription.Channel.Name);
        }
    }

    private Channel? AddChannel(ChannelName name)
    {
        if (Interlocked.Increment(ref _channelCount) > _limits.ChannelsMax)
        {
            Interlocked.Decrement(ref _channelCount);
            return null;
        }

        var channel = new Channel(name, _limits, _shardCount);
        var winner = _channels.GetOrAdd(name, channel);
        if (winner != channel)
        {
            Interlocked.Decrement(ref _channelCount);
        }

        return winner;
    }

    private void Remove(Channel channel)
    {
        if (_channels.TryRemove(new KeyValuePair<ChannelName, Channel>(channel.Name, channel)))
        {
            Interlocked.Decrement(ref _channelCount);
        }
    }
}
