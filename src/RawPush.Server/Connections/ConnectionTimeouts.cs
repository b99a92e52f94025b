namespace RawPush.Server.Connections;

/// <summary>How long things may take, in milliseconds.</summary>
internal sealed record ConnectionTimeouts
{
    /// <summary>From the accept to the end of the request head.</summary>
    public required long HandshakeMs { get; init; }

    /// <summary>Silence after which a client is pinged, or sent a comment.</summary>
    public required long PingMs { get; init; }

    /// <summary>From a ping to the end, if nothing comes; also how long a client may take nothing of what is sent to it.</summary>
    public required long PeerMs { get; init; }

    /// <summary>From our goodbye to the cut.</summary>
    public required long CloseMs { get; init; }

    /// <summary>From the answer to a poll to the next request on its connection.</summary>
    public long KeepAliveMs { get; init; } = 120_000;

    /// <summary>How long bytes of a client that is being refused are taken in and dropped.</summary>
    public long LingerMs { get; init; } = 1000;
}
