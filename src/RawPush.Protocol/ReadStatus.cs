namespace RawPush.Protocol;

/// <summary>What a reader says of the bytes it was given. A violation is a value: hostile bytes are ordinary input.</summary>
public enum ReadStatus
{
    /// <summary>A whole item was read.</summary>
    Done,

    /// <summary>The item is not complete. The reader is left where it was; call again with more bytes.</summary>
    NeedMore,

    /// <summary>The bytes break the protocol; nothing after them can be trusted.</summary>
    Violation,
}
