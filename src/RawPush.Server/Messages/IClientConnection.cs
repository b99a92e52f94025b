using System.Net;
using RawPush.Protocol;

namespace RawPush.Server.Messages;

/// <summary>A WebSocket client, as a message handler sees it. May be kept; after the connection has ended sends just say no.</summary>
public interface IClientConnection
{
    /// <summary>Its name in the log.</summary>
    string ConnectionId { get; }

    /// <summary>Where it comes from, as far as trusted proxies say (<c>TrustedProxies</c>). Null on a Unix socket.</summary>
    IPAddress? RemoteAddress { get; }

    /// <summary>Sends a message to this client alone. Any thread; the payload is copied or written before the call returns.</summary>
    /// <param name="kind">Text must be UTF-8.</param>
    /// <param name="payload">The message.</param>
    /// <returns>False: the connection has ended, or the client has not taken what was sent before and the limit for waiting bytes is reached.
    /// The message was not sent.</returns>
    bool TrySend(MessageKind kind, ReadOnlySpan<byte> payload);
}
