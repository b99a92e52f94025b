namespace RawPush.Protocol.WebSockets;

/// <summary>The header of one client frame, as <see cref="FrameHeaderReader"/> found it.</summary>
/// <remarks>Sixteen bytes. A plain value: safe from any thread.</remarks>
public readonly struct FrameHeader
{
    internal FrameHeader(bool isFinal, bool isCompressed, Opcode opcode, long payloadLength, uint maskKey, int headerLength)
    {
        IsFinal = isFinal;
        IsCompressed = isCompressed;
        Opcode = opcode;
        PayloadLength = payloadLength;
        MaskKey = maskKey;
        _headerLength = (byte)headerLength;
    }

    /// <summary>Payload bytes that follow the header, as announced: 0 to 2^63-1. Nothing says yet that they will come.</summary>
    public long PayloadLength { get; }

    /// <summary>The four mask bytes of the wire read as a little-endian integer, which is how <see cref="FrameMask"/> wants them.</summary>
    public uint MaskKey { get; }

    /// <summary>What the frame is for; never a reserved value.</summary>
    public Opcode Opcode { get; }

    /// <summary>Whether this is the last (or only) frame of its message. Always true for control frames.</summary>
    public bool IsFinal { get; }

    /// <summary>Whether the message that begins here is compressed: RSV1, where permessage-deflate was agreed to (RFC 7692, section 6).</summary>
    public bool IsCompressed { get; }

    // Declared last, as the fields above are in the order of their sizes: a byte in front of the long would cost eight.
    private readonly byte _headerLength;

    /// <summary>Bytes of the header itself, mask included: 6, 8 or 14.</summary>
    public int HeaderLength => _headerLength;

    // Section 5.5: control frames are those whose opcode has its most significant bit set.
    internal bool IsControl => Opcode >= Opcode.Close;
}
