using System.Net;
using RawPush.Protocol.Proxy;

namespace RawPush.Fuzz.References;

/// <summary>The PROXY protocol's header: version 2 by index (section 2.2 of its specification), version 1 by <see cref="ReferenceProxyLine"/>.</summary>
internal static class ReferenceProxyHeader
{
    private const int FixedLength = 16;
    private const int FollowingMax = 4096;

    private static readonly byte[] Signature = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    // Family and protocol, and the bytes of addresses that they need.
    private static readonly Dictionary<int, int> Addresses = new()
    {
        [0x00] = 0,
        [0x11] = 12,
        [0x12] = 12,
        [0x21] = 36,
        [0x22] = 36,
        [0x31] = 216,
        [0x32] = 216,
    };

    public static ProxyHeaderOutcome Read(byte[] wire)
    {
        if (wire.Length > 0 && wire[0] != Signature[0])
        {
            return ReferenceProxyLine.Read(wire);
        }

        for (int i = 0; i < Math.Min(wire.Length, FixedLength); i++)
        {
            if (!IsPossible(wire, i))
            {
                return ProxyHeaderOutcome.Violation(i + 1);
            }
        }

        if (wire.Length < FixedLength)
        {
            return ProxyHeaderOutcome.NeedMore;
        }

        bool isLocal = wire[12] == 0x20;
        int following = (256 * wire[14]) + wire[15];
        if (following > FollowingMax || (!isLocal && following < Addresses[wire[13]]))
        {
            return ProxyHeaderOutcome.Violation(FixedLength);
        }

        int length = FixedLength + following;
        return length > wire.Length ? ProxyHeaderOutcome.NeedMore : ProxyHeaderOutcome.Done(Header(wire, length, isLocal));
    }

    private static bool IsPossible(byte[] wire, int index) => index switch
    {
        < 12 => wire[index] == Signature[index],
        12 => wire[index] is 0x20 or 0x21,
        13 => wire[12] == 0x20 || Addresses.ContainsKey(wire[index]),
        14 => 256 * wire[index] <= FollowingMax,
        _ => true,
    };

    // Only streams have a client with an address.
    private static ProxyHeader Header(byte[] wire, int length, bool isLocal) => (isLocal ? 0 : wire[13]) switch
    {
        0x11 => new ProxyHeader(length, ReferenceAddress.Of(new IPAddress(wire[16..20])), (ushort)((256 * wire[24]) + wire[25])),
        0x21 => new ProxyHeader(length, ReferenceAddress.Of(new IPAddress(wire[16..32])), (ushort)((256 * wire[48]) + wire[49])),
        _ => new ProxyHeader(length, null, 0),
    };
}
