using System.Buffers;
using System.Net;

namespace RawPush.Protocol.Http;

/// <summary>What a Host field or an http authority may hold: <c>uri-host [ ":" port ]</c> (RFC 9110, section 7.2; RFC 3986, section 3.2).</summary>
/// <remarks>
/// Narrower than the grammar in one place: a comma is a legal sub-delim of a reg-name, but in a Host field it means that a proxy folded two
/// of them into one, and the two sides would disagree on which one counts.
/// </remarks>
internal static class HostSyntax
{
    private static readonly SearchValues<byte> RegNameBytes =
        SearchValues.Create("!$%&'()*+-.0123456789;=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"u8);

    private static readonly SearchValues<byte> AddressBytes = SearchValues.Create(".0123456789:ABCDEFabcdef"u8);

    /// <summary>True for a well-formed host with an optional port. Empty is not one; a Host field may be empty all the same.</summary>
    public static bool IsHostAndPort(ReadOnlySpan<byte> value)
    {
        int hostLength = value.StartsWith("["u8) ? AddressLength(value) : RegNameLength(value);
        if (hostLength <= 0)
        {
            return false;
        }

        ReadOnlySpan<byte> port = value[hostLength..];
        return port.IsEmpty || (port[0] == ':' && !port[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9'));
    }

    private static int AddressLength(ReadOnlySpan<byte> value)
    {
        // An IPv6 address in brackets. IPvFuture has never been assigned, and a zone means nothing to another machine; neither is taken.
        int close = value.IndexOf((byte)']');
        return close > 1 && IsAddress(value[1..close]) ? close + 1 : -1;
    }

    private static bool IsAddress(ReadOnlySpan<byte> value) =>
        value.Contains((byte)':') && !value.ContainsAnyExcept(AddressBytes) && IPAddress.IsValidUtf8(value);

    private static int RegNameLength(ReadOnlySpan<byte> value)
    {
        int colon = value.IndexOf((byte)':');
        int length = colon < 0 ? value.Length : colon;
        return !value[..length].ContainsAnyExcept(RegNameBytes) && PercentEncoding.IsWellFormed(value[..length]) ? length : -1;
    }
}
