namespace RawPush.Server.Connections;

/// <summary>Which limit a request for a push has reached: the tag of the metric.</summary>
internal enum AdmissionLimit
{
    /// <summary>None of them.</summary>
    None,

    /// <summary>Push connections of the server.</summary>
    Connections,

    /// <summary>Channels, or patterns.</summary>
    Channels,

    /// <summary>Handshakes per second of the server.</summary>
    Handshakes,

    /// <summary>Push connections of the client's address.</summary>
    AddressConnections,

    /// <summary>Handshakes per second of the client's address.</summary>
    AddressHandshakes,
}
