namespace RawPush.Protocol.WebSockets;

/// <summary>Why <see cref="MessageReader.Read"/> came back.</summary>
public enum MessageReadStatus
{
    /// <summary>All bytes were taken; more are welcome.</summary>
    Consumed,

    /// <summary>The handler said stop. What was not consumed is untouched and must be passed again, first.</summary>
    Stopped,

    /// <summary>A close frame was read. Whatever follows it is to be ignored (RFC 6455, section 5.5.1).</summary>
    Closed,

    /// <summary>The client broke the protocol or a limit; the reader says how, and must not be given more bytes.</summary>
    Violation,
}
