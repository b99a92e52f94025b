using System.Buffers.Binary;

namespace RawPush.Protocol.WebSockets;

/// <summary>Reads the header of a client's frame (RFC 6455, section 5.2).</summary>
/// <remarks>
/// <code>
///  byte 0          byte 1          then
/// +-+-+-+-+-------+-+-------------+-------------------------------+-----------+
/// |F|R|R|R| opcode|M| length      | 126: 16 bits, 127: 64 bits    | mask key  |
/// |I|S|S|S|       |A| 0-125: this | of length in network order;   | 4 bytes   |
/// |N|V|V|V|       |S|   is it     | absent otherwise              |           |
/// | |1|2|3|       |K|             |                               |           |
/// +-+-+-+-+-------+-+-------------+-------------------------------+-----------+
/// </code>
/// Static and without state: safe from any thread.
/// </remarks>
public static class FrameHeaderReader
{
    /// <summary>Bytes of the longest header: two, a 64-bit length and the mask key.</summary>
    public const int BytesMax = 14;

    private const int ControlPayloadBytesMax = 125;
    private const int MaskKeyLength = 4;
    private const int ReservedBits = 0x70;
    private const int Rsv1 = 0x40;

    /// <summary>Reads the header that <paramref name="source"/> begins with.</summary>
    /// <param name="source">Bytes that begin at a frame; what follows the header is not looked at.</param>
    /// <param name="header">The header when the answer is <see cref="ReadStatus.Done"/>, default otherwise.</param>
    /// <returns>
    /// <see cref="ReadStatus.Violation"/> as soon as the bytes that prove it are there, even when the header is not complete: no mask, a reserved
    /// bit or opcode, a control frame that is fragmented or longer than 125 bytes, a length with its top bit set or not in its shortest form.
    /// </returns>
    public static ReadStatus TryRead(ReadOnlySpan<byte> source, out FrameHeader header) => TryRead(source, takesCompressed: false, out header, out _);

    /// <param name="source">As above.</param>
    /// <param name="takesCompressed">permessage-deflate was agreed to, and gives RSV1 a meaning.</param>
    /// <param name="header">As above.</param>
    /// <param name="violation">What is wrong.</param>
    internal static ReadStatus TryRead(ReadOnlySpan<byte> source, bool takesCompressed, out FrameHeader header, out FrameViolation violation)
    {
        header = default;
        violation = CheckStart(source, takesCompressed);
        if (violation != FrameViolation.None)
        {
            return ReadStatus.Violation;
        }

        if (source.Length < 2)
        {
            return ReadStatus.NeedMore;
        }

        var status = TryReadLength(source, out long payloadLength, out int headerLength, out violation);
        if (status != ReadStatus.Done)
        {
            return status;
        }

        if (source.Length < headerLength)
        {
            return ReadStatus.NeedMore;
        }

        uint maskKey = BinaryPrimitives.ReadUInt32LittleEndian(source[(headerLength - MaskKeyLength)..]);
        header = new FrameHeader((source[0] & 0x80) != 0, (source[0] & Rsv1) != 0, (Opcode)(source[0] & 0x0F), payloadLength, maskKey, headerLength);
        return ReadStatus.Done;
    }

    // What the first two bytes can prove, each as soon as it is there.
    private static FrameViolation CheckStart(ReadOnlySpan<byte> source, bool takesCompressed)
    {
        if (source.IsEmpty)
        {
            return FrameViolation.None;
        }

        var violation = CheckFirstByte(source[0], takesCompressed);
        if (violation != FrameViolation.None || source.Length == 1)
        {
            return violation;
        }

        return CheckSecondByte(source[0], source[1]);
    }

    private static FrameViolation CheckFirstByte(byte first, bool takesCompressed)
    {
        var opcode = (Opcode)(first & 0x0F);

        // Section 5.2: RSV must be 0 unless an extension gives it a meaning. RFC 7692, section 6: on the first frame of a message RSV1 says that it is compressed.
        bool mayBeCompressed = takesCompressed && opcode is (Opcode.Text or Opcode.Binary);
        if ((first & ReservedBits & (mayBeCompressed ? ~Rsv1 : ~0)) != 0)
        {
            return FrameViolation.ReservedBits;
        }

        if (opcode is > Opcode.Binary and < Opcode.Close or > Opcode.Pong)
        {
            return FrameViolation.ReservedOpcode;
        }

        // Section 5.5: control frames MUST NOT be fragmented.
        return opcode >= Opcode.Close && (first & 0x80) == 0 ? FrameViolation.FragmentedControl : FrameViolation.None;
    }

    private static FrameViolation CheckSecondByte(byte first, byte second)
    {
        // Section 5.1: a server MUST close on a frame that is not masked.
        if ((second & 0x80) == 0)
        {
            return FrameViolation.Unmasked;
        }

        // Section 5.5: 125 bytes at most, so a control frame never has an extended length.
        bool isControl = (first & 0x08) != 0;
        return isControl && (second & 0x7F) > ControlPayloadBytesMax ? FrameViolation.OversizedControl : FrameViolation.None;
    }

    private static ReadStatus TryReadLength(ReadOnlySpan<byte> source, out long payloadLength, out int headerLength, out FrameViolation violation)
    {
        int length = source[1] & 0x7F;
        switch (length)
        {
            case 126:
                headerLength = 2 + sizeof(ushort) + MaskKeyLength;
                return TryReadLength16(source[2..], out payloadLength, out violation);
            case 127:
                headerLength = 2 + sizeof(ulong) + MaskKeyLength;
                return TryReadLength64(source[2..], out payloadLength, out violation);
            default:
                headerLength = 2 + MaskKeyLength;
                payloadLength = length;
                violation = FrameViolation.None;
                return ReadStatus.Done;
        }
    }

    private static ReadStatus TryReadLength16(ReadOnlySpan<byte> source, out long payloadLength, out FrameViolation violation)
    {
        violation = FrameViolation.None;
        if (!BinaryPrimitives.TryReadUInt16BigEndian(source, out ushort length))
        {
            payloadLength = 0;
            return ReadStatus.NeedMore;
        }

        // Section 5.2: "the minimal number of bytes MUST be used to encode the length".
        payloadLength = length;
        return length < 126 ? Fail(FrameViolation.LengthNotMinimal, out violation) : ReadStatus.Done;
    }

    private static ReadStatus TryReadLength64(ReadOnlySpan<byte> source, out long payloadLength, out FrameViolation violation)
    {
        payloadLength = 0;
        violation = FrameViolation.None;
        if (source.Length > 0 && source[0] >= 0x80)
        {
            return Fail(FrameViolation.LengthTopBit, out violation);
        }

        // Six zero bytes leave a number that two would have held; we need not wait for those two to know it.
        if (source.Length >= 6 && source[..6].IndexOfAnyExcept((byte)0) < 0)
        {
            return Fail(FrameViolation.LengthNotMinimal, out violation);
        }

        return BinaryPrimitives.TryReadInt64BigEndian(source, out payloadLength) ? ReadStatus.Done : ReadStatus.NeedMore;
    }

    private static ReadStatus Fail(FrameViolation reason, out FrameViolation violation)
    {
        violation = reason;
        return ReadStatus.Violation;
    }
}
