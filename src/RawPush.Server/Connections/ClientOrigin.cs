using System.Net;

namespace RawPush.Server.Connections;

/// <summary>Where a connection's requests come from, as far as that had to be found out and must be remembered. Most connections have none.</summary>
internal sealed class ClientOrigin
{
    /// <summary>Who connected to the proxy, as its PROXY header says: for all requests of the connection. Null if there was no header, or it said nothing.</summary>
    public IPEndPoint? Proxied { get; init; }

    /// <summary>The client of the request that is served, where somebody wants to know. Null for a Unix socket.</summary>
    public IPAddress? Client { get; set; }

    /// <summary>Where it is counted while it is served; null if it is not.</summary>
    public AddressEntry? Entry { get; set; }
}
