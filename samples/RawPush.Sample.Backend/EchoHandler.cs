using RawPush.Protocol;
using RawPush.Server.Messages;

namespace RawPush.Sample.Backend;

/// <summary>Sends every message back to the client it came from.</summary>
internal sealed class EchoHandler : IClientMessageHandler
{
    public ValueTask OnMessageAsync(IClientConnection client, MessageKind kind, ReadOnlySpan<byte> payload)
    {
        // The server reads a client's next message only when the reply to this one is on its way, so there is room for every reply.
        client.TrySend(kind, payload);
        return ValueTask.CompletedTask;
    }
}
