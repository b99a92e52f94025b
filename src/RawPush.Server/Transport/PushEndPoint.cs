using System.Net;
using RawPush.Server.Connections;

namespace RawPush.Server.Transport;

/// <summary>An address that the event loops listen on, and what may be done there. Kestrel gives it to the transport that knows it, which is ours.</summary>
internal sealed class PushEndPoint(EndPoint address, PushListener listener) : EndPoint
{
    /// <summary>An IP address with its port, or a Unix socket's path.</summary>
    public EndPoint Address { get; } = address;

    public PushListener Listener { get; } = listener;

    public override string ToString() => Address.ToString()!;
}
