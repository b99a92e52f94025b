using System.Buffers;
using System.Text;
using RawPush.Protocol.Http;

namespace RawPush.Protocol.Proxy;

/// <summary>Reads whom proxies say they forward for, the last hop first: <c>Forwarded</c> (RFC 7239 section 4) and <c>X-Forwarded-For</c>.</summary>
/// <remarks>From the end, because each proxy appends: what stands further to the left, a quote that is never closed included, may be the client's invention and must not change
/// how the part behind it is read. Static and without state: safe from any thread.</remarks>
public static class ForwardedReader
{
    private const int PortDigitsMax = 5;

    // RFC 7239 section 6.3: what hides the truth begins with an underscore.
    private static readonly SearchValues<byte> ObfuscatedBytes = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-"u8);

    /// <summary>Takes the last element of a <c>Forwarded</c> list.</summary>
    /// <param name="list">The field's value; what is left of it afterwards.</param>
    /// <param name="address">Its <c>for</c>.</param>
    /// <returns>False: there is none, or it names no address: it is malformed, <c>unknown</c> or obfuscated. What stands before it has no meaning then.</returns>
    public static bool TryTakeForwarded(ref ReadOnlySpan<byte> list, out HostAddress address)
    {
        address = default;
        var element = TakeLastElement(ref list);
        bool isFound = false;
        while (!element.IsEmpty)
        {
            var pair = TakeLast(ref element, (byte)';');
            int equals = pair.IndexOf((byte)'=');
            if (equals < 0 || !Ascii.EqualsIgnoreCase(pair[..equals], "for"u8))
            {
                continue;
            }

            // Section 4: a parameter occurs once per element.
            if (isFound || !TryReadNode(pair[(equals + 1)..], out address))
            {
                return false;
            }

            isFound = true;
        }

        return isFound;
    }

    /// <summary>Takes the last element of an <c>X-Forwarded-For</c> list.</summary>
    /// <param name="list">The field's value; what is left of it afterwards.</param>
    /// <param name="address">The address it is.</param>
    /// <returns>False: there is none, or it is no address.</returns>
    public static bool TryTakeForwardedFor(ref ReadOnlySpan<byte> list, out HostAddress address) => TryReadNode(TakeLastElement(ref list), out address);

    // Empty elements are none (RFC 9110 section 5.6.1).
    private static ReadOnlySpan<byte> TakeLastElement(ref ReadOnlySpan<byte> list)
    {
        while (!list.IsEmpty)
        {
            var element = TakeLast(ref list, (byte)',');
            if (!element.IsEmpty)
            {
                return element;
            }
        }

        return default;
    }

    /// <summary>Takes what follows the last separator, trimmed. One inside a quoted string is none.</summary>
    private static ReadOnlySpan<byte> TakeLast(ref ReadOnlySpan<byte> list, byte separator)
    {
        bool isQuoted = false;
        int start = list.Length;
        while (start > 0 && (isQuoted || list[start - 1] != separator))
        {
            start--;
            isQuoted ^= list[start] == '"' && !IsEscaped(list, start);
        }

        var last = list[start..];
        list = list[..Math.Max(start - 1, 0)];
        return HttpSyntax.TrimWhitespace(last);
    }

    private static bool IsEscaped(ReadOnlySpan<byte> list, int index)
    {
        int other = list[..index].LastIndexOfAnyExcept((byte)'\\');
        return ((index - other) & 1) == 0;
    }

    // Section 6, and what is seen where no rule is: IPv6 without brackets, if there is no port.
    private static bool TryReadNode(ReadOnlySpan<byte> node, out HostAddress address)
    {
        if (node.Length >= 2 && node[0] == '"' && node[^1] == '"')
        {
            node = node[1..^1];
        }

        if (!node.IsEmpty && node[0] == '[')
        {
            int end = node.IndexOf((byte)']');
            address = default;
            return end > 0 && IsPortOrNothing(node[(end + 1)..]) && HostAddress.TryParseIPv6(node[1..end], out address);
        }

        int colon = node.IndexOf((byte)':');
        if (colon < 0 || node[(colon + 1)..].Contains((byte)':'))
        {
            return HostAddress.TryParse(node, out address);
        }

        return HostAddress.TryParseIPv4(node[..colon], out address) && IsPortOrNothing(node[colon..]);
    }

    private static bool IsPortOrNothing(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            return true;
        }

        var port = text[1..];
        if (text[0] != ':' || port.IsEmpty)
        {
            return false;
        }

        return port[0] == '_'
            ? port.Length > 1 && !port.ContainsAnyExcept(ObfuscatedBytes)
            : port.Length <= PortDigitsMax && !port.ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }
}
