namespace RawPush.Conformance.Tests.Http;

/// <summary>4. How much a head may be (RFC 9112, section 3; RFC 9110, sections 5.4 and 15.5.15; RFC 6585, section 5).</summary>
internal static class LimitCases
{
    private const int LineBytesMax = 8192;
    private const int HeadBytesMax = 32 * 1024;
    private const int FieldsMax = 100;

    public static IEnumerable<HeadCase> All =>
    [
        new("4.1", "9112, 3", "A request line of 8,000 bytes is served", (target, fields) => WithLineOf(8000, target, fields)),
        new("4.2", "9112, 3", "A request line of 8,192 bytes with its end is served", (target, fields) => WithLineOf(LineBytesMax - 2, target, fields)),
        new("4.3", "9110, 15.5.15", "A longer request line is 414", (target, fields) => WithLineOf(LineBytesMax - 1, target, fields), 414),
        new("4.4", "9110, 15.5.15", "A much longer request line is 414", (target, fields) => WithLineOf(30_000, target, fields), 414),
        new("4.5", "9110, 5.4", "A field of 8,192 bytes with its end is served", (target, fields) => WithFieldOf(LineBytesMax, target, fields)),
        new("4.6", "6585, 5", "A longer field is 431", (target, fields) => WithFieldOf(LineBytesMax + 1, target, fields), 431),
        new("4.7", "9110, 5.4", "A hundred fields are served", (target, fields) => WithFields(FieldsMax, target, fields)),
        new("4.8", "6585, 5", "One field more is 431", (target, fields) => WithFields(FieldsMax + 1, target, fields), 431),
        new("4.9", "6585, 5", "A flood of short fields is 431", (target, fields) => WithFields(2000, target, fields), 431),
        new("4.10", "9110, 5.4", "A head of 32 KiB is served", (target, fields) => WithHeadOf(HeadBytesMax, target, fields)),
        new("4.11", "6585, 5", "A head of one byte more is 431", (target, fields) => WithHeadOf(HeadBytesMax + 1, target, fields), 431),
        new("4.12", "6585, 5", "A flood of long fields is 431", (target, fields) => WithHeadOf(60_000, target, fields), 431),
    ];

    private static string WithLineOf(int bytes, string target, string fields)
    {
        string start = $"GET {target}?x=";
        const string End = " HTTP/1.1";
        return $"{start}{new string('y', bytes - start.Length - End.Length)}{End}\r\nHost: h\r\n{fields}\r\n";
    }

    private static string WithFieldOf(int bytes, string target, string fields) =>
        $"GET {target} HTTP/1.1\r\nHost: h\r\n{fields}X: {new string('y', bytes - "X: \r\n".Length)}\r\n\r\n";

    private static string WithFields(int count, string target, string fields) =>
        $"GET {target} HTTP/1.1\r\nHost: h\r\n{fields}{string.Concat(Enumerable.Repeat("X: y\r\n", count - 1 - LinesIn(fields)))}\r\n";

    private static string WithHeadOf(int bytes, string target, string fields)
    {
        string start = $"GET {target} HTTP/1.1\r\nHost: h\r\n{fields}";
        int left = bytes - start.Length - 2;
        var rest = new System.Text.StringBuilder();
        while (left > 0)
        {
            // No piece may be shorter than a field.
            int piece = left >= 2000 ? 1000 : left;
            rest.Append("X: ").Append('y', piece - "X: \r\n".Length).Append("\r\n");
            left -= piece;
        }

        return $"{start}{rest}\r\n";
    }

    private static int LinesIn(string fields) => fields.Count(c => c == '\n');
}
