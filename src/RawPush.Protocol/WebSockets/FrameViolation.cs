namespace RawPush.Protocol.WebSockets;

/// <summary>Every way in which a client's frames can break the rules. One byte, because each connection's reader has room for one.</summary>
internal enum FrameViolation : byte
{
    None,
    ReservedBits,
    ReservedOpcode,
    FragmentedControl,
    OversizedControl,
    Unmasked,
    LengthTopBit,
    LengthNotMinimal,
    StrayContinuation,
    MessageInsideMessage,
    MessageTooBig,
    TooManyFragments,
    CorruptCompression,
    InvalidText,
    TruncatedCloseStatus,
    ForbiddenCloseStatus,
    InvalidCloseReason,
}

/// <summary>What each violation is answered with (RFC 6455, section 7.4.1) and the sentence that goes with it.</summary>
internal static class FrameViolations
{
    public static CloseStatus ToCloseStatus(this FrameViolation violation) => violation switch
    {
        FrameViolation.None => CloseStatus.NoStatus,
        FrameViolation.MessageTooBig => CloseStatus.MessageTooBig,
        FrameViolation.TooManyFragments => CloseStatus.PolicyViolation,
        FrameViolation.InvalidText or FrameViolation.InvalidCloseReason or FrameViolation.CorruptCompression => CloseStatus.InvalidPayload,
        _ => CloseStatus.ProtocolError,
    };

    // Short enough (123 bytes) to be the reason of the close frame that answers it, and ASCII so that bytes are characters.
    public static string ToReason(this FrameViolation violation) => violation switch
    {
        FrameViolation.ReservedBits => "A reserved bit is set that no negotiated extension uses here.",
        FrameViolation.ReservedOpcode => "The opcode is reserved.",
        FrameViolation.FragmentedControl => "A control frame is fragmented.",
        FrameViolation.OversizedControl => "A control frame carries more than 125 bytes.",
        FrameViolation.Unmasked => "A client frame is not masked.",
        FrameViolation.LengthTopBit => "A 64-bit payload length has its top bit set.",
        FrameViolation.LengthNotMinimal => "A payload length is not encoded in the fewest bytes.",
        FrameViolation.StrayContinuation => "A continuation frame has no message to continue.",
        FrameViolation.MessageInsideMessage => "A message began inside an unfinished one.",
        FrameViolation.MessageTooBig => "The message is larger than this server accepts.",
        FrameViolation.TooManyFragments => "The message is in more fragments than this server accepts.",
        FrameViolation.CorruptCompression => "A compressed message cannot be inflated.",
        FrameViolation.InvalidText => "A text message is not valid UTF-8.",
        FrameViolation.TruncatedCloseStatus => "A close frame carries half a status code.",
        FrameViolation.ForbiddenCloseStatus => "A close frame carries a status code that may not be sent.",
        FrameViolation.InvalidCloseReason => "A close reason is not valid UTF-8.",
        _ => "",
    };
}
