using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Protocol.WebSockets;

/// <summary>Takes what <see cref="MessageReader"/> finds. Implemented by structs, so that no call goes through the interface.</summary>
/// <remarks>
/// Called on the thread that called <see cref="MessageReader.Read"/>, in the order of the wire. Every span is borrowed and ends with the call.
/// Must not call the reader back.
/// </remarks>
public interface IMessageHandler
{
    /// <summary>A whole message has arrived.</summary>
    /// <param name="kind">What it holds. Text is known to be valid UTF-8.</param>
    /// <param name="payload">All of it, possibly empty.</param>
    /// <returns>False to stop reading here; the rest of the chunk stays unread.</returns>
    bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload);

    /// <summary>A ping has arrived, possibly between two frames of a message. A pong with the same bytes is due (RFC 6455, section 5.5.2).</summary>
    /// <param name="payload">0 to 125 bytes.</param>
    /// <returns>False to stop reading here; the rest of the chunk stays unread.</returns>
    bool OnPing(ReadOnlySpan<byte> payload);

    /// <summary>A pong has arrived, possibly between two frames of a message.</summary>
    /// <param name="payload">0 to 125 bytes.</param>
    /// <returns>False to stop reading here; the rest of the chunk stays unread.</returns>
    bool OnPong(ReadOnlySpan<byte> payload);

    /// <summary>The client says goodbye. This is the last call: reading ends here.</summary>
    /// <param name="status">The client's status, which need not have a name; <see cref="CloseStatus.NoStatus"/> when it gave none.</param>
    /// <param name="reason">Valid UTF-8, 0 to 123 bytes.</param>
    void OnClose(CloseStatus status, ReadOnlySpan<byte> reason);

    /// <summary>Lends an inflater for a compressed message, until <see cref="ReturnInflater"/>. Asked only of a handler whose reader takes compressed messages.</summary>
    MessageInflater RentInflater() => throw new NotSupportedException("This handler's reader was not to take compressed messages.");

    /// <summary>Takes it back, before <see cref="MessageReader.Read"/> returns.</summary>
    void ReturnInflater(MessageInflater inflater)
    {
    }
}
