using System.Buffers.Binary;
using System.Text;
using RawPush.Protocol.WebSockets;

namespace RawPush.TestKit;

/// <summary>Builds what a WebSocket client sends, byte for byte (RFC 6455, section 5): masked frames, and on request broken ones.</summary>
/// <remarks>Written apart from the code under test and without its mask, so that the two can disagree.</remarks>
public static class ClientFrames
{
    /// <summary>The mask of RFC 6455's own examples (section 5.7), as the four wire bytes 37 FA 21 3D read little-endian.</summary>
    public const uint SampleMaskKey = 0x3D21FA37;

    /// <summary>A whole text message in one frame.</summary>
    public static byte[] Text(string text) => Frame(Opcode.Text, Encoding.UTF8.GetBytes(text));

    /// <summary>A whole binary message in one frame.</summary>
    public static byte[] Binary(ReadOnlySpan<byte> payload) => Frame(Opcode.Binary, payload);

    /// <summary>A ping with at most 125 bytes.</summary>
    public static byte[] Ping(ReadOnlySpan<byte> payload) => Frame(Opcode.Ping, payload);

    /// <summary>A pong with at most 125 bytes.</summary>
    public static byte[] Pong(ReadOnlySpan<byte> payload) => Frame(Opcode.Pong, payload);

    /// <summary>A close frame with a status, which may be one that must not be sent, and a reason.</summary>
    public static byte[] Close(int status, string reason = "")
    {
        var payload = new byte[2 + Encoding.UTF8.GetByteCount(reason)];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)status);
        Encoding.UTF8.GetBytes(reason, payload.AsSpan(2));
        return Frame(Opcode.Close, payload);
    }

    /// <summary>A close frame without a status.</summary>
    public static byte[] Close() => Frame(Opcode.Close, []);

    /// <summary>Any frame, its length in the shortest form.</summary>
    /// <param name="opcode">Any value from 0 to 15, reserved ones too.</param>
    /// <param name="payload">The payload before masking.</param>
    /// <param name="isFinal">False for all but the last frame of a message.</param>
    /// <param name="maskKey">The four wire bytes of the mask read little-endian.</param>
    public static byte[] Frame(Opcode opcode, ReadOnlySpan<byte> payload, bool isFinal = true, uint maskKey = SampleMaskKey) =>
        [.. Header(opcode, payload.Length, isFinal, maskKey), .. Mask(payload, maskKey)];

    /// <summary>The header of a client frame alone, to announce a payload that need not come.</summary>
    /// <param name="opcode">Any value from 0 to 15, reserved ones too.</param>
    /// <param name="payloadLength">What to announce, 0 or more, in the shortest form.</param>
    /// <param name="isFinal">False for all but the last frame of a message.</param>
    /// <param name="maskKey">The four wire bytes of the mask read little-endian.</param>
    public static byte[] Header(Opcode opcode, long payloadLength, bool isFinal = true, uint maskKey = SampleMaskKey)
    {
        byte first = (byte)((isFinal ? 0x80 : 0) | (byte)opcode);
        byte[] length = payloadLength switch
        {
            <= 125 => [(byte)(0x80 | payloadLength)],
            <= 0xFFFF => [0x80 | 126, (byte)(payloadLength >> 8), (byte)payloadLength],
            _ => [0x80 | 127, .. BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(payloadLength))],
        };
        return [first, .. length, (byte)maskKey, (byte)(maskKey >> 8), (byte)(maskKey >> 16), (byte)(maskKey >> 24)];
    }

    /// <summary>One message in as many frames as there are parts; the first has the opcode of the kind, the others continue it.</summary>
    public static byte[] Fragments(Opcode opcode, params byte[][] parts)
    {
        var wire = new List<byte>();
        for (int i = 0; i < parts.Length; i++)
        {
            wire.AddRange(Frame(i == 0 ? opcode : Opcode.Continuation, parts[i], isFinal: i == parts.Length - 1));
        }

        return [.. wire];
    }

    /// <summary>A copy of the payload, masked a byte at a time as section 5.3 defines it.</summary>
    public static byte[] Mask(ReadOnlySpan<byte> payload, uint maskKey, int maskOffset = 0)
    {
        var masked = payload.ToArray();
        for (int i = 0; i < masked.Length; i++)
        {
            masked[i] ^= (byte)(maskKey >> ((maskOffset + i) % 4 * 8));
        }

        return masked;
    }
}
