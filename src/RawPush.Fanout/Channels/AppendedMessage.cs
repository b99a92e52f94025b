namespace RawPush.Fanout.Channels;

/// <summary>A message that has its place in the stream. What is left to do happens outside the broker's lock.</summary>
public readonly struct AppendedMessage
{
    private readonly Channel? _channel;
    private readonly Channel[] _patterns;

    internal AppendedMessage(MessageId id, Channel? channel, Channel[] patterns)
    {
        Id = id;
        _channel = channel;
        _patterns = patterns;
    }

    /// <summary>Its place in the stream.</summary>
    public MessageId Id { get; }

    /// <summary>Subscriptions on this node to which it goes.</summary>
    public int Subscribers
    {
        get
        {
            int count = _channel?.Subscribers ?? 0;
            foreach (var pattern in _patterns)
            {
                count += pattern.Subscribers;
            }

            return count;
        }
    }

    /// <summary>Starts the delivery. The task ends when the logs have room for another message: wait for it before you publish the next.
    /// It waits for our own shards, never for a client.</summary>
    public Task DeliverAsync()
    {
        var delivery = _channel is null ? Task.CompletedTask : Deliver(_channel);
        return _patterns.Length == 0 ? delivery : Task.WhenAll(_patterns.Select(Deliver).Prepend(delivery));
    }

    private static Task Deliver(Channel channel)
    {
        channel.Notify();
        return channel.WaitForRoomAsync();
    }
}
