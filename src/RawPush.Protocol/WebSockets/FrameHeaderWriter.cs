using System.Buffers.Binary;
using System.Diagnostics;

namespace RawPush.Protocol.WebSockets;

/// <summary>Writes the header of a server's frame (RFC 6455, section 5.2): never masked (section 5.1), the length in its shortest form.</summary>
/// <remarks>Static and without state: safe from any thread.</remarks>
public static class FrameHeaderWriter
{
    /// <summary>Bytes of the longest header: two and a 64-bit length.</summary>
    public const int BytesMax = 10;

    /// <summary>Bytes that the header of a frame with this payload takes: 2, 4 or 10.</summary>
    /// <param name="payloadLength">Payload bytes, 0 or more.</param>
    public static int GetLength(long payloadLength)
    {
        Debug.Assert(payloadLength >= 0, "A payload cannot have a negative length.");
        return payloadLength switch
        {
            < 126 => 2,
            <= ushort.MaxValue => 4,
            _ => 10,
        };
    }

    /// <summary>The payload of a whole frame that was written here: the seven length bits say how long its header is.</summary>
    public static ReadOnlySpan<byte> PayloadOf(ReadOnlySpan<byte> frame) => frame[((frame[1] & 0x7F) switch { 126 => 4, 127 => 10, _ => 2 })..];

    /// <summary>Writes the header and returns its length, which is <see cref="GetLength"/>.</summary>
    /// <param name="destination">Room for the header; <see cref="BytesMax"/> bytes are always enough.</param>
    /// <param name="opcode">What the frame is for.</param>
    /// <param name="payloadLength">Payload bytes that will follow, 0 or more; at most 125 for a control frame.</param>
    /// <param name="isFinal">False when <see cref="Opcode.Continuation"/> frames will finish the message. Control frames are always final.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public static int Write(Span<byte> destination, Opcode opcode, long payloadLength, bool isFinal = true)
    {
        Debug.Assert(opcode < Opcode.Close || (isFinal && payloadLength <= 125), "Section 5.5: a control frame is whole and at most 125 bytes.");
        int length = GetLength(payloadLength);
        if (destination.Length < length)
        {
            throw new ArgumentException("The destination is too short for the frame header.", nameof(destination));
        }

        destination[0] = (byte)((isFinal ? 0x80 : 0) | (byte)opcode);
        switch (length)
        {
            case 2:
                destination[1] = (byte)payloadLength;
                break;
            case 4:
                destination[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)payloadLength);
                break;
            default:
                destination[1] = 127;
                BinaryPrimitives.WriteInt64BigEndian(destination[2..], payloadLength);
                break;
        }

        return length;
    }
}
