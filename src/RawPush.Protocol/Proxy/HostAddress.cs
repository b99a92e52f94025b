using System.Buffers.Binary;
using System.Net;

namespace RawPush.Protocol.Proxy;

/// <summary>An IP address that is no object: 128 bits, of which an IPv4 address is its mapped form (RFC 4291 section 2.5.5.2). So a client is the same one
/// on a socket of either family.</summary>
/// <param name="Bits">The address in host order.</param>
public readonly record struct HostAddress(UInt128 Bits)
{
    private const int IPv4Length = 4;
    private const int IPv6Length = 16;
    private const int GroupCount = 8;
    private const int GroupDigitsMax = 4;

    private static readonly UInt128 MappedPrefix = new(0, 0x0000_FFFF_0000_0000);

    /// <summary>It is an IPv4 address, mapped.</summary>
    public bool IsIPv4 => Bits >> 32 == MappedPrefix >> 32;

    /// <summary>Four bytes in network order.</summary>
    public static HostAddress FromIPv4(ReadOnlySpan<byte> bytes) => new(MappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>Sixteen bytes in network order.</summary>
    public static HostAddress FromIPv6(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    /// <summary>Null stays null: a Unix socket has no address.</summary>
    public static HostAddress? From(IPAddress? address)
    {
        if (address is null)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[IPv6Length];
        address.TryWriteBytes(bytes, out int length);
        return length == IPv4Length ? FromIPv4(bytes[..length]) : FromIPv6(bytes[..length]);
    }

    /// <summary>The same as an object, of the address's own family.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[IPv6Length];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Bits);
        return new IPAddress(IsIPv4 ? bytes[^IPv4Length..] : bytes);
    }

    /// <summary>Reads the text of either family. Stricter than <see cref="IPAddress"/>: no octal, no hexadecimal IPv4, no parts left out, no scope, no brackets.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out HostAddress address) =>
        text.Contains((byte)':') ? TryParseIPv6(text, out address) : TryParseIPv4(text, out address);

    /// <summary>Four numbers from 0 to 255 without leading zeros, between dots.</summary>
    public static bool TryParseIPv4(ReadOnlySpan<byte> text, out HostAddress address)
    {
        bool isRead = TryReadIPv4(text, out uint bits);
        address = new HostAddress(MappedPrefix | bits);
        return isRead;
    }

    /// <summary>RFC 4291 section 2.2: groups, at most one <c>::</c>, perhaps an IPv4 address at the end.</summary>
    public static bool TryParseIPv6(ReadOnlySpan<byte> text, out HostAddress address)
    {
        address = default;
        int gap = text.IndexOf("::"u8);
        if (gap < 0)
        {
            bool isWhole = TryReadGroups(text, mayEndInIPv4: true, out var all, out int count) && count == GroupCount;
            address = new HostAddress(all);
            return isWhole;
        }

        // The gap stands for at least one group. A second one is an empty group of the part behind the first, which no part has.
        if (!TryReadGroups(text[..gap], mayEndInIPv4: false, out var front, out int frontCount)
            || !TryReadGroups(text[(gap + 2)..], mayEndInIPv4: true, out var back, out int backCount)
            || frontCount + backCount >= GroupCount)
        {
            return false;
        }

        address = new HostAddress((frontCount == 0 ? UInt128.Zero : front << (16 * (GroupCount - frontCount))) | back);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => ToIPAddress().ToString();

    private static bool TryReadIPv4(ReadOnlySpan<byte> text, out uint bits)
    {
        bits = 0;
        for (int i = 0; i < IPv4Length; i++)
        {
            int end = i < IPv4Length - 1 ? text.IndexOf((byte)'.') : text.Length;
            if (end < 0 || !DecimalNumber.TryParse(text[..end], byte.MaxValue, out int part))
            {
                return false;
            }

            bits = (bits << 8) | (uint)part;
            text = text[Math.Min(end + 1, text.Length)..];
        }

        return true;
    }

    /// <summary>Groups between colons, into the low bits. Of no text there are none.</summary>
    private static bool TryReadGroups(ReadOnlySpan<byte> text, bool mayEndInIPv4, out UInt128 bits, out int count)
    {
        bits = UInt128.Zero;
        count = 0;
        bool hasMore = !text.IsEmpty;
        while (hasMore)
        {
            int colon = text.IndexOf((byte)':');
            hasMore = colon >= 0;
            var group = hasMore ? text[..colon] : text;
            if (count < GroupCount && TryReadGroup(group, out uint value))
            {
                bits = (bits << 16) | value;
                count++;
            }
            else if (!hasMore && mayEndInIPv4 && count <= GroupCount - 2 && TryReadIPv4(group, out value))
            {
                bits = (bits << 32) | value;
                count += 2;
            }
            else
            {
                return false;
            }

            text = text[(colon + 1)..];
        }

        return true;
    }

    private static bool TryReadGroup(ReadOnlySpan<byte> digits, out uint value)
    {
        value = 0;
        foreach (byte digit in digits)
        {
            if (!char.IsAsciiHexDigit((char)digit))
            {
                return false;
            }

            value = (value << 4) | (uint)(char.IsAsciiDigit((char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return digits.Length is > 0 and <= GroupDigitsMax;
    }
}
