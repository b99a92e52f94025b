using System.Buffers;
using System.Text;

namespace RawPush.Protocol.WebSockets;

/// <summary>A walk through the names of a Sec-WebSocket-Protocol header: <c>1#token</c> (RFC 6455, section 4.3), all different (section 4.1).</summary>
internal static class SubprotocolList
{
    // Browsers offer one to three. Each name is compared with all before it, so a header of 8 KiB full of them must not get that far.
    private const int NamesMax = 32;

    // RFC 9110, section 5.6.2.
    private static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    public static bool TryChoose(ReadOnlySpan<byte> offered, ReadOnlySpan<string> supported, out string? chosen)
    {
        chosen = null;
        string? first = null;
        Span<Range> names = stackalloc Range[NamesMax];
        int count = 0;
        foreach (var element in offered.Split((byte)','))
        {
            var range = Trim(offered, element);
            var name = offered[range];
            if (name.IsEmpty)
            {
                continue;
            }

            if (count == NamesMax || name.ContainsAnyExcept(TokenBytes) || Contains(offered, names[..count], name))
            {
                return false;
            }

            names[count++] = range;
            first ??= Find(supported, name);
        }

        // Only now: a list that turns out malformed further on chooses nothing.
        chosen = first;
        return true;
    }

    // Optional white space is spaces and tabs (RFC 9110, section 5.6.3).
    private static Range Trim(ReadOnlySpan<byte> list, Range element)
    {
        var (start, length) = element.GetOffsetAndLength(list.Length);
        var untilEnd = list.Slice(start, length).TrimEnd(" \t"u8);
        int trimmedLength = untilEnd.TrimStart(" \t"u8).Length;
        int end = start + untilEnd.Length;
        return (end - trimmedLength)..end;
    }

    private static bool Contains(ReadOnlySpan<byte> list, ReadOnlySpan<Range> names, ReadOnlySpan<byte> name)
    {
        foreach (var earlier in names)
        {
            if (list[earlier].SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    private static string? Find(ReadOnlySpan<string> supported, ReadOnlySpan<byte> name)
    {
        foreach (string candidate in supported)
        {
            if (Ascii.Equals(name, candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}
