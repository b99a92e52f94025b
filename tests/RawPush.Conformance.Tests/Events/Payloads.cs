using System.Text;

namespace RawPush.Conformance.Tests.Events;

/// <summary>Texts that are hard to carry line by line.</summary>
internal static class Payloads
{
    private static readonly string[] Pieces =
    [
        "\n", "\r", "\r\n", "\n\r", "\n\n", "\r\r", " ", "  ", "\t", ":", ": ", "data", "data: x", "id: 7", "id", "event: y", "retry: 1", "\uFEFF", "\0",
        "\uFFFE", "\uFFFF", "\U0001FFFF", "\uFDD0", "\u2028", "\u2029", "\u0085", "\v", "\f", "\u001B", "\u007F", "\"", "\\", "\\n", "{}", "</script>", "a", "bc", "é", "中", "😀",
    ];

    /// <summary>Each with its number in the suite.</summary>
    public static readonly (string Number, string Says, string Text)[] Named =
    [
        ("3.1", "nothing", string.Empty),
        ("3.2", "a space", " "),
        ("3.3", "leading and trailing spaces", "  x  "),
        ("3.4", "a tab", "\t"),
        ("3.5", "a colon", ":"),
        ("3.6", "what looks like a comment", ": x"),
        ("3.7", "what looks like a field", "data: x"),
        ("3.8", "what looks like an id", "id: 7"),
        ("3.9", "what looks like a retry", "retry: 1"),
        ("3.10", "LF", "\n"),
        ("3.11", "CR", "\r"),
        ("3.12", "CR LF", "\r\n"),
        ("3.13", "LF CR", "\n\r"),
        ("3.14", "LF LF", "\n\n"),
        ("3.15", "CR CR", "\r\r"),
        ("3.16", "CR LF CR LF", "\r\n\r\n"),
        ("3.17", "CR CR LF LF", "\r\r\n\n"),
        ("3.18", "lines by LF", "a\nb"),
        ("3.19", "lines by CR", "a\rb"),
        ("3.20", "lines by CR LF", "a\r\nb"),
        ("3.21", "lines by LF CR", "a\n\rb"),
        ("3.22", "a line end behind", "a\n"),
        ("3.23", "a CR behind", "a\r"),
        ("3.24", "a CR LF behind", "a\r\n"),
        ("3.25", "a line end before", "\na"),
        ("3.26", "another event", "a\n\nevent: forged\nid: 9\ndata: b\n\n"),
        ("3.27", "a byte order mark", "\uFEFF"),
        ("3.28", "byte order marks before lines", "\uFEFFa\n\uFEFFb"),
        ("3.29", "NUL", "a\0b"),
        ("3.30", "non-characters", "\uFFFE\uFFFF\U0001FFFF\uFDD0"),
        ("3.31", "line ends of Unicode, which are none here", "a\u2028b\u2029c\u0085d"),
        ("3.32", "controls", "\u0001\v\f\u001B\u007F"),
        ("3.33", "text beyond ASCII", "grüße 中文 😀"),
        ("3.34", "quotes and backslashes", "\"\\\"\\\\n\\u0000"),
        ("3.35", "a thousand empty lines", new string('\n', 1000)),
        ("3.36", "the longest message, on one line", new string('x', 1024 * 1024)),
        ("3.37", "the longest message, nothing but line ends", new string('\n', 1024 * 1024)),
        ("3.38", "the longest message, of three-byte characters", new string('中', 1024 * 1024 / 3)),
    ];

    /// <summary>So many texts, always the same for a seed.</summary>
    public static string[] Random(int seed, int count)
    {
        var random = new Random(seed);
        string[] texts = new string[count];
        for (int i = 0; i < count; i++)
        {
            var text = new StringBuilder();
            for (int pieces = random.Next(12); pieces > 0; pieces--)
            {
                text.Append(Pieces[random.Next(Pieces.Length)]);
            }

            texts[i] = text.ToString();
        }

        return texts;
    }

    /// <summary>What an EventSource sees of a text: line ends of every kind as LF (docs/http-api.md).</summary>
    public static string AsSeenByEventSource(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
}
