using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fuzz.References;
using RawPush.Protocol.Http;
using RawPush.Server.Requests;

namespace RawPush.Fuzz.Targets;

/// <summary>Names and patterns as they stand in a URL: decoded, judged and compared as <see cref="ReferenceChannels"/> does.</summary>
/// <remarks>Input: two of them, with a line feed between.</remarks>
internal static class AddressOracle
{
    public static void Run(byte[] input)
    {
        int lineFeed = Array.IndexOf(input, (byte)'\n');
        var left = Read(lineFeed < 0 ? input : input[..lineFeed]);
        var right = Read(lineFeed < 0 ? [] : input[(lineFeed + 1)..]);
        if (left is { } one && right is { } other)
        {
            Compare(one, other);
            Compare(other, one);
        }
    }

    private static void Compare(ChannelFilter one, ChannelFilter other)
    {
        bool covers = ReferenceChannels.Covers(one.Value, other.Value);
        Oracle.Same(covers, one.Covers(other), $"{one} covers {other}");
        if (!other.IsPattern)
        {
            Oracle.Same(covers, one.Matches(ChannelName.Parse(other.Value)), $"{one} matches {other}");
        }
    }

    private static ChannelFilter? Read(byte[] encoded)
    {
        byte[]? decoded = ReferenceChannels.Decode(encoded);
        AssertDecodes(encoded, decoded);
        string? text = decoded is not null && encoded.Length <= 3 * ChannelName.BytesMax && ReferenceUtf8.Judge(decoded) == Utf8Verdict.Whole
            ? Encoding.UTF8.GetString(decoded)
            : null;
        bool isName = text is not null && ReferenceChannels.IsName(text);
        bool isFilter = text is not null && ReferenceChannels.IsFilter(text);

        Oracle.Same(isName, ChannelAddress.TryReadName(encoded, out var name, out string nameError), "a name in an address");
        Oracle.Same(isFilter, ChannelAddress.TryReadFilter(encoded, out var filter, out string filterError), "a filter in an address");
        Oracle.Holds(isName || nameError.Length > 0, "a name was refused without a reason");
        Oracle.Holds(isFilter || filterError.Length > 0, "a filter was refused without a reason");
        Oracle.Same(isName ? text : "", name.Value, "the name");
        Oracle.Same(isFilter ? text : "", filter.Value, "the filter");
        Oracle.Same(isFilter && !isName, filter.IsPattern, "a filter is a name or a pattern");
        return isFilter ? filter : null;
    }

    private static void AssertDecodes(byte[] encoded, byte[]? decoded)
    {
        var apart = new byte[encoded.Length];
        Oracle.Same(decoded is not null, PercentEncoding.TryDecode(encoded, apart, out int length), "the percent-encoding");
        Oracle.SameBytes(decoded, apart.AsSpan(0, length), "decoded");

        byte[] inPlace = [.. encoded];
        PercentEncoding.TryDecode(inPlace, inPlace, out length);
        Oracle.SameBytes(decoded, inPlace.AsSpan(0, length), "decoded in place");
    }
}
