using System.Text.RegularExpressions;
using RawPush.Protocol.Proxy;

namespace RawPush.Fuzz.References;

/// <summary>Lists of those that proxies forward for (RFC 7239, sections 4 and 6, and X-Forwarded-For), from strings.</summary>
/// <remarks>Only what follows a separator says whether it stands in quotes: what comes before it may have been written by somebody else.</remarks>
internal static partial class ReferenceForwarded
{
    /// <summary>The elements that are addresses, from the last one on, each with the length of what stands before it.</summary>
    public static IEnumerable<(HostAddress Address, int Before)> ReadAll(string list, bool isForwarded)
    {
        foreach (var (start, element) in Split(list, ',').Reverse().Where(part => part.Text.Length > 0))
        {
            if ((isForwarded ? ReadElement(element) : ReadNode(element)) is not { } address)
            {
                yield break;
            }

            yield return (address, Math.Max(start - 1, 0));
        }
    }

    private static HostAddress? ReadElement(string element)
    {
        string[] values = [.. Split(element, ';').Where(pair => pair.Text.StartsWith("for=", StringComparison.OrdinalIgnoreCase)).Select(pair => pair.Text[4..])];
        return values.Length == 1 ? ReadNode(values[0]) : null;
    }

    // Quotes may stand around each, and IPv6 without a port may do without brackets. A backslash is not undone: no address needs one.
    private static HostAddress? ReadNode(string text)
    {
        var node = Node().Match(text.Length > 1 && text[0] == '"' && text[^1] == '"' ? text[1..^1] : text);
        return node.Groups["v4"].Success ? ReferenceAddress.ReadIPv4(node.Groups["v4"].Value) : ReferenceAddress.ReadIPv6(node.Groups["v6"].Value);
    }

    /// <summary>Cuts at each separator behind which the quotes come in pairs, and trims.</summary>
    private static IEnumerable<(int Start, string Text)> Split(string text, char separator)
    {
        int[] quotes = [.. QuoteOrPair().Matches(text).Where(match => match.Value == "\"").Select(match => match.Index)];
        int start = 0;
        int passed = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            passed += passed < quotes.Length && quotes[passed] < i ? 1 : 0;
            if (i == text.Length || (text[i] == separator && (quotes.Length - passed) % 2 == 0))
            {
                yield return (start, text[start..i].Trim(' ', '\t'));
                start = i + 1;
            }
        }
    }

    [GeneratedRegex(@"\\.|""", RegexOptions.Singleline)]
    private static partial Regex QuoteOrPair();

    [GeneratedRegex(@"^(?:(?<v4>[0-9.]+)(?<port>:(?:[0-9]{1,5}|_[-._0-9A-Za-z]+))?|\[(?<v6>[^\]]+)\](?<port>:(?:[0-9]{1,5}|_[-._0-9A-Za-z]+))?|(?<v6>[0-9A-Fa-f:.]+))\z")]
    private static partial Regex Node();
}
