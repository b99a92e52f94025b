namespace RawPush.Protocol.WebSockets;

/// <summary>Why a WebSocket was closed (RFC 6455, section 7.4, and the IANA registry it set up).</summary>
/// <remarks>A client may also send 1014 and anything from 3000 to 4999, so a value need not have a name here.</remarks>
public enum CloseStatus : ushort
{
    /// <summary>The conversation is over.</summary>
    Normal = 1000,

    /// <summary>The server is going down, or the browser has left the page.</summary>
    GoingAway = 1001,

    /// <summary>The peer broke the framing rules.</summary>
    ProtocolError = 1002,

    /// <summary>The peer sent a kind of message that is not taken here, such as binary where text is expected.</summary>
    UnsupportedData = 1003,

    /// <summary>The close frame was empty. Never on the wire (section 7.1.5).</summary>
    NoStatus = 1005,

    /// <summary>Text was not UTF-8.</summary>
    InvalidPayload = 1007,

    /// <summary>The message is not allowed here, and no other status says it better.</summary>
    PolicyViolation = 1008,

    /// <summary>The message is larger than is taken here.</summary>
    MessageTooBig = 1009,

    /// <summary>A client asked for an extension that the server did not negotiate. Sent by clients only.</summary>
    MandatoryExtension = 1010,

    /// <summary>The server met a fault of its own.</summary>
    InternalError = 1011,

    /// <summary>The server restarts; come back soon, at a time chosen at random so that not everybody comes at once.</summary>
    ServiceRestart = 1012,

    /// <summary>The server is overloaded; come back later.</summary>
    TryAgainLater = 1013,

    /// <summary>RawPush: the client missed entries and asked for plain payloads, which leave no way to tell it so.</summary>
    GapWithoutEnvelope = 4001,

    /// <summary>RawPush: the client did not read fast enough.</summary>
    SlowConsumer = 4002,
}
