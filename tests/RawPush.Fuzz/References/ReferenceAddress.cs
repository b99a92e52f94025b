using System.Buffers.Binary;
using System.Net;
using System.Text.RegularExpressions;
using RawPush.Protocol.Proxy;

namespace RawPush.Fuzz.References;

/// <summary>Addresses as text (RFC 4291, section 2.2): expressions say what is one, and the base class library, which takes more than that, what it is.</summary>
internal static partial class ReferenceAddress
{
    private const int Groups = 8;

    public static HostAddress? ReadIPv4(string text) => IPv4().IsMatch(text) ? Of(IPAddress.Parse(text)) : null;

    public static HostAddress? ReadIPv6(string text) => IsIPv6(text) ? Of(IPAddress.Parse(text)) : null;

    public static HostAddress Of(IPAddress address) => new(BinaryPrimitives.ReadUInt128BigEndian(address.MapToIPv6().GetAddressBytes()));

    // What :: leaves out is one group at least.
    private static bool IsIPv6(string text)
    {
        string[] parts = text.Split("::");
        int? groups = parts.Length == 1 ? CountGroups(text, isEnd: true) : CountGroups(parts[0], isEnd: false) + CountGroups(parts[1], isEnd: true);
        return (parts.Length == 1 && groups == Groups) || (parts.Length == 2 && groups < Groups);
    }

    /// <summary>Null when there is something that is no group. An IPv4 address is two, where the text ends.</summary>
    private static int? CountGroups(string part, bool isEnd)
    {
        string[] groups = part.Length == 0 ? [] : part.Split(':');
        bool hasIPv4 = isEnd && groups.Length > 0 && IPv4().IsMatch(groups[^1]);
        return groups.SkipLast(hasIPv4 ? 1 : 0).All(Group().IsMatch) ? groups.Length + (hasIPv4 ? 1 : 0) : null;
    }

    [GeneratedRegex(@"^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!\z)|\z)){4}\z")]
    private static partial Regex IPv4();

    [GeneratedRegex(@"^[0-9A-Fa-f]{1,4}\z")]
    private static partial Regex Group();
}
