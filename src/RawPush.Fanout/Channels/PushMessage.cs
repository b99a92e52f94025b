using RawPush.Protocol;

namespace RawPush.Fanout.Channels;

/// <summary>What a publisher hands over: bytes and what they are. Borrowed until the publish call's task has ended; the log keeps a copy.</summary>
/// <param name="Kind">Text must be well-formed UTF-8; the publisher checks it.</param>
/// <param name="Payload">The message, without any framing. May be empty.</param>
/// <param name="Traits">What it has beyond that; null for nothing.</param>
public readonly record struct PushMessage(MessageKind Kind, ReadOnlyMemory<byte> Payload, MessageTraits? Traits = null);
