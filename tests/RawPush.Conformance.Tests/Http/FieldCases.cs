namespace RawPush.Conformance.Tests.Http;

/// <summary>3. Field lines (RFC 9112, sections 2.2 and 5; RFC 9110, sections 5.1, 5.5 and 5.6).</summary>
internal static class FieldCases
{
    public static IEnumerable<HeadCase> All => [.. Names, .. Values, .. Controls, .. LineEnds, .. Folds];

    private static HeadCase[] Names =>
    [
        HeadCase.OfFields("3.1.1", "9110, 5.1", "An unknown field is ignored", "X-Unknown: y\r\n"),
        HeadCase.OfFields("3.1.2", "9110, 5.6.2", "A name may hold every byte of a token", "!#$%&'*+-.^_`|~09azAZ: y\r\n"),
        HeadCase.OfFields("3.1.3", "9110, 5.3", "A field may come twice", "X: y\r\nX: z\r\n"),
        HeadCase.OfFields("3.1.4", "9112, 5.1", "No space stands before the colon", "X : y\r\n", 400),
        HeadCase.OfFields("3.1.5", "9112, 5.1", "No tab stands before the colon", "X\t: y\r\n", 400),
        HeadCase.OfFields("3.1.6", "9110, 5.1", "No vertical tab stands before the colon", "X\v: y\r\n", 400),
        HeadCase.OfFields("3.1.7", "9110, 5.1", "A name is not empty", ": y\r\n", 400),
        HeadCase.OfFields("3.1.8", "9110, 5.1", "A colon alone is no field", ":\r\n", 400),
        HeadCase.OfFields("3.1.9", "9112, 5", "A field has a colon", "X\r\n", 400),
        HeadCase.OfFields("3.1.10", "9112, 5", "A field has a colon, however many words it has", "X y\r\n", 400),
        HeadCase.OfFields("3.1.11", "9110, 5.1", "A name holds no space", "X y: z\r\n", 400),
        HeadCase.OfFields("3.1.12", "9110, 5.1", "A name holds no parenthesis", "X(y): z\r\n", 400),
        HeadCase.OfFields("3.1.13", "9110, 5.1", "A name holds no quotes", "\"X\": z\r\n", 400),
        HeadCase.OfFields("3.1.14", "9110, 5.1", "A name holds no NUL", "X\0: z\r\n", 400),
        HeadCase.OfFields("3.1.15", "9110, 5.1", "A name holds no byte beyond ASCII", "\u00C9: z\r\n", 400),
        HeadCase.OfFields("3.1.16", "9110, 5.1", "A name holds no slash", "X/Y: z\r\n", 400),
        HeadCase.OfFields("3.1.17", "9110, 5.1", "A name holds no at sign", "X@Y: z\r\n", 400),
        HeadCase.OfFields("3.1.18", "9112, 5.1", "A name that frames bodies is one with its colon alone", "Transfer-Encoding : chunked\r\n", 400),
        HeadCase.OfFields("3.1.19", "9110, 5.1", "A name is not preceded by a control character", "\vTransfer-Encoding: chunked\r\n", 400),
        HeadCase.OfFields("3.1.20", "9110, 5.1", "Names that only look like those that frame bodies mean nothing", "Transfer_Encoding: chunked\r\nContent_Length: 5\r\n"),
    ];

    private static HeadCase[] Values =>
    [
        HeadCase.OfFields("3.2.1", "9110, 5.5", "A value may be empty", "X:\r\n"),
        HeadCase.OfFields("3.2.2", "9112, 5.1", "White space around a value may be left out", "X:y\r\n"),
        HeadCase.OfFields("3.2.3", "9112, 5.1", "White space around a value may be long", "X: \t  \t y \t  \r\n"),
        HeadCase.OfFields("3.2.4", "9112, 5.1", "A value may be nothing but white space", "X: \t \r\n"),
        HeadCase.OfFields("3.2.5", "9110, 5.5", "A value may hold a tab", "X: y\tz\r\n"),
        HeadCase.OfFields("3.2.6", "9110, 5.5", "A value may hold colons", "X: y:z:\r\n"),
        HeadCase.OfFields("3.2.7", "9110, 5.5", "A value may hold text beyond ASCII", "X: \u00C3\u00A9\r\n"),
        HeadCase.OfFields("3.2.8", "9110, 5.6.4", "A value may hold quotes that are not closed", "X: \"y\r\n"),
        HeadCase.OfFields("3.2.9", "9110, 5.5", "A value may hold anything visible", "X: !\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~\r\n"),
    ];

    private static IEnumerable<HeadCase> Controls => Enumerable.Range(0, 128)
        .Where(value => (value < 0x20 && value is not ('\t' or '\n' or '\r')) || value == 0x7F)
        .Select((value, i) => HeadCase.OfFields($"3.3.{i + 1}", "9110, 5.5", $"A value holds no 0x{value:X2}", $"X: y{(char)value}z\r\n", 400));

    private static HeadCase[] LineEnds =>
    [
        HeadCase.OfFields("3.4.1", "9112, 2.2", "A bare LF does not end a field", "X: y\n", 400),
        HeadCase.OfFields("3.4.2", "9112, 2.2", "A bare CR does not end a field", "X: y\rZ: z\r\n", 400),
        HeadCase.OfFields("3.4.3", "9112, 2.2", "CR CR LF does not end a field", "X: y\r\r\n", 400),
        HeadCase.OfFields("3.4.4", "9112, 2.2", "LF CR does not end a field", "X: y\n\r", 400),
        HeadCase.OfFields("3.4.5", "9112, 2.2", "A bare CR stands in no name", "X\rY: z\r\n", 400),
        HeadCase.OfFields("3.4.6", "9112, 2.2", "A bare LF does not end the head", "\n", 400),
        HeadCase.OfFields("3.4.7", "9112, 2.2", "A bare CR does not end the head", "\r\r\n", 400),
        HeadCase.OfFields("3.4.8", "9110, 5.5", "A bare CR at the start of a value is no white space", "X: \ry\r\n", 400),
        HeadCase.OfFields("3.4.9", "9112, 2.2", "A bare CR hides no field", "X: y\rTransfer-Encoding: chunked\r\n", 400),
    ];

    private static HeadCase[] Folds =>
    [
        HeadCase.OfHost("3.5.1", "9112, 2.2", "No white space stands between the request line and the first field", " Host: h\r\n", 400),
        HeadCase.OfFields("3.5.2", "9112, 5.2", "A folded line is refused", "X: y\r\n z\r\n", 400),
        HeadCase.OfFields("3.5.3", "9112, 5.2", "A line that is folded with a tab is refused", "X: y\r\n\tz\r\n", 400),
        HeadCase.OfFields("3.5.4", "9112, 5.2", "A line of white space is folded, too", "X: y\r\n \r\n", 400),
        HeadCase.OfFields("3.5.5", "9112, 5.2", "A folded line is refused though it looks like a field", "X: y\r\n Z: z\r\n", 400),
        HeadCase.OfFields("3.5.6", "9112, 5.2", "A folded line does not hide how a body is framed", "Transfer-Encoding:\r\n chunked\r\n", 400),
    ];
}
