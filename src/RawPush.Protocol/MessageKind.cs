namespace RawPush.Protocol;

/// <summary>What an application says its message holds. Decides the WebSocket opcode and whether a text transport must encode it.</summary>
public enum MessageKind : byte
{
    /// <summary>Well-formed UTF-8.</summary>
    Text,

    /// <summary>Any bytes.</summary>
    Binary,
}
