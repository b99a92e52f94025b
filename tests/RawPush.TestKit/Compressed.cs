using System.IO.Compression;
using RawPush.Protocol.WebSockets;

namespace RawPush.TestKit;

/// <summary>Messages as a client with permessage-deflate sends them (RFC 7692, section 7.2.1), made by the base class library and not by the code under test.</summary>
public static class Compressed
{
    /// <summary>The payload of the message's frames: deflated up to a flush, and without the four bytes that end that.</summary>
    public static byte[] Of(ReadOnlySpan<byte> message) => Of(message, new ZLibCompressionOptions());

    /// <summary>The same, at a level and with a strategy of one's choice.</summary>
    public static byte[] Of(ReadOnlySpan<byte> message, ZLibCompressionOptions options)
    {
        if (message.IsEmpty)
        {
            return [0x00];   // Section 7.2.3.6.
        }

        using var stream = new MemoryStream();
        using var deflate = new DeflateStream(stream, options, leaveOpen: true);
        deflate.Write(message);
        deflate.Flush();
        return stream.ToArray()[..^4];
    }

    /// <summary>Messages of a stream that goes on: from the second on, they refer to those before (section 7.1.1).</summary>
    public static byte[][] WithTakeover(params byte[][] messages)
    {
        using var stream = new MemoryStream();
        using var deflate = new DeflateStream(stream, CompressionLevel.SmallestSize, leaveOpen: true);
        return [.. messages.Select(message =>
        {
            stream.SetLength(0);
            deflate.Write(message);
            deflate.Flush();
            return stream.ToArray()[..^4];
        })];
    }

    /// <summary>A message in as many frames as its payload has parts. RSV1 of the first says that it is compressed (section 6).</summary>
    public static byte[] Frames(Opcode opcode, params byte[][] parts)
    {
        byte[] wire = ClientFrames.Fragments(opcode, parts);
        wire[0] |= 0x40;
        return wire;
    }

    /// <summary>What such a payload says.</summary>
    public static byte[] Inflate(ReadOnlySpan<byte> compressed)
    {
        using var stream = new MemoryStream([.. compressed, 0x00, 0x00, 0xFF, 0xFF]);
        using var inflate = new DeflateStream(stream, CompressionMode.Decompress);
        using var message = new MemoryStream();
        inflate.CopyTo(message);
        return message.ToArray();
    }
}
