namespace RawPush.Server.Sessions;

/// <summary>How much a client that has been let in may send, and how slowly.</summary>
/// <param name="MessagesPerSecond">Messages and control frames; <see cref="None"/> for any number.</param>
/// <param name="BytesPerSecond">Bytes, those of frame headers included; <see cref="None"/> for any number.</param>
/// <param name="MessageRateMin">Bytes of payload per second at which a message that was begun arrives at least; 0 for none.</param>
internal sealed record ClientLimits(int MessagesPerSecond, int BytesPerSecond, int MessageRateMin)
{
    /// <summary>A limit that nobody reaches.</summary>
    public const int None = int.MaxValue;

    /// <summary>What a message is given beside the time for its bytes: for the client's first packets, and for one that is lost on the way.</summary>
    private const long MessageGraceMs = 10_000;

    /// <summary>How long a message may have been on its way of which so many bytes have come.</summary>
    public long MessageMsMax(int bytes) => MessageRateMin == 0 ? long.MaxValue : MessageGraceMs + (bytes * 1000L / MessageRateMin);
}

/// <summary>A limit on what a client sends that makes it wait. Also the metric's tag.</summary>
internal enum ClientLimit
{
    /// <summary>It is within all of them.</summary>
    None,

    /// <summary>Messages and control frames per second.</summary>
    Messages,

    /// <summary>Bytes per second.</summary>
    Bytes,
}
