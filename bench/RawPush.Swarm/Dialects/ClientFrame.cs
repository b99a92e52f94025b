using System.Buffers.Binary;

namespace RawPush.Swarm.Dialects;

/// <summary>Frames as a client sends them. Masked with zeroes, which is as good as any key where nobody is in between.</summary>
internal static class ClientFrame
{
    public const byte Text = 1;
    public const byte Binary = 2;
    public const byte Close = 8;
    public const byte Pong = 10;

    public static byte[] Make(byte opcode, ReadOnlySpan<byte> payload)
    {
        int extended = payload.Length switch { < 126 => 0, <= ushort.MaxValue => 2, _ => 8 };
        byte[] frame = new byte[2 + extended + 4 + payload.Length];
        frame[0] = (byte)(0x80 | opcode);
        frame[1] = (byte)(0x80 | extended switch { 0 => payload.Length, 2 => 126, _ => 127 });
        if (extended == 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        }
        else if (extended == 8)
        {
            BinaryPrimitives.WriteInt64BigEndian(frame.AsSpan(2), payload.Length);
        }

        payload.CopyTo(frame.AsSpan(2 + extended + 4));
        return frame;
    }
}
