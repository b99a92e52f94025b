using RawPush.Protocol;
using RawPush.Server.Messages;

namespace RawPush.Server.Tests.Fixture;

/// <summary>A handler that a test writes where it needs it. The payload comes as a copy.</summary>
internal sealed class DelegateHandler(Func<IClientConnection, byte[], ValueTask> onMessage) : IClientMessageHandler
{
    public ValueTask OnMessageAsync(IClientConnection client, MessageKind kind, ReadOnlySpan<byte> payload) => onMessage(client, payload.ToArray());
}
