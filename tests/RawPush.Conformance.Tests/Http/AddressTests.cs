using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Http;

/// <summary>5. Addresses: what a path and a query mean (RFC 3986, sections 2, 3.3 and 3.4; RFC 9110, section 4).</summary>
public sealed class AddressTests(HttpHost http) : IClassFixture<HttpHost>
{
    // What a client asks for, and the channel that it then hears.
    private static readonly (string Number, string Says, string Target, string Channel)[] Good =
    [
        ("5.1.1", "A name is taken as it is", "/channels/Az09", "Az09"),
        ("5.1.2", "What needs no encoding may be encoded", "/channels/%41%7a", "Az"),
        ("5.1.3", "Encoding is hexadecimal in either case", "/channels/%c3%A9", "é"),
        ("5.1.4", "A name may be UTF-8 of any length", "/channels/%E4%B8%AD%F0%9F%98%80", "中😀"),
        ("5.1.5", "A dot may be encoded", "/channels/a%2Eb", "a.b"),
        ("5.1.6", "A dot may be encoded in lower case", "/channels/a%2eb", "a.b"),
        ("5.1.7", "A plus is a plus in a path", "/channels/a+b", "a+b"),
        ("5.1.8", "Sub-delims and a tilde are themselves", "/channels/~!$&'()_-=;:@", "~!$&'()_-=;:@"),
        ("5.1.9", "A name may have 255 bytes", "/channels/" + new string('a', 255), new string('a', 255)),
        ("5.1.10", "A name may have 255 bytes, all of them encoded", "/channels/" + string.Concat(Enumerable.Repeat("%61", 255)), new string('a', 255)),
        ("5.1.11", "An encoded pattern is one", "/channels/%6frders.%3E?format=raw", "orders.eu"),
        ("5.1.12", "The absolute-form means the same", "http://h/channels/%61", "a"),
        ("5.2.1", "A query may be anything that is not ours", "/channels/a?=&&x&y=z=?/:@!$'()*+,;", "a"),
        ("5.2.2", "A query may hold a second question mark", "/channels/a??after=x", "a"),
        ("5.2.3", "Names in a query have a case", "/channels/a?After=x&FORMAT=xml", "a"),
        ("5.2.4", "Percent-encoding in what is not ours is nobody's business", "/channels/a?x=%&y=%zz", "a"),
        ("5.2.5", "A comma in the path separates channels", "/channels/x,a", "a"),
        ("5.2.6", "A slash belongs to the query once that has begun", "/channels/a?/../b", "a"),
    ];

    private static readonly (string Number, string Says, string Target, int Status)[] Bad =
    [
        ("5.3.1", "A percent sign needs two digits", "/channels/a%", 400),
        ("5.3.2", "A percent sign needs two digits and not one", "/channels/a%4", 400),
        ("5.3.3", "A percent sign needs hexadecimal digits", "/channels/a%zz", 400),
        ("5.3.4", "A percent sign needs digits and no sign", "/channels/a%+1", 400),
        ("5.3.5", "Encoding is undone once", "/channels/a%2541", 400),
        ("5.3.6", "An encoded NUL is in no name", "/channels/a%00", 400),
        ("5.3.7", "An encoded slash is in no name", "/channels/a%2Fb", 400),
        ("5.3.8", "An encoded comma is in no name, and separates nothing", "/channels/a%2Cb", 400),
        ("5.3.9", "An encoded space is in no name", "/channels/a%20b", 400),
        ("5.3.10", "An encoded CR LF is in no name", "/channels/a%0D%0Ab", 400),
        ("5.3.11", "An encoded DEL is in no name", "/channels/a%7F", 400),
        ("5.3.12", "An encoded question mark is in no name", "/channels/a%3Fb", 400),
        ("5.3.13", "UTF-8 has no overlong forms: two bytes", "/channels/%C0%AF", 400),
        ("5.3.14", "UTF-8 has no overlong forms: three bytes", "/channels/%E0%80%AF", 400),
        ("5.3.15", "UTF-8 has no overlong forms: four bytes", "/channels/%F0%80%80%AF", 400),
        ("5.3.16", "UTF-8 has no overlong NUL", "/channels/%C0%80", 400),
        ("5.3.17", "UTF-8 has no surrogates", "/channels/%ED%A0%80", 400),
        ("5.3.18", "UTF-8 ends at U+10FFFF", "/channels/%F4%90%80%80", 400),
        ("5.3.19", "UTF-8 is not cut off", "/channels/%E4%B8", 400),
        ("5.3.20", "UTF-8 does not begin in the middle", "/channels/%80", 400),
        ("5.3.21", "A byte that UTF-8 never has is in no name", "/channels/%FF", 400),
        ("5.3.22", "A name has no more than 255 bytes", "/channels/" + new string('a', 256), 400),
        ("5.3.23", "A name has no more than 255 bytes, encoded or not", "/channels/" + string.Concat(Enumerable.Repeat("%61", 256)), 400),
        ("5.4.1", "A dot segment leads nowhere", "/channels/.", 400),
        ("5.4.2", "Two dots lead nowhere", "/channels/..", 400),
        ("5.4.3", "Dot segments are not removed", "/channels/../hello", 400),
        ("5.4.4", "Encoded dot segments are not removed", "/channels/%2e%2e/hello", 400),
        ("5.4.5", "Encoded dot segments lead nowhere", "/channels/%2E%2E%2Fhello", 400),
        ("5.4.6", "A dot segment inside is not removed", "/channels/x/../a", 400),
        ("5.4.7", "A double slash is not one", "/channels//a", 400),
        ("5.4.8", "A slash at the end is not left out", "/channels/a/", 400),
        ("5.4.9", "A channel has a name", "/channels/", 400),
        ("5.4.10", "Each channel of a list has a name", "/channels/a,,b", 400),
        ("5.4.11", "The last channel of a list has a name", "/channels/a,", 400),
        ("5.4.12", "The first channel of a list has a name", "/channels/,a", 400),
        ("5.4.13", "A list has 64 channels and no more", "/channels/" + string.Join(',', Enumerable.Range(0, 65)), 400),
        ("5.4.14", "A backslash is no slash", "/channels/a\\b", 400),
        ("5.4.15", "Quotes are in no name", "/channels/a\"b", 400),
        ("5.4.16", "Names of the server's own are not for others", "/channels/rawpush.gap", 400),
        ("5.4.17", "A wildcard is a token", "/channels/orders*", 400),
        ("5.4.18", "A wildcard for all is the last token", "/channels/orders.%3E.x", 400),
        ("5.5.1", "A dot segment before our path is not removed", "/./channels/a", 404),
        ("5.5.2", "Two dots before our path are not removed", "/x/../channels/a", 404),
        ("5.5.3", "A double slash before our path is not one", "//channels/a", 404),
        ("5.5.4", "Our path has a case", "/Channels/a", 404),
        ("5.5.5", "Our path is not encoded", "/%63hannels/a", 404),
        ("5.5.6", "Our path ends with a slash that is one", "/channels%2Fa", 404),
        ("5.5.7", "There is nothing at an unknown address", "/nothing", 404),
        ("5.6.1", "A position is an id, earliest or latest", "/channels/a?after=x", 400),
        ("5.6.2", "A position is not empty", "/channels/a?after=", 400),
        ("5.6.3", "A position needs a value", "/channels/a?after", 400),
        ("5.6.4", "A position is all of an id", "/channels/a?after=1-1x", 400),
        ("5.6.5", "What is ours in a query is not encoded", "/channels/a?after=%65arliest", 400),
        ("5.6.6", "The last of two positions must be one as well", "/channels/a?after=latest&after=x", 400),
        ("5.6.7", "A format is raw or json", "/channels/a?format=xml", 400),
        ("5.6.8", "A format has a case", "/channels/a?format=JSON", 400),
        ("5.6.9", "A number of messages is at least one", "/channels/a?last=0", 400),
        ("5.6.10", "A number of messages is at most a thousand", "/channels/a?last=1001", 400),
        ("5.6.11", "A number is not beyond all numbers", "/channels/a?last=99999999999999999999", 400),
        ("5.6.12", "A number is made of digits", "/channels/a?last=1e1", 400),
        ("5.6.13", "A wait is not negative", "/channels/a?wait=-1", 400),
        ("5.6.14", "A wait is at most five minutes", "/channels/a?wait=301", 400),
        ("5.6.15", "A wait has no unit", "/channels/a?wait=1s", 400),
        ("5.6.16", "A limit is at least one", "/channels/a?limit=0", 400),
        ("5.6.17", "A limit is at most a thousand", "/channels/a?limit=1001", 400),
        ("5.6.18", "A number has no sign", "/channels/a?limit=+5", 400),
        ("5.6.19", "Nothing stands behind a number", "/channels/a?limit=5%00", 400),
    ];

    // Forms of a target that name nothing of ours; Kestrel has the word, and must not be heard to serve one.
    private static readonly (string Number, string Says, string Line)[] Others =
    [
        ("5.7.1", "The authority-form is for CONNECT (9112, 3.2.3)", "GET h:80"),
        ("5.7.2", "No tunnels are opened (9110, 9.3.6)", "CONNECT h:80"),
        ("5.7.3", "The asterisk-form is for OPTIONS (9112, 3.2.4)", "GET *"),
        ("5.7.4", "The absolute-form has a scheme of http (9112, 3.2.2)", "GET ftp://h/channels/a"),
        ("5.7.5", "The absolute-form has no scheme of WebSocket (9112, 3.2.2)", "GET ws://h/channels/a"),
        ("5.7.6", "An http URI has a host (9110, 4.2.1)", "GET http:///channels/a"),
        ("5.7.7", "An http URI has no user information (9110, 4.2.4)", "GET http://user@h/channels/a"),
        ("5.7.8", "A target is absolute (9112, 3.2)", "GET channels/a"),
        ("5.7.9", "A target is not a query (9112, 3.2)", "GET ?after=latest"),
        ("5.7.10", "A scheme is followed by two slashes (9110, 4.2.1)", "GET http:/channels/a"),
        ("5.7.11", "A target has no fragment (9110, 4.2.5)", "GET /channels/a#b"),
        ("5.7.12", "A query has no fragment (9110, 4.2.5)", "GET /channels/a?x#b"),
    ];

    public static IEnumerable<TheoryDataRow<string, string>> GoodAddresses => Good.Select(row => new TheoryDataRow<string, string>(row.Target, row.Channel) { TestDisplayName = $"{row.Number} {row.Says}" });

    public static IEnumerable<TheoryDataRow<string, int>> BadAddresses => Bad.Select(row => new TheoryDataRow<string, int>(row.Target, row.Status) { TestDisplayName = $"{row.Number} {row.Says}" });

    // There its routing has the first word, which removes dot segments: these lead elsewhere.
    private static readonly string[] Leaving = ["/channels/..", "/channels/../hello", "/channels/%2e%2e/hello"];

    public static IEnumerable<TheoryDataRow<string, int>> BadAddressesForKestrel => BadAddresses.Where(row => !Leaving.Contains(row.Data.Item1));

    public static IEnumerable<TheoryDataRow<string>> OtherForms => Others.Select(row => new TheoryDataRow<string>(row.Line) { TestDisplayName = $"{row.Number} {row.Says}" });

    [Theory]
    [MemberData(nameof(GoodAddresses))]
    public async Task ASubscriptionHearsTheChannelThatItsAddressMeans(string target, string channel)
    {
        await using var client = await http.SendAsync(Heads.Events(target));
        Assert.Equal(200, (await client.ReadAnswerAsync()).Status);
        string id = (await http.Host.PublishAsync(channel, "for it")).Id.ToString();
        Assert.Contains($"id: {id}\n", await client.ReadUntilAsync("data: for it\n\n"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(BadAddresses))]
    public async Task ABadAddressIsRefusedByEveryRoute(string target, int status)
    {
        foreach (var route in (PushRoute[])[PushRoute.Events, PushRoute.Lines, PushRoute.Poll, PushRoute.WebSocket])
        {
            await using var client = await http.SendAsync($"GET {target} HTTP/1.1\r\nHost: h\r\n{route.Fields}\r\n");
            if (http.IsEpoll || route != PushRoute.Poll || !Leaving.Contains(target))
            {
                Assert.Equal(status, (await client.ReadAnswerAsync()).Status);
            }
        }
    }

    [Theory]
    [MemberData(nameof(BadAddressesForKestrel))]
    public async Task ABadAddressIsRefusedBehindAForeignRequestToo(string target, int status)
    {
        await using var client = await http.SendAsync(Heads.Get("/hello"));
        await client.ReadResponseAsync();
        await client.SendAsync(Heads.Events(target));
        Assert.Equal(status, (await client.ReadAnswerAsync()).Status);
    }

    [Theory]
    [MemberData(nameof(OtherForms))]
    public async Task AnotherFormOfTargetIsServedByNobody(string line)
    {
        foreach (bool isFirst in (bool[])[true, false])
        {
            await using var client = await http.SendAsync(isFirst ? string.Empty : Heads.Get("/hello"));
            if (!isFirst)
            {
                await client.ReadResponseAsync();
            }

            await client.SendAsync($"{line} HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n");
            var answer = await client.ReadAnswerAsync();
            Assert.InRange(answer.Status, 400, 499);
        }

        Assert.Empty(http.Host.Logs.OursAboveDebug);
    }
}
