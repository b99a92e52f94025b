using System.Buffers.Text;
using System.Text;

namespace RawPush.Swarm.Publishing;

/// <summary>A body in chunks (RFC 9112 section 7.1), without extensions and trailers.</summary>
internal static class ChunkedBody
{
    /// <summary>Reads a whole body; false while there is more to come.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out string body, out int length)
    {
        body = string.Empty;
        length = 0;
        var content = new List<byte>();
        while (bytes[length..].IndexOf("\r\n"u8) is var line and >= 0)
        {
            if (!Utf8Parser.TryParse(bytes.Slice(length, line), out int size, out int digits, 'x') || digits != line)
            {
                throw new InvalidOperationException("the answer to a publish has a chunk without a length");
            }

            int end = length + line + 2 + size + 2;
            if (bytes.Length < end)
            {
                return false;
            }

            content.AddRange(bytes.Slice(length + line + 2, size));
            length = end;
            if (size == 0)
            {
                body = Encoding.UTF8.GetString([.. content]);
                return true;
            }
        }

        return false;
    }
}
