namespace RawPush.Fanout.Channels;

/// <summary>What a publisher gets back.</summary>
/// <param name="Id">The message's place in the stream.</param>
/// <param name="Subscribers">Subscribers on this node to whom it goes.</param>
public readonly record struct PublishReceipt(MessageId Id, int Subscribers);
