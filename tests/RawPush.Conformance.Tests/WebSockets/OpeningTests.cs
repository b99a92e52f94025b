using System.Text;
using RawPush.Server.Connections;
using RawPush.Server.Requests;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>10: the opening handshake (RFC 6455 sections 4.1, 4.2, 4.4 and 11.3).</summary>
public sealed class OpeningTests(EchoHost echo) : IClassFixture<EchoHost>
{
    private const string RequestLine = "GET /echo HTTP/1.1";
    private const string Host = "Host: h";
    private const string Upgrade = "Upgrade: websocket";
    private const string Connection = "Connection: Upgrade";
    private const string Key = $"Sec-WebSocket-Key: {Heads.Key}";
    private const string Version = "Sec-WebSocket-Version: 13";

    private static readonly string[] Required = [RequestLine, Host, Upgrade, Connection, Key, Version];

    public static IEnumerable<TheoryDataRow<HandshakeCase>> Cases
    {
        get
        {
            var cases = new HandshakeList(10);
            AddAccepted(cases);
            AddKeys(cases);
            AddVersions(cases);
            AddUpgradeAndConnection(cases);
            AddRequestLines(cases);
            AddSubprotocols(cases);
            AddExtensions(cases);
            AddBehindTheHead(cases);
            return cases.Rows;
        }
    }

    public static IEnumerable<TheoryDataRow<HandshakeCase>> CasesForAnyRequest => Cases.Where(row => !row.Data.IsForFirstRequest);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task OverASocket(HandshakeCase sample)
    {
        await using var client = await echo.Host.ConnectAsync();
        await ShakeHandsAsync(client, sample);
    }

    [Theory]
    [MemberData(nameof(CasesForAnyRequest))]
    public async Task BehindARequestToSomebodyElse(HandshakeCase sample)
    {
        await using var client = await echo.Host.ConnectAsync();
        await client.SendAsync(Heads.Get("/hello"));
        await client.ReadResponseAsync();
        await ShakeHandsAsync(client, sample);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(HandshakeCase sample)
    {
        byte[] head = Encoding.Latin1.GetBytes(sample.Head);
        Assert.Equal(sample.Status, Judge(head, [head.Length]));
        Assert.Equal(sample.Status, Judge(head, Enumerable.Range(1, head.Length)));
        for (int cut = 1; cut < head.Length; cut++)
        {
            Assert.Equal(sample.Status, Judge(head, [cut, head.Length]));
        }
    }

    private static async Task ShakeHandsAsync(RawClient client, HandshakeCase sample)
    {
        await client.SendAsync((byte[])[.. Encoding.Latin1.GetBytes(sample.Head), .. sample.Behind]);
        string head = await client.ReadHeadAsync();
        Assert.StartsWith($"HTTP/1.1 {sample.Status} ", head, StringComparison.Ordinal);
        if (sample.Field is { } field)
        {
            Assert.Equal(field.Value, RawClient.FieldOf(head, field.Name));
        }

        if (sample.Status == 101)
        {
            await AssertSpeaksAsync(client, sample, head);
        }
        else
        {
            Assert.Null(RawClient.FieldOf(head, "Sec-WebSocket-Accept"));

            // RFC 9110 section 7.8: who names an upgrade says in Connection that it is for its neighbour.
            Assert.Equal(sample.Status == 426 ? "close, Upgrade" : "close", RawClient.FieldOf(head, "Connection"));
            client.EndSending();

            // A reason in words, and the end of the stream in order.
            await client.ReadToEndAsync();
        }
    }

    private static async Task AssertSpeaksAsync(RawClient client, HandshakeCase sample, string head)
    {
        // Section 4.2.2, items 5.1 to 5.4.
        Assert.Equal("websocket", RawClient.FieldOf(head, "Upgrade"));
        Assert.Equal("Upgrade", RawClient.FieldOf(head, "Connection"));
        Assert.NotNull(RawClient.FieldOf(head, "Sec-WebSocket-Accept"));
        Assert.Null(RawClient.FieldOf(head, "Sec-WebSocket-Extensions"));
        foreach (string reply in sample.Replies)
        {
            Assert.Equal(reply, Reply.Of(await client.ReadFrameAsync()));
        }

        if (!sample.Replies.Any(Reply.IsClose))
        {
            await client.SendAsync(ClientFrames.Close(1000));
            Assert.Equal(Reply.Close(1000), Reply.Of(await client.ReadFrameAsync()));
        }

        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
    }

    /// <summary>What the head would be answered with, by its bytes alone.</summary>
    private int Judge(byte[] head, IEnumerable<int> lengths)
    {
        var handshake = echo.Host.Get<FrontDoor>().NewHandshake();
        var verdict = HeadVerdict.NeedMore;
        int seen = 0;
        foreach (int length in lengths)
        {
            Assert.Equal(HeadVerdict.NeedMore, verdict);
            verdict = handshake.Judge(SplitSequence.Of(head.AsMemory(0, seen), head.AsMemory(seen, length - seen)), isEnd: false);
            seen = length;
            if (verdict == HeadVerdict.Refused)
            {
                // A bad line is refused before the head has ended.
                return handshake.Refusal.StatusCode;
            }
        }

        Assert.Equal((HeadVerdict.Ours, head.Length), (verdict, handshake.HeadBytes));
        var plan = echo.Host.Get<Admission>().TryAdmit(handshake.Request, mayPublish: false, out var refusal);
        return plan is null ? refusal!.StatusCode : 101;
    }

    private static void AddAccepted(HandshakeList cases)
    {
        cases.Section(1);
        cases.Add("The handshake of section 1.2 is accepted, and its key answered", HeadOf(Required), ("Sec-WebSocket-Accept", Heads.Accept));
        cases.Add("Fields in another order are accepted", HeadOf(RequestLine, Version, Key, Connection, Upgrade, Host), ("Sec-WebSocket-Accept", Heads.Accept));
        cases.Add("Field names in lower case are accepted", HeadOf([RequestLine, .. Required[1..].Select(field => Renamed(field, name => name.ToLowerInvariant()))]), ("Sec-WebSocket-Accept", Heads.Accept));
        cases.Add("Field names in upper case are accepted", HeadOf([RequestLine, .. Required[1..].Select(field => Renamed(field, name => name.ToUpperInvariant()))]), ("Sec-WebSocket-Accept", Heads.Accept));
        cases.Add("Fields without white space behind the colon are accepted",
            HeadOf([RequestLine, .. Required[1..].Select(field => field.Replace(": ", ":", StringComparison.Ordinal))]), ("Sec-WebSocket-Accept", Heads.Accept));
        cases.Add("White space around values is not part of them",
            HeadOf([RequestLine, .. Required[1..].Select(field => field.Replace(": ", ": \t ", StringComparison.Ordinal) + " \t")]), ("Sec-WebSocket-Accept", Heads.Accept));
        cases.Add("A query behind the path is accepted", Changed(RequestLine, "GET /echo?a=b HTTP/1.1"));
        cases.Add("Origin, Cookie and Authorization say nothing here", With("Origin: http://example.com", "Cookie: a=b", "Authorization: Basic eDp5"));
        cases.Add("Fields of no meaning are passed over", With("X-Anything: at all", "Sec-WebSocket-Unknown: 1"));
        cases.Add("A subprotocol, where there is none, is not chosen", With("Sec-WebSocket-Protocol: chat"), ("Sec-WebSocket-Protocol", null));
    }

    // Section 4.2.1, item 5: a base64-encoded value that, when decoded, is 16 bytes in length.
    private static void AddKeys(HandshakeList cases)
    {
        cases.Section(2);
        cases.Refuse("No key is refused", 400, Without(Key));
        cases.Refuse("An empty key is refused", 400, Changed(Key, "Sec-WebSocket-Key:"));
        cases.Refuse("A key of 15 bytes is refused", 400, Changed(Key, "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0O"));
        cases.Refuse("A key of 17 bytes is refused", 400, Changed(Key, "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODxA="));
        cases.Refuse("A key of 18 bytes, as long in base64 as one of 16, is refused", 400, Changed(Key, "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODxAR"));
        cases.Refuse("A key that is not base64 is refused", 400, Changed(Key, "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0O!w=="));
        cases.Refuse("A key in the alphabet of URLs is refused", 400, Changed(Key, "Sec-WebSocket-Key: __ECAwQFBgcICQoLDA0ODw=="));
        cases.Refuse("A key without its padding is refused", 400, Changed(Key, "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw"));
        cases.Refuse("A key with white space inside is refused", 400, Changed(Key, "Sec-WebSocket-Key: AAECAwQFBgcI CQoLDA0ODw=="));
        cases.Refuse("A key with bits beyond its 16 bytes is refused", 400, Changed(Key, "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODx=="));
        cases.Refuse("Two keys are refused", 400, With("Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw=="));
        cases.Refuse("The same key twice is refused", 400, With(Key));
        cases.Refuse("Two keys in one field are refused", 400, Changed(Key, $"{Key}, {Heads.Key}"));
        cases.Add("A key of zeros is answered", Changed(Key, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="), ("Sec-WebSocket-Accept", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="));
    }

    // Section 4.4: an answer to another version says which one is spoken.
    private static void AddVersions(HandshakeList cases)
    {
        cases.Section(3);
        cases.Refuse("No version is refused", 426, Without(Version), ("Sec-WebSocket-Version", "13"));
        foreach (string version in (string[])["", "0", "8", "12", "14", "130", "013", "-13", "13.0", "13, 8", "8, 13", "13, 13", "thirteen"])
        {
            cases.Refuse($"Version '{version}' is refused", 426, Changed(Version, $"Sec-WebSocket-Version: {version}"), ("Sec-WebSocket-Version", "13"));
        }

        cases.Refuse("Two versions in two fields are refused", 426, With("Sec-WebSocket-Version: 8"), ("Sec-WebSocket-Version", "13"));
        cases.Refuse("The same version twice is refused", 426, With(Version), ("Sec-WebSocket-Version", "13"));
        cases.Refuse("A wrong version is told before a wrong key", 426, HeadOf(RequestLine, Host, Upgrade, Connection, "Sec-WebSocket-Version: 8"), ("Sec-WebSocket-Version", "13"));
    }

    // Section 4.2.1, items 3 and 4: values without regard to case, among others. Without both, the request asks for something else.
    private static void AddUpgradeAndConnection(HandshakeList cases)
    {
        cases.Section(4);
        foreach (string value in (string[])["WebSocket", "WEBSOCKET", "h2c, websocket", "websocket, h2c", "h2c,websocket", ",, websocket ,"])
        {
            cases.Add($"Upgrade '{value}' is accepted", Changed(Upgrade, $"Upgrade: {value}"));
        }

        cases.Add("Upgrade in two fields is accepted", With("Upgrade: h2c"));
        cases.Refuse("No Upgrade is refused", 426, Without(Upgrade), ("Upgrade", "websocket"));
        foreach (string value in (string[])["", "h2c", "websockets", "web socket", "\"websocket\"", "websocket/13", "websocket;q=1"])
        {
            cases.Refuse($"Upgrade '{value}' is refused", 426, Changed(Upgrade, $"Upgrade: {value}"), ("Upgrade", "websocket"));
        }

        cases.Section(5);
        foreach (string value in (string[])["upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade, keep-alive", "keep-alive,Upgrade", "Upgrade, close", "a, b, upgrade, c"])
        {
            cases.Add($"Connection '{value}' is accepted", Changed(Connection, $"Connection: {value}"));
        }

        cases.Add("Connection in two fields is accepted", With("Connection: keep-alive"));
        cases.Refuse("No Connection is refused", 426, Without(Connection), ("Upgrade", "websocket"));
        foreach (string value in (string[])["", "keep-alive", "close", "Upgrades", "Up grade", "keep-alive Upgrade", "\"Upgrade\""])
        {
            cases.Refuse($"Connection '{value}' is refused", 426, Changed(Connection, $"Connection: {value}"), ("Upgrade", "websocket"));
        }
    }

    // Section 4.2.1, items 1 and 2: GET, HTTP/1.1 or higher, and a Host.
    private static void AddRequestLines(HandshakeList cases)
    {
        cases.Section(6);
        foreach (string method in (string[])["POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "get"])
        {
            // HEAD is GET without an upgrade (RFC 9110 section 9.3.2).
            bool isHead = method == "HEAD";
            cases.Refuse($"{method} is refused", isHead ? 426 : 405, Changed(RequestLine, $"{method} /echo HTTP/1.1"), isHead ? ("Upgrade", "websocket") : ("Allow", "GET, HEAD"));
        }

        cases.Refuse("HTTP/1.0 is refused", 426, Changed(RequestLine, "GET /echo HTTP/1.0"), ("Upgrade", "websocket"));
        cases.Refuse("No Host is refused", 400, Without(Host));
        cases.Refuse("Two Hosts are refused", 400, With("Host: other"));
        cases.Refuse("A Host that is none is refused", 400, Changed(Host, "Host: a b"));
        cases.Refuse("White space before a colon is refused", 400, Changed(Upgrade, "Upgrade : websocket"));
        cases.Refuse("A folded field is refused", 400, Changed(Connection, "Connection: keep-alive,\r\n Upgrade"));
        cases.IsForFirstRequest = true;
        cases.Refuse("A line that ends without CR is refused", 400, Changed(Upgrade, $"{Upgrade}\nX: y"));
        cases.Refuse("A body is refused", 400, With("Content-Length: 1"));
        cases.Refuse("A body in chunks is refused", 400, With("Transfer-Encoding: chunked"));
    }

    // Section 4.2.2, item 5.5: one of the client's, or none, and then no field.
    private static void AddSubprotocols(HandshakeList cases)
    {
        cases.Section(7);
        AddChosen(cases, "One that is known is chosen", "rawpush.json", "rawpush.json");
        AddChosen(cases, "The client's order decides", "rawpush.raw, rawpush.json", "rawpush.raw");
        AddChosen(cases, "The client's order decides the other way round", "rawpush.json, rawpush.raw", "rawpush.json");
        AddChosen(cases, "Those that are not known are passed over", "chat, superchat, rawpush.json", "rawpush.json");
        AddChosen(cases, "Of none that is known none is chosen", "chat, superchat", null);
        AddChosen(cases, "Names are told apart by case", "RawPush.Json", null);
        AddChosen(cases, "The beginning of a name is no name", "rawpush", null);
        AddChosen(cases, "White space and empty elements are no names", " ,\t, rawpush.raw ,,", "rawpush.raw");
        AddChosen(cases, "Two fields are one list", "chat\r\nSec-WebSocket-Protocol: rawpush.json", "rawpush.json");
        foreach (string value in (string[])["rawpush.json, rawpush.json", "two words", "a/b", "rawpush.json, a;b", "\"rawpush.json\"", "caf\u00e9"])
        {
            cases.Refuse($"The list '{value}' is refused", 400, OnChannel($"Sec-WebSocket-Protocol: {value}"));
        }
    }

    private static void AddChosen(HandshakeList cases, string sentence, string offered, string? chosen) =>
        cases.Add(sentence, OnChannel($"Sec-WebSocket-Protocol: {offered}"), ("Sec-WebSocket-Protocol", chosen));

    // Section 9.1: what the server does not know it does not accept, and says so by saying nothing.
    private static void AddExtensions(HandshakeList cases)
    {
        cases.Section(8);
        foreach (string value in (string[])["x-unknown", "x-unknown; a; b=1; c=\"d\"", "x-one, x-two, x-one; y", "foo, bar; baz=2", ""])
        {
            cases.Add($"The extensions '{value}' are declined", With($"Sec-WebSocket-Extensions: {value}"), ("Sec-WebSocket-Extensions", null));
        }

        cases.Add("Extensions in two fields are declined", With("Sec-WebSocket-Extensions: x-one", "Sec-WebSocket-Extensions: x-two"), ("Sec-WebSocket-Extensions", null));
        cases.AddBehind("After an extension that was declined, its bit is refused",
            With("Sec-WebSocket-Extensions: x-unknown"), [(byte)(ClientFrames.Text("a")[0] | 0x40), .. ClientFrames.Text("a")[1..]], Reply.Refusal(1002));
    }

    // Not what a client should do before it has the answer (section 4.1), and what one sees behind some proxies.
    private static void AddBehindTheHead(HandshakeList cases)
    {
        cases.Section(9);
        cases.AddBehind("A text in the segment of the head comes back", With(), ClientFrames.Text("early"), Reply.Text("early"));
        cases.AddBehind("A ping in the segment of the head is answered", With(), ClientFrames.Ping("early"u8), Reply.Pong("early"u8));
        cases.AddBehind("Three frames in the segment of the head are answered in order", With(),
            [.. ClientFrames.Text("1"), .. ClientFrames.Ping("2"u8), .. ClientFrames.Binary([3])], Reply.Text("1"), Reply.Pong("2"u8), Reply.Binary([3]));
        cases.AddBehind("A close in the segment of the head is answered", With(), ClientFrames.Close(1001), Reply.Close(1001));
        cases.AddBehind("A violation in the segment of the head is refused behind the answer", With(), [0x83], Reply.Refusal(1002));
        cases.AddBehind("A message of 100,000 bytes behind the head comes back", With(),
            ClientFrames.Binary(Payloads.Noise(100_000)), Reply.Binary(Payloads.Noise(100_000)));
    }

    private static string HeadOf(params IEnumerable<string> lines) => string.Join("\r\n", lines) + "\r\n\r\n";

    private static string With(params string[] fields) => HeadOf([.. Required, .. fields]);

    private static string Without(string line) => HeadOf(Required.Where(required => required != line));

    private static string Changed(string line, string other) => HeadOf(Required.Select(required => required == line ? other : required));

    private static string OnChannel(string field) => HeadOf([RequestLine.Replace("/echo", "/channels/a", StringComparison.Ordinal), .. Required[1..], field]);

    private static string Renamed(string field, Func<string, string> change)
    {
        int colon = field.IndexOf(':', StringComparison.Ordinal);
        return change(field[..colon]) + field[colon..];
    }
}
