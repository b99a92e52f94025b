using System.IO.Compression;

namespace RawPush.TestKit;

/// <summary>Messages as a client with permessage-deflate sends them (RFC 7692, section 7.2.1), made by the base class library and not by the code under test.</summary>
public static class Compressed
{
    /// <summary>The payload of the message's frames: deflated up to a flush, and without the four bytes that end that.</summary>
    public static byte[] Of(ReadOnlySpan<byte> message)
    {
        if (message.IsEmpty)
        {
            return [0x00];   // Section 7.2.3.6.
        }

        using var stream = new MemoryStream();
        using var deflate = new DeflateStream(stream, CompressionLevel.Optimal, leaveOpen: true);
        deflate.Write(message);
        deflate.Flush();
        return stream.ToArray()[..^4];
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
