using RawPush.Protocol;
using RawPush.Server.Messages;

namespace RawPush.Server.Tests.Fixture;

/// <summary>Sends every message back.</summary>
internal sealed class EchoHandler : IClientMessageHandler
{
    public ValueTask OnMessageAsync(IClientConnection client, MessageKind kind, ReadOnlySpan<byte> payload)
    {
        client.TrySend(kind, payload);
        return ValueTask.CompletedTask;
    }
}
