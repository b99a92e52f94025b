using System.Globalization;

namespace RawPush.Protocol.Http;

/// <summary>Percent-encoding (RFC 3986, section 2.1).</summary>
public static class PercentEncoding
{
    /// <summary>Decodes each <c>%XX</c> into one byte and copies everything else, <c>+</c> included.</summary>
    /// <param name="source">The encoded bytes.</param>
    /// <param name="destination">At least as long as the source; may be the same memory, to decode in place.</param>
    /// <param name="written">Bytes written; 0 when the answer is false.</param>
    /// <returns>False when a percent sign is not followed by two hexadecimal digits; the destination then holds nothing of use.</returns>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    /// <remarks>The result is bytes: a <c>%00</c> or malformed UTF-8 is for the caller to judge.</remarks>
    public static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        if (destination.Length < source.Length)
        {
            throw new ArgumentException("The destination is shorter than the source.", nameof(destination));
        }

        written = 0;
        int length = 0;
        while (true)
        {
            int percent = source.IndexOf((byte)'%');
            int run = percent < 0 ? source.Length : percent;
            source[..run].CopyTo(destination[length..]);
            length += run;
            if (percent < 0)
            {
                written = length;
                return true;
            }

            if (!TryReadByte(source[percent..], out destination[length]))
            {
                return false;
            }

            length++;
            source = source[(percent + 3)..];
        }
    }

    /// <summary>True when every percent sign is followed by two hexadecimal digits.</summary>
    internal static bool IsWellFormed(ReadOnlySpan<byte> source)
    {
        while (true)
        {
            int percent = source.IndexOf((byte)'%');
            if (percent < 0)
            {
                return true;
            }

            if (!TryReadByte(source[percent..], out _))
            {
                return false;
            }

            source = source[(percent + 3)..];
        }
    }

    private static bool TryReadByte(ReadOnlySpan<byte> triplet, out byte value)
    {
        value = 0;
        return triplet.Length >= 3
            && char.IsAsciiHexDigit((char)triplet[1])
            && char.IsAsciiHexDigit((char)triplet[2])
            && byte.TryParse(triplet[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
