namespace RawPush.Fanout.Publishing;

/// <summary>Why a message was not published.</summary>
public enum PublishRefusal
{
    /// <summary>The payload is longer than the limit.</summary>
    TooLarge,

    /// <summary>The message is said to be text and is not UTF-8.</summary>
    NotUtf8,

    /// <summary>One of the message's traits is not what it may be.</summary>
    BadTrait,

    /// <summary>It has an idempotency key, and its channel keeps nothing that the key could be compared with.</summary>
    NoHistory,

    /// <summary>It would have to be kept, and the node has as many channels as it may have.</summary>
    TooManyChannels,

    /// <summary>The node is cut off from the others, and nothing may be published to itself alone.</summary>
    NoBus,

    /// <summary>NATS, which is to keep it, did not say in time that it has: it may be kept nevertheless.</summary>
    NotConfirmed,

    /// <summary>There is no room where it would be kept.</summary>
    Full,
}

/// <summary>A message was refused; nothing of it was stored or sent, but for <see cref="PublishRefusal.NotConfirmed"/>.</summary>
public sealed class PublishRefusedException(PublishRefusal refusal, string message) : Exception(message)
{
    /// <summary>What was wrong with it.</summary>
    public PublishRefusal Refusal { get; } = refusal;
}
