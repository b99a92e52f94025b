using System.Buffers;
using RawPush.Protocol.WebSockets;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Fanout.Formats;

/// <summary>Deflates whole frames of the server for permessage-deflate (RFC 7692). Safe for threads.</summary>
internal static class FrameDeflater
{
    private const byte Rsv1 = 0x40;

    // One per thread, as the encoder's buffers: an event loop has a single one.
    [ThreadStatic]
    private static MessageDeflater? _deflater;

    /// <summary>The frame of a whole message, deflated; or the same array, if it is short or would not become shorter.</summary>
    /// <param name="frame">Header and payload.</param>
    /// <param name="payloadBytesMin">Shorter payloads are left as they are; 0: all are.</param>
    public static byte[] Deflate(byte[] frame, int payloadBytesMin)
    {
        var payload = FrameHeaderWriter.PayloadOf(frame);
        if (payloadBytesMin == 0 || payload.Length < payloadBytesMin)
        {
            return frame;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(payload.Length);
        int length = (_deflater ??= new MessageDeflater()).Deflate(payload, rented);
        byte[] deflated = length > 0 ? Frame(frame[0], rented.AsSpan(0, length)) : frame;
        ArrayPool<byte>.Shared.Return(rented);
        return deflated;
    }

    private static byte[] Frame(byte firstByte, ReadOnlySpan<byte> payload)
    {
        int headerLength = FrameHeaderWriter.GetLength(payload.Length);
        byte[] frame = GC.AllocateUninitializedArray<byte>(headerLength + payload.Length);
        FrameHeaderWriter.Write(frame, (Opcode)(firstByte & 0x0F), payload.Length);
        frame[0] |= Rsv1;
        payload.CopyTo(frame.AsSpan(headerLength));
        return frame;
    }
}
