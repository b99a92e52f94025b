using RawPush.Protocol;

namespace RawPush.Server.Messages;

/// <summary>Answers what WebSocket clients send. One instance serves all connections of its route.</summary>
/// <remarks>Called on the connection's shard, one message of a connection at a time. The connection's next message is read when the returned task
/// has ended; other connections of the shard are served meanwhile, unless you block the thread. An exception ends the connection with 1011.</remarks>
public interface IClientMessageHandler
{
    /// <summary>A whole message has come.</summary>
    /// <param name="client">Who sent it.</param>
    /// <param name="kind">Text, checked to be UTF-8, or binary.</param>
    /// <param name="payload">Borrowed until this method returns: copy what you need after your first await.</param>
    ValueTask OnMessageAsync(IClientConnection client, MessageKind kind, ReadOnlySpan<byte> payload);
}
