namespace RawPush.Fanout.Channels;

/// <summary>A message that has its place in the stream. What is left to do happens outside the broker's lock.</summary>
public readonly struct AppendedMessage
{
    private readonly Channel? _channel;

    internal AppendedMessage(MessageId id, Channel? channel)
    {
        Id = id;
        _channel = channel;
    }

    /// <summary>Its place in the stream.</summary>
    public MessageId Id { get; }

    /// <summary>Subscribers on this node to whom it goes.</summary>
    public int Subscribers => _channel?.Subscribers ?? 0;

    /// <summary>Starts the delivery. The task ends when the log has room for another message: wait for it before you publish the next.
    /// It waits for our own shards, never for a client.</summary>
    public Task DeliverAsync()
    {
        if (_channel is null)
        {
            return Task.CompletedTask;
        }

        _channel.Notify();
        return _channel.WaitForRoomAsync();
    }
}
