using System.Buffers.Binary;

namespace RawPush.Protocol.Proxy;

/// <summary>Reads the header that a proxy puts before the first byte of a connection: the PROXY protocol, versions 1 and 2, as HAProxy specifies it.</summary>
/// <remarks>
/// <code>
/// version 1:  PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 CR LF        TCP6 with IPv6 addresses
///             PROXY UNKNOWN anything CR LF                             at most 107 bytes, CR LF included
///
/// version 2:  0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A | 2C | FP | length | source, destination, ports, then TLVs
///             signature, 12 bytes                   |    |    16 bits, big-endian: the bytes that follow
///                                                   |    family, high: 0 none, 1 IPv4, 2 IPv6, 3 Unix; protocol, low: 1 stream, 2 datagrams
///                                                   version 2, high; command, low: 0 local, 1 proxied
/// </code>
/// Static and without state: safe from any thread. TLVs are passed over.
/// </remarks>
public static class ProxyHeaderReader
{
    /// <summary>Bytes of the longest header: that of version 2, with what follows its fixed part limited to 4,096 bytes, which certificates' names and the like do not reach.</summary>
    public const int BytesMax = FixedLength + FollowingBytesMax;

    private const int LineBytesMax = 107;
    private const int FixedLength = 16;
    private const int FollowingBytesMax = 4096;
    private const int IPv4AddressesLength = 12;
    private const int IPv6AddressesLength = 36;
    private const int UnixAddressesLength = 216;
    private const int IPv4TextMax = 15;
    private const int IPv6TextMax = 45;
    private const int PortTextMax = 5;

    private static ReadOnlySpan<byte> LineStart => "PROXY "u8;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Reads the header that <paramref name="source"/> begins with.</summary>
    /// <param name="source">Bytes from the first one of the connection; what follows the header is not looked at.</param>
    /// <param name="header">The header when the answer is <see cref="ReadStatus.Done"/>, default otherwise.</param>
    /// <returns><see cref="ReadStatus.Violation"/> with the first byte that no header has, or with the end of a part that makes no sense.</returns>
    public static ReadStatus TryRead(ReadOnlySpan<byte> source, out ProxyHeader header)
    {
        header = default;
        if (source.IsEmpty)
        {
            return ReadStatus.NeedMore;
        }

        return source[0] == Signature[0] ? TryReadBinary(source, out header) : TryReadLine(source, out header);
    }

    private static ReadStatus TryReadLine(ReadOnlySpan<byte> source, out ProxyHeader header)
    {
        header = default;
        if (!StartsAs(source, LineStart))
        {
            return ReadStatus.Violation;
        }

        var rest = source[Math.Min(LineStart.Length, source.Length)..];
        if (StartsAs(rest, "TCP4 "u8))
        {
            return TryReadAddresses(source, LineStart.Length + 5, isIPv4: true, out header);
        }

        if (StartsAs(rest, "TCP6 "u8))
        {
            return TryReadAddresses(source, LineStart.Length + 5, isIPv4: false, out header);
        }

        return StartsAs(rest, "UNKNOWN"u8) ? TryReadUnknown(source, out header) : ReadStatus.Violation;
    }

    /// <summary>The one begins as the other, as far as both go.</summary>
    private static bool StartsAs(ReadOnlySpan<byte> source, ReadOnlySpan<byte> expected)
    {
        int common = Math.Min(source.Length, expected.Length);
        return source[..common].SequenceEqual(expected[..common]);
    }

    // Whatever stands behind UNKNOWN is to be ignored up to the end of the line.
    private static ReadStatus TryReadUnknown(ReadOnlySpan<byte> source, out ProxyHeader header)
    {
        header = default;
        int end = source.IndexOfAny((byte)'\r', (byte)'\n');
        int nameEnd = LineStart.Length + "UNKNOWN".Length;
        if (source.Length > nameEnd && source[nameEnd] is not ((byte)' ' or (byte)'\r'))
        {
            return ReadStatus.Violation;
        }

        return end < 0 ? NeedMoreOfLine(source) : TryReadLineEnd(source, end, default, out header);
    }

    private static ReadStatus TryReadAddresses(ReadOnlySpan<byte> source, int start, bool isIPv4, out ProxyHeader header)
    {
        header = default;
        int position = start;
        var status = TryReadAddress(source, ref position, isIPv4, out var client);
        status = status == ReadStatus.Done ? TryReadAddress(source, ref position, isIPv4, out _) : status;
        int port = 0;
        status = status == ReadStatus.Done ? TryReadPort(source, ref position, (byte)' ', out port) : status;
        status = status == ReadStatus.Done ? TryReadPort(source, ref position, (byte)'\r', out _) : status;
        return status switch
        {
            ReadStatus.Done => TryReadLineEnd(source, position - 1, new ProxyHeader(0, client, (ushort)port), out header),
            ReadStatus.NeedMore => NeedMoreOfLine(source),
            _ => status,
        };
    }

    private static ReadStatus TryReadAddress(ReadOnlySpan<byte> source, ref int position, bool isIPv4, out HostAddress address)
    {
        address = default;
        var status = isIPv4
            ? TryTakeField(source, ref position, (byte)' ', "0123456789."u8, IPv4TextMax, out var text)
            : TryTakeField(source, ref position, (byte)' ', "0123456789abcdefABCDEF:."u8, IPv6TextMax, out text);
        if (status != ReadStatus.Done)
        {
            return status;
        }

        bool isRead = isIPv4 ? HostAddress.TryParseIPv4(text, out address) : HostAddress.TryParseIPv6(text, out address);
        return isRead ? ReadStatus.Done : ReadStatus.Violation;
    }

    private static ReadStatus TryReadPort(ReadOnlySpan<byte> source, ref int position, byte end, out int port)
    {
        port = 0;
        var status = TryTakeField(source, ref position, end, "0123456789"u8, PortTextMax, out var text);
        return status == ReadStatus.Done && !DecimalNumber.TryParse(text, ushort.MaxValue, out port) ? ReadStatus.Violation : status;
    }

    /// <summary>A field with the byte that ends it. Of one that is not whole, what is there must be possible.</summary>
    private static ReadStatus TryTakeField(
        ReadOnlySpan<byte> source, ref int position, byte end, ReadOnlySpan<byte> allowed, int lengthMax, out ReadOnlySpan<byte> field)
    {
        var rest = source[Math.Min(position, source.Length)..];
        int length = rest.IndexOfAnyExcept(allowed);
        field = length < 0 ? rest : rest[..length];
        if (field.Length > lengthMax)
        {
            return ReadStatus.Violation;
        }

        if (length < 0)
        {
            return ReadStatus.NeedMore;
        }

        position += length + 1;
        return rest[length] == end ? ReadStatus.Done : ReadStatus.Violation;
    }

    private static ReadStatus NeedMoreOfLine(ReadOnlySpan<byte> source) => source.Length < LineBytesMax ? ReadStatus.NeedMore : ReadStatus.Violation;

    /// <summary>CR LF, within the limit.</summary>
    private static ReadStatus TryReadLineEnd(ReadOnlySpan<byte> source, int end, ProxyHeader said, out ProxyHeader header)
    {
        header = default;
        int length = end + 2;
        if (source[end] != '\r' || length > LineBytesMax)
        {
            return ReadStatus.Violation;
        }

        if (source.Length < length)
        {
            return ReadStatus.NeedMore;
        }

        if (source[end + 1] != '\n')
        {
            return ReadStatus.Violation;
        }

        header = said with { Length = length };
        return ReadStatus.Done;
    }

    private static ReadStatus TryReadBinary(ReadOnlySpan<byte> source, out ProxyHeader header)
    {
        header = default;
        if (!StartsAs(source, Signature) || !IsPossible(source))
        {
            return ReadStatus.Violation;
        }

        if (source.Length < FixedLength)
        {
            return ReadStatus.NeedMore;
        }

        bool isLocal = source[12] == 0x20;
        int following = BinaryPrimitives.ReadUInt16BigEndian(source[14..]);
        if (following > FollowingBytesMax || (!isLocal && following < AddressesLength(source[13])))
        {
            return ReadStatus.Violation;
        }

        int length = FixedLength + following;
        if (source.Length < length)
        {
            return ReadStatus.NeedMore;
        }

        header = (isLocal ? default : ReadAddresses(source[13], source[FixedLength..])) with { Length = length };
        return ReadStatus.Done;
    }

    // As far as the bytes are there: the version and the command; what is proxied, which a local command does not say; and the first half of the length.
    private static bool IsPossible(ReadOnlySpan<byte> source) =>
        (source.Length <= 12 || source[12] is 0x20 or 0x21)
        && (source.Length <= 13 || source[12] == 0x20 || source[13] is 0x00 or 0x11 or 0x12 or 0x21 or 0x22 or 0x31 or 0x32)
        && (source.Length <= 14 || source[14] <= FollowingBytesMax >> 8);

    private static int AddressesLength(byte protocol) => (protocol >> 4) switch
    {
        1 => IPv4AddressesLength,
        2 => IPv6AddressesLength,
        3 => UnixAddressesLength,
        _ => 0,
    };

    private static ProxyHeader ReadAddresses(byte protocol, ReadOnlySpan<byte> addresses) => protocol switch
    {
        0x11 => new ProxyHeader(0, HostAddress.FromIPv4(addresses), BinaryPrimitives.ReadUInt16BigEndian(addresses[8..])),
        0x21 => new ProxyHeader(0, HostAddress.FromIPv6(addresses), BinaryPrimitives.ReadUInt16BigEndian(addresses[32..])),

        // A path, datagrams, or nothing at all: no address that means anything here.
        _ => default,
    };
}
