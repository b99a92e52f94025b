namespace RawPush.Protocol.WebSockets;

/// <summary>What a frame is for (RFC 6455, section 5.2). The values are those on the wire; 3-7 and 11-15 are reserved.</summary>
public enum Opcode : byte
{
    /// <summary>Goes on with the message that an unfinished <see cref="Text"/> or <see cref="Binary"/> frame began.</summary>
    Continuation = 0,

    /// <summary>Begins a message of UTF-8 text.</summary>
    Text = 1,

    /// <summary>Begins a message of any bytes.</summary>
    Binary = 2,

    /// <summary>Control frame: the sender will send nothing more (section 5.5.1).</summary>
    Close = 8,

    /// <summary>Control frame: answer with a <see cref="Pong"/> that carries the same bytes (section 5.5.2).</summary>
    Ping = 9,

    /// <summary>Control frame: the answer to a <see cref="Ping"/>, or a heartbeat nobody asked for (section 5.5.3).</summary>
    Pong = 10,
}
