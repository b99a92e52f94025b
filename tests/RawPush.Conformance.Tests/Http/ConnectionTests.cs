using System.Text;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.Http;

/// <summary>8. What stands behind a request on its connection (RFC 9112, section 9; RFC 9110, sections 7.8 and 10.1.1).</summary>
public sealed class ConnectionTests(HttpHost http) : IClassFixture<HttpHost>
{
    private const string Hidden = "GET /channels/kept.hidden HTTP/1.1\r\nHost: h\r\n\r\n";

    [Fact(DisplayName = "8.1.1 Frames right behind an upgrade are not lost, however they are cut")]
    public async Task FramesBehindAnUpgradeAreNotLost()
    {
        byte[] wire = [.. Encoding.ASCII.GetBytes(Heads.Upgrade("/echo")), .. ClientFrames.Text("one"), .. ClientFrames.Text("two"), .. ClientFrames.Close(1000)];
        for (int cut = 0; cut < wire.Length; cut++)
        {
            await using var client = await http.Host.ConnectAsync();
            await client.SendAsync(wire.AsMemory(0, cut));
            await client.SendAsync(wire.AsMemory(cut));
            Assert.Equal(101, (await client.ReadAnswerAsync()).Status);
            Assert.Equal("one", (await client.ReadFrameAsync()).Text);
            Assert.Equal("two", (await client.ReadFrameAsync()).Text);
            Assert.Equal(1000, (await client.ReadFrameAsync()).Status);
        }
    }

    [Fact(DisplayName = "8.1.2 A request behind an upgrade is a broken frame and no request")]
    public async Task ARequestBehindAnUpgradeIsABrokenFrame()
    {
        await using var client = await http.SendAsync(Heads.Upgrade("/echo") + Hidden);
        Assert.Equal(101, (await client.ReadAnswerAsync()).Status);
        Assert.Equal(1002, (await client.ReadFrameAsync()).Status);
        await http.EndsAsync(client);
    }

    [Theory]
    [InlineData("text/event-stream", "data: {0}\n\n", TestDisplayName = "8.1.3 A request behind that for events is dropped")]
    [InlineData("application/x-ndjson", "\"data\":\"{0}\"}\n", TestDisplayName = "8.1.4 A request behind that for lines is dropped")]
    public async Task ARequestBehindThatForAStreamIsDropped(string accept, string form)
    {
        await using var client = await http.SendAsync(Heads.Get("/channels/dropped", $"Accept: {accept}\r\n") + Hidden + Hidden);
        Assert.Equal(200, (await client.ReadAnswerAsync()).Status);
        string seen = string.Empty;
        foreach (string text in (string[])["one", "two"])
        {
            await http.Host.PublishAsync("dropped", text);
            seen += await client.ReadUntilAsync(form.Replace("{0}", text, StringComparison.Ordinal));
        }

        Assert.DoesNotContain("HTTP/", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", seen, StringComparison.Ordinal);
    }

    [Fact(DisplayName = "8.1.5 Requests behind a poll are answered in order, or the connection says that it ends")]
    public async Task RequestsBehindAPollAreAnsweredInOrder()
    {
        await http.Host.PublishAsync("kept.first", "of first");
        await http.Host.PublishAsync("kept.second", "of second");
        string wire = Heads.Get("/channels/kept.first") + Heads.Get("/channels/kept.second") + Heads.Get("/hello");
        for (int cut = 0; cut < wire.Length; cut++)
        {
            await using var client = await http.SendAsync(wire[..cut]);
            await client.SendAsync(wire[cut..]);
            foreach (string expected in (string[])["of first", "of second", PushHost.Hello])
            {
                var (head, body) = await client.ReadResponseAsync();
                Assert.Contains(expected, body, StringComparison.Ordinal);
                if (RawClient.FieldOf(head, "Connection") == "close")
                {
                    await http.EndsAsync(client);
                    break;
                }
            }
        }
    }

    [Fact(DisplayName = "8.1.6 A request behind a poll that waits is answered after it, or the connection says that it ends")]
    public async Task ARequestBehindALongPollComesAfterIt()
    {
        long before = http.Host.Metrics.Started;
        await using var client = await http.SendAsync(Heads.Get("/channels/waited?wait=300") + Heads.Get("/hello"));
        await http.Host.Metrics.WaitForStartedAsync(before + 1);
        await http.Host.PublishAsync("waited", "news");
        var answer = await client.ReadAnswerAsync();
        Assert.Contains("news", answer.Body, StringComparison.Ordinal);
        if (answer.SaysClose)
        {
            await http.EndsAsync(client);
        }
        else
        {
            Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
        }
    }

    [Theory]
    [InlineData("GET /channels/ HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n", TestDisplayName = "8.1.7 A request behind a refused one is not answered")]
    [InlineData("DELETE /channels/a HTTP/1.1\r\nHost: h\r\n\r\n", TestDisplayName = "8.1.8 A request behind one with another method is not answered")]
    [InlineData("GET /channels/a HTTP/1.1\r\nHost: h\r\nBad Field: x\r\n\r\n", TestDisplayName = "8.1.9 A request behind a malformed one is not answered")]
    [InlineData("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n", TestDisplayName = "8.1.10 A request behind one that should have been an upgrade is not answered")]
    [InlineData("DELETE /channels/a HTTP/1.1\r\nHost: h\r\nContent-Length: 48\r\n\r\n", TestDisplayName = "8.1.11 A request in the body of one with another method is not answered")]
    public async Task ARequestBehindARefusedOneIsNotAnswered(string refused)
    {
        await using var client = await http.SendAsync(refused + Hidden + Hidden);
        await client.ReadRefusalAsync();
        await http.EndsAsync(client);
    }

    [Theory]
    [InlineData("HTTP/1.1", "", true, TestDisplayName = "8.2.1 HTTP/1.1 goes on")]
    [InlineData("HTTP/1.1", "Connection: keep-alive\r\n", true, TestDisplayName = "8.2.2 HTTP/1.1 goes on, also if it says so")]
    [InlineData("HTTP/1.1", "Connection: close\r\n", false, TestDisplayName = "8.2.3 A client may want no more")]
    [InlineData("HTTP/1.1", "Connection: x, CLOSE\r\n", false, TestDisplayName = "8.2.4 A client may want no more, in any case and among other options")]
    [InlineData("HTTP/1.1", "Connection: x\r\nConnection: close\r\n", false, TestDisplayName = "8.2.5 A client may want no more in a second field")]
    [InlineData("HTTP/1.1", "Connection: closed\r\n", true, TestDisplayName = "8.2.6 An option is a whole word")]
    [InlineData("HTTP/1.0", "", false, TestDisplayName = "8.2.7 HTTP/1.0 does not go on")]
    [InlineData("HTTP/1.0", "Connection: keep-alive\r\n", true, TestDisplayName = "8.2.8 HTTP/1.0 goes on if it says so")]
    [InlineData("HTTP/1.0", "Connection: keep-alive, close\r\n", false, TestDisplayName = "8.2.9 Close counts over keep-alive")]
    public async Task APollEndsItsConnectionOrNot(string version, string fields, bool goesOn)
    {
        await using var client = await http.SendAsync($"GET /channels/a {version}\r\nHost: h\r\n{fields}\r\n");
        var answer = await client.ReadAnswerAsync();
        Assert.Equal(200, answer.Status);
        if (goesOn)
        {
            Assert.False(answer.SaysClose);
            await client.SendAsync(Heads.Get("/hello"));
            Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
        }
        else
        {
            Assert.True(answer.SaysClose || version == "HTTP/1.0");
            await http.EndsAsync(client);
        }
    }

    [Fact(DisplayName = "8.2.10 The last answer arrives, though a request came behind it")]
    public async Task TheLastAnswerArrives()
    {
        for (int i = 0; i < 20; i++)
        {
            await using var client = await http.SendAsync(Heads.Get("/channels/a", "Connection: close\r\n") + Hidden);
            Assert.Equal(200, (await client.ReadAnswerAsync()).Status);
            await http.EndsAsync(client);
        }
    }

    [Theory]
    [InlineData("HTTP/1.0", "", TestDisplayName = "8.2.11 A stream is for HTTP/1.0 as well")]
    [InlineData("HTTP/1.1", "Connection: close\r\n", TestDisplayName = "8.2.12 A client that wants no more gets its stream")]
    [InlineData("HTTP/1.1", "Connection: keep-alive\r\n", TestDisplayName = "8.2.13 A stream ends its connection, whatever the client says")]
    public async Task AStreamHasNoLengthAndEndsItsConnection(string version, string fields)
    {
        foreach (string accept in (string[])["text/event-stream", "application/x-ndjson"])
        {
            await using var client = await http.SendAsync($"GET /channels/streamed {version}\r\nAccept: {accept}\r\nHost: h\r\n{fields}\r\n");
            var answer = await client.ReadAnswerAsync();
            Assert.Equal((200, "close"), (answer.Status, answer.Field("Connection")));
            Assert.Equal((null, null), (answer.Field("Content-Length"), answer.Field("Transfer-Encoding")));
            await http.Host.PublishAsync("streamed", "x");
            await client.ReadUntilAsync("x");
        }
    }

    [Theory]
    [InlineData("Expect: 100-continue\r\n", TestDisplayName = "8.3.1 A request without a body is not told to go on")]
    [InlineData("Expect: 100-continue\r\nContent-Length: 0\r\n", TestDisplayName = "8.3.2 Nor is one with an empty body")]
    public async Task ARequestWithoutABodyIsNotToldToGoOn(string fields)
    {
        foreach (var route in PushRoute.Ours.Where(route => route != PushRoute.Poll || http.IsEpoll))
        {
            await using var client = await http.SendAsync($"GET {route.Target} HTTP/1.1\r\nHost: h\r\n{route.Fields}{fields}\r\n");
            Assert.Equal(route.Status, (await client.ReadAnswerAsync()).Status);
        }
    }

    [Fact(DisplayName = "8.3.3 A publish that asks whether to go on is told so before its body is read")]
    public async Task APublishIsToldToGoOn()
    {
        await using var client = await http.SendAsync("POST /channels/kept.expected HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", http.Host.Internal);
        Assert.StartsWith("HTTP/1.1 100 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await client.SendAsync("hello");
        Assert.Equal(200, int.Parse((await client.ReadHeadAsync()).AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact(DisplayName = "8.4.1 Requests of ours and of others share a connection in any order")]
    public async Task RequestsOfOursAndOfOthersShareAConnection()
    {
        foreach (var route in PushRoute.Ours)
        {
            await using var client = await http.SendAsync(Heads.Get("/channels/a"));
            Assert.Equal(200, (await client.ReadAnswerAsync()).Status);
            await client.SendAsync(Heads.Get("/hello"));
            Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
            await client.SendAsync(Heads.Get("/channels/a"));
            Assert.Equal(200, (await client.ReadAnswerAsync()).Status);
            await client.SendAsync($"GET {route.Target} HTTP/1.1\r\nHost: h\r\n{route.Fields}\r\n");
            Assert.Equal(route.Status, (await client.ReadAnswerAsync()).Status);
        }
    }

    [Fact(DisplayName = "8.4.2 A request behind one of others is answered, though it came with it")]
    public async Task ARequestBehindOneOfOthersIsAnswered()
    {
        await using var client = await http.SendAsync(Heads.Get("/hello") + Heads.Get("/channels/a") + Heads.Events("/channels/a"));
        Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
        Assert.Equal("application/json", (await client.ReadAnswerAsync()).Field("Content-Type"));
        Assert.Equal("text/event-stream", (await client.ReadAnswerAsync()).Field("Content-Type"));
    }

    [Fact(DisplayName = "8.4.3 The body of a request of others is nobody's head")]
    public async Task TheBodyOfARequestOfOthersIsNobodysHead()
    {
        await using var client = await http.SendAsync($"POST /mirror HTTP/1.1\r\nHost: h\r\nContent-Length: {Hidden.Length}\r\n\r\n{Hidden}{Heads.Get("/hello")}");
        Assert.Equal(Hidden, (await client.ReadResponseAsync()).Body);
        Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
    }

    [Theory]
    [InlineData("Upgrade: h2c\r\nConnection: Upgrade\r\n", TestDisplayName = "8.5.1 An upgrade to something else is ignored")]
    [InlineData("Upgrade: websocket\r\n", TestDisplayName = "8.5.2 An upgrade that Connection does not name is none")]
    [InlineData("Connection: Upgrade\r\n", TestDisplayName = "8.5.3 An upgrade to nothing is none")]
    [InlineData("Upgrade: websocket/13\r\nConnection: Upgrade\r\n", TestDisplayName = "8.5.4 An upgrade to another version is none")]
    [InlineData("Upgrade: \"websocket\"\r\nConnection: Upgrade\r\n", TestDisplayName = "8.5.5 An upgrade to a string is none")]
    public async Task WhatIsNoUpgradeIsServedAsIfItWereNotThere(string fields)
    {
        await using var client = await http.SendAsync(Heads.Get("/channels/a", fields));
        Assert.Equal("application/json", (await client.ReadAnswerAsync()).Field("Content-Type"));
    }
}
