using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using RawPush.Protocol;
using RawPush.Protocol.Proxy;

namespace RawPush.Fuzz.References;

/// <summary>Version 1 of the PROXY protocol (section 2.1 of its specification), a byte at a time: each makes the line impossible, or complete, or neither.</summary>
internal sealed partial class ReferenceProxyLine
{
    private const int BytesMax = 107;

    private static readonly string[] Families = ["TCP4", "TCP6", "UNKNOWN"];

    private readonly List<string> _fields = [];
    private string _field = "";   // the one that is not finished
    private bool _isAtLineFeed;

    private bool IsUnknown => _fields is [_, "UNKNOWN", ..];

    private bool IsIPv4 => _fields[1] == "TCP4";

    public static ProxyHeaderOutcome Read(byte[] wire)
    {
        var reference = new ReferenceProxyLine();
        int length = 0;
        foreach (char c in Encoding.Latin1.GetString(wire))
        {
            length++;
            var status = reference.Take(c);
            if (status == ReadStatus.Done)
            {
                return ProxyHeaderOutcome.Done(reference.Header(length));
            }

            if (status == ReadStatus.Violation || length == BytesMax)
            {
                return ProxyHeaderOutcome.Violation(length);
            }
        }

        return ProxyHeaderOutcome.NeedMore;
    }

    private ProxyHeader Header(int length) => IsUnknown
        ? new ProxyHeader(length, null, 0)
        : new ProxyHeader(length, ReadAddress(_fields[2]), ushort.Parse(_fields[4], CultureInfo.InvariantCulture));

    private ReadStatus Take(char c)
    {
        if (_isAtLineFeed)
        {
            return c == '\n' ? ReadStatus.Done : ReadStatus.Violation;
        }

        if (c is ' ' or '\r')
        {
            return EndField(isLine: c == '\r') ? ReadStatus.NeedMore : ReadStatus.Violation;
        }

        _field += c;
        return MayBeginField() ? ReadStatus.NeedMore : ReadStatus.Violation;
    }

    private bool EndField(bool isLine)
    {
        bool isGood = IsUnknown || _fields.Count switch
        {
            0 => _field == "PROXY" && !isLine,
            1 => _field == "UNKNOWN" || (Families.Contains(_field) && !isLine),
            2 or 3 => ReadAddress(_field) is not null && !isLine,
            4 => IsPort() && !isLine,
            _ => IsPort() && isLine,
        };
        _isAtLineFeed = isLine;
        _fields.Add(_field);
        _field = "";
        return isGood;
    }

    // What stands behind UNKNOWN is not looked at, but it is a line.
    private bool MayBeginField() => IsUnknown ? _field[^1] != '\n' : _fields.Count switch
    {
        0 => "PROXY".StartsWith(_field, StringComparison.Ordinal),
        1 => Families.Any(family => family.StartsWith(_field, StringComparison.Ordinal)),
        2 or 3 => (IsIPv4 ? IPv4Bytes() : IPv6Bytes()).IsMatch(_field),
        _ => PortBytes().IsMatch(_field),
    };

    private HostAddress? ReadAddress(string text) => IsIPv4 ? ReferenceAddress.ReadIPv4(text) : ReferenceAddress.ReadIPv6(text);

    private bool IsPort() => PortBytes().IsMatch(_field) && (_field == "0" || _field[0] != '0') && int.Parse(_field, CultureInfo.InvariantCulture) <= ushort.MaxValue;

    [GeneratedRegex(@"^[0-9.]{1,15}\z")]
    private static partial Regex IPv4Bytes();

    // The longest there is ends in an IPv4 address.
    [GeneratedRegex(@"^[0-9A-Fa-f:.]{1,45}\z")]
    private static partial Regex IPv6Bytes();

    [GeneratedRegex(@"^[0-9]{1,5}\z")]
    private static partial Regex PortBytes();
}
