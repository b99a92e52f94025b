using Status = RawPush.Protocol.WebSockets.CloseStatus;

namespace RawPush.Server.Connections;

/// <summary>Why a connection ended. One value feeds the close frame, the log line and the metric tag; the first reason wins.</summary>
/// <remarks>A byte, which fits between the flags of a session.</remarks>
internal enum ConnectionEndReason : byte
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>The client said goodbye.</summary>
    ClientClosed,

    /// <summary>The client's connection broke, or ended without a goodbye.</summary>
    ClientGone,

    /// <summary>The client broke the protocol.</summary>
    ProtocolViolation,

    /// <summary>The client sent text that is not UTF-8.</summary>
    InvalidPayload,

    /// <summary>The client sent a message over the limit.</summary>
    MessageTooBig,

    /// <summary>A message that the client had begun came too slowly.</summary>
    MessageTooSlow,

    /// <summary>The client sent a message in more fragments than are taken.</summary>
    TooManyFragments,

    /// <summary>The client sent a message where none is taken.</summary>
    UnsupportedData,

    /// <summary>The client read so slowly that messages it had not been sent left the log.</summary>
    SlowConsumer,

    /// <summary>The client missed messages, and its format has no place to say so.</summary>
    Missed,

    /// <summary>A poll that got its answer.</summary>
    Answered,

    /// <summary>The client did not answer a ping, or took nothing for too long.</summary>
    IdleTimeout,

    /// <summary>The server is stopping.</summary>
    ServerDraining,

    /// <summary>A bug, ours or a handler's.</summary>
    Fault,
}

/// <summary>How a connection is ended.</summary>
internal enum EndManner
{
    /// <summary>There is nobody to talk to: the connection is cut.</summary>
    Cut,

    /// <summary>Say why, then end the stream. The client is not waited for.</summary>
    SayAndClose,

    /// <summary>Say why, then give the client time for its half of the closing handshake (RFC 6455 section 7.1.2).</summary>
    SayAndWait,
}

/// <summary>What follows from each reason.</summary>
internal static class ConnectionEndReasons
{
    public static EndManner Manner(this ConnectionEndReason reason) => reason switch
    {
        ConnectionEndReason.ClientGone or ConnectionEndReason.IdleTimeout => EndManner.Cut,
        ConnectionEndReason.ClientClosed => EndManner.SayAndClose,

        // After a violation the client's bytes cannot be trusted to hold a Close frame: there is nothing to wait for.
        ConnectionEndReason.ProtocolViolation or ConnectionEndReason.InvalidPayload or ConnectionEndReason.MessageTooBig or
            ConnectionEndReason.TooManyFragments => EndManner.SayAndClose,

        // Its Close frame would stand behind the rest of the message.
        ConnectionEndReason.MessageTooSlow => EndManner.SayAndClose,
        _ => EndManner.SayAndWait,
    };

    public static Status CloseStatus(this ConnectionEndReason reason) => reason switch
    {
        ConnectionEndReason.ProtocolViolation => Status.ProtocolError,
        ConnectionEndReason.InvalidPayload => Status.InvalidPayload,
        ConnectionEndReason.MessageTooBig => Status.MessageTooBig,
        ConnectionEndReason.TooManyFragments or ConnectionEndReason.MessageTooSlow => Status.PolicyViolation,
        ConnectionEndReason.UnsupportedData => Status.UnsupportedData,
        ConnectionEndReason.SlowConsumer => Status.SlowConsumer,
        ConnectionEndReason.Missed => Status.GapWithoutEnvelope,
        ConnectionEndReason.ServerDraining => Status.GoingAway,
        ConnectionEndReason.Fault => Status.InternalError,
        _ => Status.Normal,
    };

    /// <summary>The sentence for the close frame, where the case itself gives none.</summary>
    public static string Sentence(this ConnectionEndReason reason) => reason switch
    {
        ConnectionEndReason.SlowConsumer => "you read more slowly than the channel keeps messages",
        ConnectionEndReason.ServerDraining => "the server is going away",
        ConnectionEndReason.Fault => "the server made a mistake",
        ConnectionEndReason.MessageTooSlow => "a message you began arrives too slowly",
        ConnectionEndReason.UnsupportedData => "this address takes no messages",
        _ => string.Empty,
    };

    public static ConnectionEndReason OfViolation(Status status) => status switch
    {
        Status.InvalidPayload => ConnectionEndReason.InvalidPayload,
        Status.MessageTooBig => ConnectionEndReason.MessageTooBig,
        Status.PolicyViolation => ConnectionEndReason.TooManyFragments,
        _ => ConnectionEndReason.ProtocolViolation,
    };
}
