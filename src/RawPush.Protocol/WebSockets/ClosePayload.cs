using System.Buffers.Binary;
using System.Text.Unicode;

namespace RawPush.Protocol.WebSockets;

/// <summary>What a close frame carries (RFC 6455, section 5.5.1): nothing, or a status and a reason in UTF-8.</summary>
/// <remarks>
/// <code>
/// +----------------------+------------------------+
/// | status, network order| reason, UTF-8          |
/// | 2 bytes              | 0-123 bytes            |
/// +----------------------+------------------------+
/// </code>
/// Static and without state: safe from any thread.
/// </remarks>
public static class ClosePayload
{
    /// <summary>Bytes of the longest payload, as for every control frame (section 5.5).</summary>
    public const int BytesMax = 125;

    /// <summary>Bytes of the longest reason: what the status leaves.</summary>
    public const int ReasonBytesMax = BytesMax - sizeof(ushort);

    /// <summary>Bytes of the longest whole close frame of a server: a header of two and the payload.</summary>
    public const int FrameBytesMax = 2 + BytesMax;

    /// <summary>Reads the payload of a client's close frame, already unmasked.</summary>
    /// <param name="payload">The whole payload.</param>
    /// <param name="status">The status, or <see cref="CloseStatus.NoStatus"/> when there is none or the answer is false.</param>
    /// <param name="reason">The reason, a part of <paramref name="payload"/>; empty when there is none or the answer is false.</param>
    /// <returns>False when the payload is one byte long, the status may not be sent (section 7.4), or the reason is not UTF-8.</returns>
    public static bool TryRead(ReadOnlySpan<byte> payload, out CloseStatus status, out ReadOnlySpan<byte> reason) =>
        Read(payload, out status, out reason) == FrameViolation.None;

    /// <summary>Writes a payload and returns its length, 0 to <see cref="BytesMax"/>.</summary>
    /// <param name="destination">Room for the payload; <see cref="BytesMax"/> bytes are always enough.</param>
    /// <param name="status">A status that may be sent. <see cref="CloseStatus.NoStatus"/> writes an empty payload, which is how it looks on the wire.</param>
    /// <param name="reasonUtf8">The reason; cut before the first character that would go beyond <see cref="ReasonBytesMax"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="status"/> may not be sent (section 7.4).</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public static int Write(Span<byte> destination, CloseStatus status, ReadOnlySpan<byte> reasonUtf8)
    {
        if (status == CloseStatus.NoStatus)
        {
            return 0;
        }

        ThrowIfForbidden(status);
        var reason = CutToFit(reasonUtf8);
        int length = sizeof(ushort) + reason.Length;
        ThrowIfShorter(destination, length);
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)status);
        reason.CopyTo(destination[sizeof(ushort)..]);
        return length;
    }

    /// <summary>Writes a whole close frame, header and payload, and returns its length, 2 to <see cref="FrameBytesMax"/>.</summary>
    /// <param name="destination">Room for the frame; <see cref="FrameBytesMax"/> bytes are always enough.</param>
    /// <param name="status">As for <see cref="Write"/>.</param>
    /// <param name="reasonUtf8">As for <see cref="Write"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="status"/> may not be sent (section 7.4).</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public static int WriteFrame(Span<byte> destination, CloseStatus status, ReadOnlySpan<byte> reasonUtf8)
    {
        ThrowIfShorter(destination, 2);

        // A payload of at most 125 bytes always has a header of two, so the payload can be written first.
        int payloadLength = Write(destination[2..], status, reasonUtf8);
        return FrameHeaderWriter.Write(destination, Opcode.Close, payloadLength) + payloadLength;
    }

    internal static FrameViolation Read(ReadOnlySpan<byte> payload, out CloseStatus status, out ReadOnlySpan<byte> reason)
    {
        status = CloseStatus.NoStatus;
        reason = default;
        if (payload.IsEmpty)
        {
            return FrameViolation.None;
        }

        if (!BinaryPrimitives.TryReadUInt16BigEndian(payload, out ushort code))
        {
            return FrameViolation.TruncatedCloseStatus;
        }

        if (!MayBeSent(code))
        {
            return FrameViolation.ForbiddenCloseStatus;
        }

        if (!Utf8.IsValid(payload[sizeof(ushort)..]))
        {
            return FrameViolation.InvalidCloseReason;
        }

        status = (CloseStatus)code;
        reason = payload[sizeof(ushort)..];
        return FrameViolation.None;
    }

    // Section 7.4.2 and the IANA registry: 1004 has no meaning yet; 1005, 1006 and 1015 stand for what no frame said;
    // 1016-2999 wait for a standard; 3000-3999 are for frameworks, 4000-4999 for applications.
    private static bool MayBeSent(int code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);

    private static ReadOnlySpan<byte> CutToFit(ReadOnlySpan<byte> reason)
    {
        if (reason.Length <= ReasonBytesMax)
        {
            return reason;
        }

        // The first byte left out must begin a character, or half of one would stay behind.
        int length = ReasonBytesMax;
        while (length > 0 && (reason[length] & 0xC0) == 0x80)
        {
            length--;
        }

        return reason[..length];
    }

    private static void ThrowIfForbidden(CloseStatus status)
    {
        if (!MayBeSent((ushort)status))
        {
            throw new ArgumentOutOfRangeException(nameof(status), status, "This status may not be sent in a close frame.");
        }
    }

    private static void ThrowIfShorter(Span<byte> destination, int length)
    {
        if (destination.Length < length)
        {
            throw new ArgumentException("The destination is too short for the close frame.", nameof(destination));
        }
    }
}
