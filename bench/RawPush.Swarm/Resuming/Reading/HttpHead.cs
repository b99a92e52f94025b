using System.Buffers.Text;
using System.Text;

namespace RawPush.Swarm.Resuming.Reading;

/// <summary>The head of an HTTP/1.1 response (RFC 9112 section 2.1), looked at where it lies.</summary>
internal readonly ref struct HttpHead
{
    private readonly ReadOnlySpan<byte> _fields;

    private HttpHead(int status, ReadOnlySpan<byte> fields, int length)
    {
        Status = status;
        _fields = fields;
        Length = length;
    }

    public int Status { get; }

    /// <summary>In bytes, with the empty line at its end.</summary>
    public int Length { get; }

    /// <summary>Of the body; 0 where the head does not say, −1 where it does in another way.</summary>
    public int ContentLength
    {
        get
        {
            // RFC 9110 sections 15.3.5 and 15.4.5: these two have no body, whatever the fields say of the answer that they stand for.
            if (Status is 204 or 304)
            {
                return 0;
            }

            var text = Field("Content-Length"u8);
            bool isNumber = Utf8Parser.TryParse(text, out int length, out int digits) && digits == text.Length;
            return isNumber ? length : text.IsEmpty && Field("Transfer-Encoding"u8).IsEmpty ? 0 : -1;
        }
    }

    public bool IsChunked => Ascii.EqualsIgnoreCase(Field("Transfer-Encoding"u8), "chunked"u8);

    public bool Closes => Ascii.EqualsIgnoreCase(Field("Connection"u8), "close"u8);

    /// <summary>False while the head is not whole. A status of 0 is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out HttpHead head)
    {
        head = default;
        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return false;
        }

        int line = bytes.IndexOf("\r\n"u8);
        int status = line >= 12 && bytes.StartsWith("HTTP/1.1 "u8) && Utf8Parser.TryParse(bytes.Slice(9, 3), out int number, out int digits) && digits == 3 ? number : 0;
        head = new HttpHead(status, bytes[(line + 2)..(end + 2)], end + 4);
        return true;
    }

    /// <summary>A field's value; empty if there is none.</summary>
    public ReadOnlySpan<byte> Field(ReadOnlySpan<byte> name)
    {
        var rest = _fields;
        while (rest.IndexOf("\r\n"u8) is var end and > 0)
        {
            var line = rest[..end];
            if (line.Length > name.Length && line[name.Length] == ':' && Ascii.EqualsIgnoreCase(line[..name.Length], name))
            {
                return line[(name.Length + 1)..].Trim(" \t"u8);
            }

            rest = rest[(end + 2)..];
        }

        return default;
    }
}
