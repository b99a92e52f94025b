using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Http;

/// <summary>6. Bodies, and requests that hide in them (RFC 9112, sections 6 and 11.2; RFC 9110, section 8.6).</summary>
public sealed class FramingTests(HttpHost http) : IClassFixture<HttpHost>
{
    private const string Smuggled = "POST /channels/kept.smuggled HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nevil";
    private const string Hidden = "GET /channels/kept.hidden HTTP/1.1\r\nHost: h\r\n\r\n";

    private static readonly (string Number, string Says, string Fields)[] Bad =
    [
        ("6.1.1", "A subscription has no body", "Content-Length: 5\r\n"),
        ("6.1.2", "A length is a number: not empty", "Content-Length:\r\n"),
        ("6.1.3", "A length is a number: no sign", "Content-Length: +0\r\n"),
        ("6.1.4", "A length is not negative", "Content-Length: -1\r\n"),
        ("6.1.5", "A length is not a negative zero", "Content-Length: -0\r\n"),
        ("6.1.6", "A length is decimal", "Content-Length: 0x0\r\n"),
        ("6.1.7", "A length has no exponent", "Content-Length: 1e1\r\n"),
        ("6.1.8", "A length has no fraction", "Content-Length: 0.0\r\n"),
        ("6.1.9", "A length is not beyond all numbers", "Content-Length: 99999999999999999999\r\n"),
        ("6.1.10", "A length that wraps round to zero is not zero", "Content-Length: 18446744073709551616\r\n"),
        ("6.1.11", "Lengths that differ are refused", "Content-Length: 0\r\nContent-Length: 44\r\n"),
        ("6.1.12", "Lengths that differ are refused in either order", "Content-Length: 44\r\nContent-Length: 0\r\n"),
        ("6.1.13", "A list of lengths that differ is refused", "Content-Length: 0, 44\r\n"),
        ("6.1.14", "A length is made of ASCII digits", "Content-Length: \u00D9\u00A0\r\n"),
        ("6.1.15", "A length has no words", "Content-Length: zero\r\n"),
        ("6.1.16", "A length holds no white space", "Content-Length: 0 0\r\n"),
        ("6.2.1", "A chunked body is a body", "Transfer-Encoding: chunked\r\n"),
        ("6.2.2", "A coding has no case", "Transfer-Encoding: cHuNkEd\r\n"),
        ("6.2.3", "A length beside a coding is refused", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
        ("6.2.4", "A coding beside a length is refused", "Transfer-Encoding: chunked\r\nContent-Length: 44\r\n"),
        ("6.2.5", "An unknown coding is refused", "Transfer-Encoding: x\r\n"),
        ("6.2.6", "The coding identity is none any more", "Transfer-Encoding: identity\r\n"),
        ("6.2.7", "Chunked is the last coding", "Transfer-Encoding: chunked, identity\r\n"),
        ("6.2.8", "Chunked is the last coding of several fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
        ("6.2.9", "Codings may be several, and are a body all the same", "Transfer-Encoding: gzip, chunked\r\n"),
        ("6.2.10", "Chunked is not applied twice", "Transfer-Encoding: chunked, chunked\r\n"),
        ("6.2.11", "A coding that only holds the word is not chunked", "Transfer-Encoding: xchunked\r\n"),
        ("6.2.12", "A coding in quotes is not chunked", "Transfer-Encoding: \"chunked\"\r\n"),
        ("6.2.13", "White space before the colon hides no coding", "Transfer-Encoding : chunked\r\n"),
        ("6.2.14", "A vertical tab hides no coding", "Transfer-Encoding: \vchunked\r\n"),
        ("6.2.15", "A NUL hides no coding", "Transfer-Encoding: chunked\0\r\n"),
        ("6.2.16", "Folding hides no coding", "Transfer-Encoding:\r\n chunked\r\n"),
        ("6.2.17", "A bare LF hides no coding", "X: y\nTransfer-Encoding: chunked\r\n"),
        ("6.2.18", "A bare CR hides no coding", "X: y\rTransfer-Encoding: chunked\r\n"),
        ("6.2.19", "A list with empty elements is a coding", "Transfer-Encoding: , chunked\r\n"),
        ("6.2.20", "A tab before the value hides no coding", "Transfer-Encoding:\tchunked\r\n"),
        ("6.2.21", "A name in odd case hides no coding", "tRANSFER-eNCODING: chunked\r\n"),
        ("6.2.22", "A control before the name hides no coding", "\u0001Transfer-Encoding: chunked\r\n"),
        ("6.2.23", "An expectation changes nothing about a body that is not wanted", "Content-Length: 5\r\nExpect: 100-continue\r\n"),
    ];

    // Kestrel's HTTP server reads these as no body; there is then no second reader who could differ.
    private static readonly string[] TakenByKestrel = ["Content-Length: +0\r\n", "Content-Length: -0\r\n", "\u0001Transfer-Encoding: chunked\r\n"];

    private static readonly (string Number, string Says, string Fields)[] Good =
    [
        ("6.3.1", "A body of no length is none", "Content-Length: 0\r\n"),
        ("6.3.2", "White space around the length does not belong to it", "Content-Length: \t0 \r\n"),
        ("6.3.3", "A name that only looks like the length means nothing", "Content_Length: 5\r\n"),
        ("6.3.4", "A name that only begins like the coding means nothing", "Transfer-Encodings: chunked\r\n"),
        ("6.3.5", "TE says what the client takes, and frames nothing", "TE: trailers\r\n"),
        ("6.3.6", "Trailer frames nothing", "Trailer: X\r\n"),
        ("6.3.7", "Content-Encoding frames nothing", "Content-Encoding: gzip\r\n"),
    ];

    // Publishing is read by Kestrel. Whatever it makes of a length, what follows is never answered as a request unless it is one.
    private static readonly (string Number, string Says, string Fields, string Body)[] Publishing =
    [
        ("6.4.1", "A coding beside a length", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("6.4.2", "Lengths that differ", "Content-Length: 0\r\nContent-Length: 5\r\n", string.Empty),
        ("6.4.3", "A list of lengths", "Content-Length: 0, 5\r\n", string.Empty),
        ("6.4.4", "A negative length", "Content-Length: -5\r\n", string.Empty),
        ("6.4.5", "A signed length", "Content-Length: +5\r\n", "hello"),
        ("6.4.6", "Chunked that is not last", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        ("6.4.7", "An unknown coding", "Transfer-Encoding: x\r\n", "0\r\n\r\n"),
        ("6.4.8", "A chunk of a negative size", "Transfer-Encoding: chunked\r\n", "-1\r\nx\r\n0\r\n\r\n"),
        ("6.4.9", "A chunk of no size", "Transfer-Encoding: chunked\r\n", "\r\nx\r\n0\r\n\r\n"),
        ("6.4.10", "A chunk longer than it says", "Transfer-Encoding: chunked\r\n", "1\r\nxyz\r\n0\r\n\r\n"),
        ("6.4.11", "A chunk of a size beyond all numbers", "Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\nx\r\n0\r\n\r\n"),
        ("6.4.12", "A chunk of a size that is not hexadecimal", "Transfer-Encoding: chunked\r\n", "0x1\r\nx\r\n0\r\n\r\n"),
    ];

    public static IEnumerable<TheoryDataRow<string, string>> BadOnRoutes => OnRoutes(Bad);

    public static IEnumerable<TheoryDataRow<string, string>> GoodOnRoutes => OnRoutes(Good);

    public static IEnumerable<TheoryDataRow<string, string>> Publishes => Publishing.Select(row => new TheoryDataRow<string, string>(row.Fields, row.Body) { TestDisplayName = $"publish: {row.Number} {row.Says}" });

    [Theory]
    [MemberData(nameof(BadOnRoutes))]
    public async Task ABodyIsRefusedAndWhatHidesInItIsNotAnswered(string route, string fields)
    {
        await using var client = await http.SendAsync(Head(PushRoute.Named(route), fields) + "0\r\n\r\n" + Hidden);
        await IsRefusedAsync(client, fields, isKestrels: route == PushRoute.Poll.Name);
        Assert.Empty(http.Host.Logs.OursAboveDebug);
    }

    [Theory]
    [MemberData(nameof(BadOnRoutes))]
    public async Task ABodyIsRefusedBehindAPollToo(string route, string fields)
    {
        await using var client = await http.SendAsync(Heads.Get("/channels/a") + Head(PushRoute.Named(route), fields) + "0\r\n\r\n" + Hidden);
        Assert.Equal(200, (await client.ReadAnswerAsync()).Status);
        await IsRefusedAsync(client, fields, isKestrels: true);
    }

    [Theory]
    [MemberData(nameof(GoodOnRoutes))]
    public async Task WhatFramesNoBodyIsServed(string route, string fields)
    {
        await using var client = await http.SendAsync(Head(PushRoute.Named(route), fields));
        Assert.Equal(PushRoute.Named(route).Status, (await client.ReadAnswerAsync()).Status);
    }

    [Theory]
    [MemberData(nameof(Publishes))]
    public async Task WhatHidesInAPublishIsNeverAnsweredOnItsOwn(string fields, string body)
    {
        await using var client = await http.SendAsync(
            $"POST /channels/kept.framed HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n{body}{Smuggled}", http.Host.Internal);
        await client.ReadResponseAsync();
        await client.ReadUntilGoneAsync();
        Assert.Contains("\"messages\":[]", await http.Host.Http.GetStringAsync(new Uri("/channels/kept.smuggled", UriKind.Relative), Patience.Token), StringComparison.Ordinal);
    }

    private async Task IsRefusedAsync(RawClient client, string fields, bool isKestrels)
    {
        var answer = await client.ReadAnswerAsync();
        if (isKestrels && !http.IsEpoll && TakenByKestrel.Contains(fields))
        {
            // Unless we were the first to read it.
            Assert.Contains(answer.Status, (int[])[101, 200, 400]);
            return;
        }

        Assert.Equal(400, answer.Status);
        Assert.True(answer.SaysClose);
        await http.EndsAsync(client);
    }

    private static string Head(PushRoute route, string fields) => $"GET {route.Target} HTTP/1.1\r\nHost: h\r\n{route.Fields}{fields}\r\n";

    private static IEnumerable<TheoryDataRow<string, string>> OnRoutes((string Number, string Says, string Fields)[] rows) => rows.SelectMany(row =>
        PushRoute.Ours.Select(route => new TheoryDataRow<string, string>(route.Name, row.Fields) { TestDisplayName = $"{route}: {row.Number} {row.Says}" }));
}
