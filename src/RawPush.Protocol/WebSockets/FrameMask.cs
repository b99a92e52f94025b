using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace RawPush.Protocol.WebSockets;

/// <summary>Masks and unmasks payloads (RFC 6455, section 5.3). XOR undoes itself, so one method does both.</summary>
/// <remarks>Static and without state: safe from any thread.</remarks>
public static class FrameMask
{
    /// <summary>XORs each byte with the mask byte of its place: <c>payload[i] ^= key[(maskOffset + i) mod 4]</c>. Done in place.</summary>
    /// <param name="payload">Consecutive payload bytes of one frame.</param>
    /// <param name="maskKey">The four mask bytes of the wire read as a little-endian integer.</param>
    /// <param name="maskOffset">Payload bytes of this frame that came before these, 0 or more; only its remainder by 4 matters.</param>
    public static void Apply(Span<byte> payload, uint maskKey, int maskOffset)
    {
        // Turned so that the lowest byte of the key is the one for payload[0]. Every wider step below is a multiple of four
        // bytes, so the same turned key fits all of them.
        uint key = BitOperations.RotateRight(maskKey, (maskOffset & 3) * 8);
        if (payload.Length >= Vector<byte>.Count)
        {
            payload = ApplyVectors(payload, key);
        }

        ApplyTail(payload, key);
    }

    // Returns the bytes that did not fill a vector. FrameMaskBenchmarks shows what this is worth against a byte at a time.
    private static Span<byte> ApplyVectors(Span<byte> payload, uint key)
    {
        var vectors = MemoryMarshal.Cast<byte, Vector<byte>>(payload);
        var mask = Vector.AsVectorByte(new Vector<uint>(ToMemoryOrder(key)));
        for (int i = 0; i < vectors.Length; i++)
        {
            vectors[i] ^= mask;
        }

        return payload[(vectors.Length * Vector<byte>.Count)..];
    }

    private static void ApplyTail(Span<byte> payload, uint key)
    {
        while (payload.Length >= sizeof(uint))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(payload, BinaryPrimitives.ReadUInt32LittleEndian(payload) ^ key);
            payload = payload[sizeof(uint)..];
        }

        for (int i = 0; i < payload.Length; i++)
        {
            payload[i] ^= (byte)(key >> (i * 8));
        }
    }

    // A vector of integers lies in memory in the machine's order; the wire's order is little-endian here by our definition of the key.
    private static uint ToMemoryOrder(uint key) => BitConverter.IsLittleEndian ? key : BinaryPrimitives.ReverseEndianness(key);
}
