namespace RawPush.Fanout.Channels;

/// <summary>What a publisher gets back.</summary>
/// <param name="Id">The message's place in the stream.</param>
/// <param name="Subscribers">Subscriptions on this node to which it goes.</param>
public readonly record struct PublishReceipt(MessageId Id, int Subscribers)
{
    /// <summary>It had been published before with the same idempotency key; nothing was published now, and the id is the first one's.</summary>
    public bool IsDuplicate { get; init; }
}
