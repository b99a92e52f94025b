namespace RawPush.Conformance.Tests.Http;

/// <summary>1. Request lines (RFC 9112, sections 2.2, 2.3 and 3).</summary>
internal static class RequestLineCases
{
    public static IEnumerable<HeadCase> All => [.. Forms, .. Versions, .. Separators, .. EmptyLines, .. Methods, .. Targets];

    private static HeadCase[] Forms =>
    [
        HeadCase.OfLine("1.1.1", "9112, 3.2.1", "The origin-form is served", "GET {0} HTTP/1.1"),
        HeadCase.OfLine("1.1.2", "9112, 3.2.2", "A server accepts the absolute-form", "GET http://h{0} HTTP/1.1"),
        HeadCase.OfLine("1.1.3", "9112, 3.2.2", "The absolute-form may be https", "GET https://h{0} HTTP/1.1"),
        HeadCase.OfLine("1.1.4", "9110, 4.2.3", "A scheme has no case", "GET hTTp://h{0} HTTP/1.1"),
        HeadCase.OfLine("1.1.5", "9112, 3.2.2", "The absolute-form may have a port", "GET http://h:8080{0} HTTP/1.1"),
        HeadCase.OfLine("1.1.6", "9112, 3.2.2", "The absolute-form may have an IPv6 address", "GET http://[::1]:8080{0} HTTP/1.1"),
        HeadCase.OfLine("1.1.7", "9112, 3.2.2", "The authority of the target counts and Host does not, should they differ", "GET http://other{0} HTTP/1.1"),
        HeadCase.OfHost("1.1.8", "9112, 3.2", "A Host may be empty", "Host:\r\n"),
        new("1.1.9", "9112, 3.2.2", "The absolute-form needs no Host in HTTP/1.0", (target, fields) => $"GET http://h{target} HTTP/1.0\r\n{fields}\r\n"),
        HeadCase.OfLine("1.1.10", "9112, 3.2.1", "A query is part of the origin-form", "GET {0}?x=1&y HTTP/1.1"),
        HeadCase.OfLine("1.1.11", "9112, 3.2.1", "A query may be empty", "GET {0}? HTTP/1.1"),
    ];

    private static HeadCase[] Versions =>
    [
        HeadCase.OfLine("1.2.1", "9112, 2.3", "HTTP/1.0 is spoken", "GET {0} HTTP/1.0"),
        HeadCase.OfLine("1.2.2", "9110, 15.6.6", "HTTP/0.9 is not spoken", "GET {0} HTTP/0.9", 505),
        HeadCase.OfLine("1.2.3", "9110, 15.6.6", "A later HTTP/1 may be refused", "GET {0} HTTP/1.2", 505),
        HeadCase.OfLine("1.2.4", "9110, 15.6.6", "HTTP/2 is not spoken in a request line", "GET {0} HTTP/2.0", 505),
        HeadCase.OfLine("1.2.5", "9110, 15.6.6", "HTTP/3 is not spoken in a request line", "GET {0} HTTP/3.0", 505),
        HeadCase.OfLine("1.2.6", "9112, 3", "A line without a version is not one", "GET {0}", 400),
        HeadCase.OfLine("1.2.7", "9112, 3", "A version may not be empty", "GET {0} ", 400),
        HeadCase.OfLine("1.2.8", "9112, 2.3", "The name of the protocol has a case", "GET {0} http/1.1", 400),
        HeadCase.OfLine("1.2.9", "9112, 2.3", "The name of the protocol has one case", "GET {0} Http/1.1", 400),
        HeadCase.OfLine("1.2.10", "9112, 2.3", "A version has two digits", "GET {0} HTTP/1", 400),
        HeadCase.OfLine("1.2.11", "9112, 2.3", "A version has two digits and no more", "GET {0} HTTP/1.10", 400),
        HeadCase.OfLine("1.2.12", "9112, 2.3", "A version has no leading zero", "GET {0} HTTP/01.1", 400),
        HeadCase.OfLine("1.2.13", "9112, 2.3", "There is a dot between the digits", "GET {0} HTTP/1,1", 400),
        HeadCase.OfLine("1.2.14", "9112, 2.3", "There is a slash before the digits", "GET {0} HTTP-1.1", 400),
        HeadCase.OfLine("1.2.15", "9112, 2.3", "Another protocol is not this one", "GET {0} HTTPS/1.1", 400),
        HeadCase.OfLine("1.2.16", "9112, 2.3", "A version is made of digits", "GET {0} HTTP/1.x", 400),
        HeadCase.OfLine("1.2.17", "9112, 2.3", "A version is positive", "GET {0} HTTP/-1.1", 400),
    ];

    private static HeadCase[] Separators =>
    [
        HeadCase.OfLine("1.3.1", "9112, 3", "One space follows the method", "GET  {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.3.2", "9112, 3", "One space follows the target", "GET {0}  HTTP/1.1", 400),
        HeadCase.OfLine("1.3.3", "9112, 3", "No space follows the version", "GET {0} HTTP/1.1 ", 400),
        HeadCase.OfLine("1.3.4", "9112, 3", "No space precedes the method", " GET {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.3.5", "9112, 3", "A tab is no space behind the method", "GET\t{0} HTTP/1.1", 400),
        HeadCase.OfLine("1.3.6", "9112, 3", "A tab is no space behind the target", "GET {0}\tHTTP/1.1", 400),
        HeadCase.OfLine("1.3.7", "9112, 3", "A vertical tab is no space", "GET {0}\vHTTP/1.1", 400),
        HeadCase.OfLine("1.3.8", "9112, 3", "A form feed is no space", "GET {0}\fHTTP/1.1", 400),
        HeadCase.OfLine("1.3.9", "9112, 3", "A CR is no space", "GET {0}\rHTTP/1.1", 400),
        HeadCase.OfLine("1.3.10", "9112, 3", "A no-break space is no space", "GET {0}\u00A0HTTP/1.1", 400),
        HeadCase.OfLine("1.3.11", "9112, 3.2", "A target holds no space", "GET {0} x HTTP/1.1", 400),
        HeadCase.OfLine("1.3.12", "9112, 3", "No tab follows the version", "GET {0} HTTP/1.1\t", 400),
        new("1.3.13", "9112, 2.2", "A bare LF does not end the request line", (target, fields) => $"GET {target} HTTP/1.1\nHost: h\r\n{fields}\r\n", 400),
        new("1.3.14", "9112, 2.2", "A bare CR does not end the request line", (target, fields) => $"GET {target} HTTP/1.1\rHost: h\r\n{fields}\r\n", 400),
        new("1.3.15", "9112, 2.2", "CR CR LF does not end the request line", (target, fields) => $"GET {target} HTTP/1.1\r\r\nHost: h\r\n{fields}\r\n", 400),
    ];

    private static HeadCase[] EmptyLines =>
    [
        HeadCase.OfLine("1.4.1", "9112, 2.2", "One empty line before the request line is ignored", "\r\nGET {0} HTTP/1.1"),
        HeadCase.OfLine("1.4.2", "9112, 2.2", "A bare LF before the request line is no empty line", "\nGET {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.4.3", "9112, 2.2", "A bare CR before the request line is no empty line", "\rGET {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.4.4", "9112, 2.2", "A line with a space is not empty", " \r\nGET {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.4.5", "9112, 2.2", "Of two empty lines the second is refused, at once", "\r\n\r\nGET {0} HTTP/1.1", 400),
    ];

    private static HeadCase[] Methods =>
    [
        HeadCase.OfLine("1.5.1", "9110, 9.1", "A method is a token: no parenthesis", "G(T {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.5.2", "9110, 9.1", "A method is a token: no colon", "GET: {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.5.3", "9110, 9.1", "A method is a token: no NUL", "G\0T {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.5.4", "9110, 9.1", "A method is a token: no byte beyond ASCII", "G\u00C9T {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.5.5", "9110, 9.1", "A method is a token: no quotes", "\"GET\" {0} HTTP/1.1", 400),
        HeadCase.OfLine("1.5.6", "9110, 9.1", "A method is not empty", " {0} HTTP/1.1", 400),
    ];

    private static HeadCase[] Targets =>
    [
        HeadCase.OfLine("1.6.1", "9112, 3.2", "A target holds no NUL", "GET {0}?\0 HTTP/1.1", 400),
        HeadCase.OfLine("1.6.2", "9112, 3.2", "A target holds no control character", "GET {0}?\u0001 HTTP/1.1", 400),
        HeadCase.OfLine("1.6.3", "9112, 3.2", "A target holds no DEL", "GET {0}?\u007F HTTP/1.1", 400),
        HeadCase.OfLine("1.6.4", "9112, 3.2", "A target holds no byte beyond ASCII", "GET {0}?\u00E9 HTTP/1.1", 400),
        HeadCase.OfLine("1.6.5", "9112, 3.2", "A target holds no tab", "GET {0}?\t HTTP/1.1", 400),
        HeadCase.OfLine("1.6.6", "9112, 3.2", "A target is not empty", "GET  HTTP/1.1", 400),
        HeadCase.OfLine("1.6.7", "9112, 3.2", "A target holds no CR", "GET {0}?\rx HTTP/1.1", 400),
    ];
}
