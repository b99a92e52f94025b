using System.Text;
using System.Text.RegularExpressions;
using RawPush.Protocol.Http;

namespace RawPush.Fuzz.References;

/// <summary>A request head read from a string with the grammar of RFC 9112 as expressions, and with the strictness that RawPush promises.</summary>
internal sealed partial class ReferenceHead(string text, RequestHeadLimits limits, bool declines)
{
    private readonly StringBuilder _heard = new();
    private int _at;
    private int _fields;
    private bool _hasSkippedLine;
    private HttpVersion? _version;   // set by the request line
    private bool _hasHost;

    public static HeadOutcome Read(byte[] wire, RequestHeadLimits limits, bool declines)
    {
        var reference = new ReferenceHead(Encoding.Latin1.GetString(wire), limits, declines);
        (HeadStatus Status, int Code)? decision;
        do
        {
            decision = reference.ReadLine();
        }
        while (decision is null);

        int consumed = decision.Value.Status == HeadStatus.Done ? reference._at : 0;
        return new HeadOutcome(decision.Value.Status, decision.Value.Code, consumed, reference._version is not null, reference._heard.ToString());
    }

    /// <summary>A host, not empty, and perhaps a port.</summary>
    public static bool IsHost(string text)
    {
        var match = HostPattern().Match(text);
        return match.Success && (!match.Groups["v6"].Success || ReferenceAddress.ReadIPv6(match.Groups["v6"].Value) is not null);
    }

    private (HeadStatus Status, int Code)? ReadLine()
    {
        int room = Math.Min(limits.LineBytesMax, limits.HeadBytesMax - _at);
        int lineFeed = text.IndexOf('\n', _at);
        if (lineFeed < 0 || lineFeed >= _at + room)
        {
            return text.Length < _at + room ? (HeadStatus.NeedMore, 0) : (HeadStatus.Refused, TooLargeCode());
        }

        string line = text[_at..(lineFeed + 1)];
        _at = lineFeed + 1;
        if (!line.EndsWith("\r\n", StringComparison.Ordinal))
        {
            return (HeadStatus.Refused, 400);
        }

        line = line[..^2];
        return _version is null ? OnRequestLine(line) : OnFieldLine(line);
    }

    // The URI is what is too long only while it is the line's limit that was passed.
    private int TooLargeCode() => _version is null && limits.LineBytesMax <= limits.HeadBytesMax - _at ? 414 : 431;

    private (HeadStatus Status, int Code)? OnRequestLine(string line)
    {
        if (line.Length == 0 && !_hasSkippedLine)
        {
            _hasSkippedLine = true;
            return null;
        }

        var match = RequestLinePattern().Match(line);
        if (!match.Success)
        {
            return (HeadStatus.Refused, 400);
        }

        string version = match.Groups["version"].Value;
        if (version is not ("1.0" or "1.1"))
        {
            return (HeadStatus.Refused, 505);
        }

        _version = version == "1.0" ? HttpVersion.Http10 : HttpVersion.Http11;
        _heard.Append(HeadOutcome.RequestLine(match.Groups["method"].Value, match.Groups["target"].Value, _version.Value));
        return declines ? (HeadStatus.Declined, 0) : null;
    }

    private (HeadStatus Status, int Code)? OnFieldLine(string line)
    {
        if (line.Length == 0)
        {
            return _version == HttpVersion.Http11 && !_hasHost ? (HeadStatus.Refused, 400) : (HeadStatus.Done, 0);
        }

        if (++_fields > limits.FieldsMax)
        {
            return (HeadStatus.Refused, 431);
        }

        var match = FieldLinePattern().Match(line);
        string name = match.Groups["name"].Value;
        string value = match.Groups["value"].Value.Trim(' ', '\t');
        bool isHost = name.Equals("host", StringComparison.OrdinalIgnoreCase);
        if (!match.Success || (isHost && (_hasHost || (value.Length > 0 && !IsHost(value)))))
        {
            return (HeadStatus.Refused, 400);
        }

        _hasHost |= isHost;
        _heard.Append(HeadOutcome.Field(name, value));
        return null;
    }

    [GeneratedRegex(@"^(?<method>[-!#$%&'*+.^_`|~0-9A-Za-z]+) (?<target>[\x21-\x7E]+) HTTP/(?<version>[0-9]\.[0-9])\z")]
    private static partial Regex RequestLinePattern();

    [GeneratedRegex(@"^(?<name>[-!#$%&'*+.^_`|~0-9A-Za-z]+):(?<value>[\t\x20-\x7E\x80-\xFF]*)\z")]
    private static partial Regex FieldLinePattern();

    // A name or bracketed address with an optional port. No comma: that would be two hosts that somebody folded.
    [GeneratedRegex(@"^(?:(?:[-A-Za-z0-9._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+|\[(?<v6>[^\]]+)\])(?::[0-9]*)?\z")]
    private static partial Regex HostPattern();
}
