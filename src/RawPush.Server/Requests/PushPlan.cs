using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Protocol.Http;
using RawPush.Server.Connections;
using RawPush.Server.Messages;
using RawPush.Server.Sessions;

namespace RawPush.Server.Requests;

/// <summary>How an accepted request will be served.</summary>
/// <param name="Channels">What to subscribe to, without repeats; empty for a handler's own address.</param>
/// <param name="Format">How entries are encoded.</param>
/// <param name="WebSocket">What the upgrade needs; null for server-sent events.</param>
internal sealed record PushPlan(ChannelName[] Channels, WireFormat Format, WebSocketPlan? WebSocket)
{
    /// <summary>Room for any response head.</summary>
    public const int HeadBytesMax = 512;

    public ClientSession CreateSession(SessionServices services, ClientTransport transport) => WebSocket is null
        ? new SseSession(services, transport, Format)
        : new WebSocketSession(services, transport, Format, WebSocket.Handler, WebSocket.MessageBytesMax);

    /// <summary>Writes the response head, for a transport on which we do that ourselves. Returns its length.</summary>
    public int WriteResponseHead(Span<byte> destination)
    {
        var head = new ResponseHeadWriter(destination, WebSocket is null ? 200 : 101);
        foreach (var (name, value) in Fields())
        {
            head.Field(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
        }

        // The stream has no length: it ends with the connection (RFC 9112 section 6.3), or stops being HTTP.
        head.Field("Connection"u8, WebSocket is null ? "close"u8 : "Upgrade"u8);
        return head.End();
    }

    /// <summary>The response's fields, but for <c>Connection</c>, which belongs to whoever writes the head.</summary>
    public IEnumerable<(string Name, string Value)> Fields()
    {
        if (WebSocket is null)
        {
            yield return ("Content-Type", "text/event-stream");
            yield return ("Cache-Control", "no-store");

            // nginx would otherwise collect events until its buffer is full.
            yield return ("X-Accel-Buffering", "no");
            yield break;
        }

        yield return ("Upgrade", "websocket");
        yield return ("Sec-WebSocket-Accept", Encoding.ASCII.GetString(WebSocket.Accept));
        if (WebSocket.Subprotocol is not null)
        {
            yield return ("Sec-WebSocket-Protocol", WebSocket.Subprotocol);
        }
    }
}

/// <summary>What a WebSocket needs beyond the rest.</summary>
/// <param name="Accept">The value of <c>Sec-WebSocket-Accept</c>.</param>
/// <param name="Subprotocol">The one chosen; null for none.</param>
/// <param name="Handler">Who answers the client's messages; null if nobody does.</param>
/// <param name="MessageBytesMax">Longest message taken from the client.</param>
internal sealed record WebSocketPlan(byte[] Accept, string? Subprotocol, IClientMessageHandler? Handler, int MessageBytesMax);
