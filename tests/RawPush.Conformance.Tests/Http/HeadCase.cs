namespace RawPush.Conformance.Tests.Http;

/// <summary>A request head, and what a server makes of it.</summary>
/// <param name="Number">Its number in the suite.</param>
/// <param name="Section">Where the rule is written.</param>
/// <param name="Says">The rule, as a sentence.</param>
/// <param name="Wire">The head, from a target and the field lines that a route needs.</param>
/// <param name="Status">The status it is refused with; 0 if it is valid.</param>
internal sealed record HeadCase(string Number, string Section, string Says, Func<string, string, string> Wire, int Status = 0)
{
    private const string RequestLine = "GET {0} HTTP/1.1";

    /// <summary>If it is refused, the request line is why.</summary>
    public bool IsAboutRequestLine => Number.StartsWith("1.", StringComparison.Ordinal) || Status == 414;

    /// <summary>A request line, with <c>{0}</c> for the target, before a good Host field.</summary>
    public static HeadCase OfLine(string number, string section, string says, string line, int status = 0) =>
        new(number, section, says, (target, fields) => $"{line.Replace("{0}", target, StringComparison.Ordinal)}\r\nHost: h\r\n{fields}\r\n", status);

    /// <summary>What stands between a good request line and the route's fields; no Host but its own.</summary>
    public static HeadCase OfHost(string number, string section, string says, string lines, int status = 0) =>
        new(number, section, says, (target, fields) => $"{RequestLine.Replace("{0}", target, StringComparison.Ordinal)}\r\n{lines}{fields}\r\n", status);

    /// <summary>Field lines, each with its end, behind a good Host field.</summary>
    public static HeadCase OfFields(string number, string section, string says, string lines, int status = 0) =>
        OfHost(number, section, says, "Host: h\r\n" + lines, status);

    public override string ToString() => $"{Number} {Says} ({Section})";
}
