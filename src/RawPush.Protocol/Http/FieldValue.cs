using System.Text;

namespace RawPush.Protocol.Http;

/// <summary>Questions asked of a field value. A field that was sent in several lines is asked line by line (RFC 9110, section 5.3).</summary>
public static class FieldValue
{
    /// <summary>True when a comma-separated list holds the token, in any case (RFC 9110, section 5.6.1), as in Connection and Upgrade.</summary>
    public static bool ContainsToken(ReadOnlySpan<byte> list, ReadOnlySpan<byte> token)
    {
        while (TryTake(ref list, (byte)',', out ReadOnlySpan<byte> element))
        {
            if (!element.IsEmpty && Ascii.EqualsIgnoreCase(element, token))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>True when an Accept value names exactly this media type with a weight other than 0 (RFC 9110, section 12.5.1).</summary>
    /// <param name="accept">The value of an Accept field.</param>
    /// <param name="mediaType">A type and subtype without parameters, such as <c>text/event-stream</c>.</param>
    /// <remarks>
    /// Wildcards do not count: <c>*/*</c> is what every client sends, and says nothing about what it understands. Parameters other than
    /// the weight are ignored. A malformed weight counts as 0, since it cannot be said to ask for anything.
    /// </remarks>
    public static bool AcceptsMediaType(ReadOnlySpan<byte> accept, ReadOnlySpan<byte> mediaType)
    {
        while (TryTake(ref accept, (byte)',', out ReadOnlySpan<byte> range))
        {
            if (TryTake(ref range, (byte)';', out ReadOnlySpan<byte> name)
                && !name.IsEmpty
                && Ascii.EqualsIgnoreCase(name, mediaType)
                && !IsWeightZero(range))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsWeightZero(ReadOnlySpan<byte> parameters)
    {
        while (TryTake(ref parameters, (byte)';', out ReadOnlySpan<byte> parameter))
        {
            if (parameter.Length >= 2 && (parameter[0] | 0x20) == 'q' && parameter[1] == '=')
            {
                return !IsPositiveWeight(parameter[2..]);
            }
        }

        return false;   // Section 12.4.2: no weight is a weight of 1.
    }

    // Section 12.4.2: qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
    private static bool IsPositiveWeight(ReadOnlySpan<byte> weight)
    {
        if (weight.IsEmpty || weight.Length > 5 || (weight.Length > 1 && weight[1] != '.'))
        {
            return false;
        }

        ReadOnlySpan<byte> digits = weight.Length > 2 ? weight[2..] : default;
        bool hasNonZero = digits.ContainsAnyExcept((byte)'0');
        return weight[0] switch
        {
            (byte)'0' => hasNonZero && !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'),
            (byte)'1' => !hasNonZero,
            _ => false,
        };
    }

    /// <summary>Takes what precedes the next separator, trimmed of OWS. A separator inside a quoted-string is not one (RFC 9110, section 5.6.4).</summary>
    /// <remarks>A string that is never closed swallows the rest, so that nothing inside it can be taken for an element.</remarks>
    private static bool TryTake(ref ReadOnlySpan<byte> rest, byte separator, out ReadOnlySpan<byte> element)
    {
        if (rest.IsEmpty)
        {
            element = default;
            return false;
        }

        int end = 0;
        while (end < rest.Length)
        {
            int next = rest[end..].IndexOfAny(separator, (byte)'"');
            if (next < 0)
            {
                end = rest.Length;
                break;
            }

            end += next;
            if (rest[end] == separator)
            {
                break;
            }

            end += QuotedStringLength(rest[end..]);
        }

        element = HttpSyntax.TrimWhitespace(rest[..end]);
        rest = end < rest.Length ? rest[(end + 1)..] : default;
        return true;
    }

    private static int QuotedStringLength(ReadOnlySpan<byte> quoted)
    {
        for (int i = 1; i < quoted.Length; i++)
        {
            if (quoted[i] == '"')
            {
                return i + 1;
            }

            if (quoted[i] == '\\')
            {
                i++;   // quoted-pair: the next byte is itself, whatever it is
            }
        }

        return quoted.Length;
    }
}
