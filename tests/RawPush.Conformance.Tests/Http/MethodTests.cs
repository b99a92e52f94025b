using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Http;

/// <summary>7. Methods (RFC 9110, section 9) and what every response has to say (sections 6.6.1, 7.8, 13.1.2 and 15).</summary>
public sealed class MethodTests(HttpHost http) : IClassFixture<HttpHost>
{
    public static TheoryData<string> Methods => ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "Get", "head", "GETS", "QUERY", "M-SEARCH", "!#$%&'*+-.^_`|~"];

    public static IEnumerable<TheoryDataRow<string, string>> HeadRows => new (string Number, string Target, string Fields)[]
    {
        ("7.2.1", "/channels/kept.a", "Accept: text/event-stream\r\n"),
        ("7.2.2", "/channels/kept.a?after=earliest", "Accept: text/event-stream\r\n"),
        ("7.2.3", "/channels/kept.a,b", "Accept: text/event-stream\r\n"),
        ("7.2.4", "/channels/kept.*", "Accept: text/event-stream\r\n"),
        ("7.2.5", "/channels/kept.a", "Accept: application/x-ndjson\r\n"),
        ("7.2.6", "/channels/kept.a?last=1", "Accept: application/x-ndjson\r\n"),
        ("7.2.7", "/channels/kept.a", string.Empty),
        ("7.2.8", "/channels/kept.a?after=latest", string.Empty),
        ("7.2.9", "/channels/kept.a?after=earliest&wait=300", string.Empty),
        ("7.2.10", "/channels/kept.a", "If-None-Match: *\r\n"),
        ("7.2.11", "/channels/", "Accept: text/event-stream\r\n"),
        ("7.2.12", "/channels/a?after=x", string.Empty),
        ("7.2.13", "/channels/a", "Content-Length: 5\r\n"),
        ("7.2.14", "/channels/a", "Last-Event-ID: x\r\n"),
        ("7.2.15", "/echo", string.Empty),
    }.Select(row => new TheoryDataRow<string, string>(row.Target, row.Fields) { TestDisplayName = $"{row.Number} HEAD {row.Target} {row.Fields.Trim()} has the head of GET (9110, 9.3.2)" });

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task AnotherMethodIs405WithThoseThatThereAre(string method)
    {
        foreach (string target in (string[])["/channels/a", "/echo"])
        {
            await using var client = await http.SendAsync($"{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n");
            var answer = await client.ReadRefusalAsync();
            Assert.Equal((405, "GET, HEAD"), (answer.Status, answer.Field("Allow")));
            await http.EndsAsync(client);
            await using var second = await http.SendAsync(Heads.Get("/hello"));
            await second.ReadResponseAsync();
            await second.SendAsync($"{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n");
            answer = await second.ReadAnswerAsync();
            Assert.Equal((405, "GET, HEAD"), (answer.Status, answer.Field("Allow")));
        }
    }

    [Fact]
    public async Task TheInternalListenerTakesPostAsWell()
    {
        await using var client = await http.SendAsync("DELETE /channels/a HTTP/1.1\r\nHost: h\r\n\r\n", http.Host.Internal);
        Assert.Equal("GET, HEAD, POST", (await client.ReadRefusalAsync()).Field("Allow"));
    }

    [Fact]
    public async Task APublishWherePublishingIsNotTakenIs405()
    {
        await using var client = await http.SendAsync("POST /channels/a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        var answer = await client.ReadAnswerAsync();
        Assert.Equal((405, "GET, HEAD"), (answer.Status, answer.Field("Allow")));
    }

    [Theory]
    [MemberData(nameof(HeadRows))]
    public async Task HeadHasTheHeadOfGetAndNoBody(string target, string fields)
    {
        await http.Host.PublishAsync("kept.a", "x");
        foreach (bool isFirst in (bool[])[true, false])
        {
            var get = await AskAsync("GET", target, fields, isFirst);
            var head = await AskAsync("HEAD", target, fields, isFirst);
            Assert.Equal(get.Status, head.Status);
            foreach (string name in (string[])["Content-Type", "Cache-Control", "X-Accel-Buffering", "RawPush-Position", "RawPush-Next", "ETag", "Upgrade"])
            {
                Assert.Equal(get.Field(name), head.Field(name));
            }

            // What Kestrel writes itself it may leave out of a head without a body.
            Assert.Contains(head.Field("Content-Length"), (string?[])[get.Field("Content-Length"), http.IsEpoll && isFirst ? get.Field("Content-Length") : null]);
            Assert.Null(head.Field("Transfer-Encoding"));
        }
    }

    [Fact]
    public async Task WhatFollowsAHeadIsTheNextAnswer()
    {
        await using var client = await http.SendAsync(string.Concat(
            "HEAD /channels/a HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n",
            "HEAD /channels/a HTTP/1.1\r\nHost: h\r\n\r\n",
            Heads.Get("/hello")));
        string first = await client.ReadHeadAsync();
        Assert.Equal("text/event-stream", RawClient.FieldOf(first, "Content-Type"));
        Assert.Equal("application/json", RawClient.FieldOf(await client.ReadHeadAsync(), "Content-Type"));
        Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
    }

    [Fact]
    public async Task AHeadLeavesNoSubscriber()
    {
        await using var client = await http.SendAsync("HEAD /channels/headed HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n");
        await client.ReadHeadAsync();
        await http.Host.SettleAsync();
        Assert.Equal(0, (await http.Host.PublishAsync("headed", "x")).Subscribers);
    }

    [Fact]
    public async Task AHeadNeverBecomesAWebSocket()
    {
        await using var client = await http.SendAsync(Heads.Upgrade("/channels/a").Replace("GET", "HEAD", StringComparison.Ordinal));
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/channels/a", "Bad Field: x\r\n", 400)]
    [InlineData("/channels/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?", "", 414)]
    public async Task ARefusedHeadHasNoBodyEither(string target, string fields, int status)
    {
        string query = status == 414 ? new string('x', 9000) : string.Empty;
        await using var client = await http.SendAsync($"HEAD {target}{query} HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
        Assert.StartsWith($"HTTP/1.1 {status} ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await http.EndsAsync(client);
    }

    [Theory]
    [InlineData("/channels?name=kept.listed")]
    [InlineData("/channels")]
    public async Task HeadOfTheListOfChannelsIsAnsweredToo(string target)
    {
        await http.Host.PublishAsync("kept.listed", "x");
        await using var client = await http.SendAsync($"HEAD {target} HTTP/1.1\r\nHost: h\r\n\r\nHEAD {target} HTTP/1.1\r\nHost: h\r\n\r\n", http.Host.Internal);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/channels/a", "Accept: text/event-stream\r\n", 200)]
    [InlineData("/channels/a", "Accept: application/x-ndjson\r\n", 200)]
    [InlineData("/channels/a", "", 200)]
    [InlineData("/channels/a", "If-None-Match: *\r\n", 304)]
    [InlineData("/channels/", "", 400)]
    [InlineData("/echo", "", 426)]
    public async Task EveryResponseHasADate(string target, string fields, int status)
    {
        var answer = await AskAsync("GET", target, fields, isFirst: true);
        Assert.Equal(status, answer.Status);
        Assert.True(DateTimeOffset.TryParseExact(answer.Field("Date"), "r", System.Globalization.CultureInfo.InvariantCulture, default, out _), answer.Head);
    }

    [Theory]
    [InlineData("/echo", "")]
    [InlineData("/channels/a", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + Heads.Key + "\r\nSec-WebSocket-Version: 8\r\n")]
    public async Task AnAnswerThatAsksForAnUpgradeNamesIt(string target, string fields)
    {
        foreach (bool isFirst in (bool[])[true, false])
        {
            var answer = await AskAsync("GET", target, fields, isFirst);
            Assert.Equal((426, "websocket", "close, Upgrade"), (answer.Status, answer.Field("Upgrade"), answer.Field("Connection")));
            Assert.Equal(fields.Length > 0 ? "13" : null, answer.Field("Sec-WebSocket-Version"));
        }
    }

    [Theory]
    [InlineData("*", 304)]
    [InlineData("\"x\"", 200)]
    [InlineData("\"x\", {0}", 304)]
    [InlineData("{0}, \"x\"", 304)]
    [InlineData("W/{0}", 304)]
    public async Task ATagThatTheClientHasIs304(string value, int status)
    {
        var first = await AskAsync("GET", "/channels/kept.tagged", string.Empty, isFirst: true);
        string field = $"If-None-Match: {value.Replace("{0}", first.Field("ETag"), StringComparison.Ordinal)}\r\n";
        var second = await AskAsync("GET", "/channels/kept.tagged", field, isFirst: true);
        Assert.Equal((status, first.Field("ETag")), (second.Status, second.Field("ETag")));
        Assert.Equal(status == 304, second.Body.Length == 0);
    }

    /// <summary>The answer to a request that is the first of its connection, or stands behind a foreign one and is Kestrel's.</summary>
    private async Task<Answer> AskAsync(string method, string target, string fields, bool isFirst)
    {
        await using var client = await http.SendAsync(isFirst ? string.Empty : Heads.Get("/hello"));
        if (!isFirst)
        {
            await client.ReadResponseAsync();
        }

        await client.SendAsync($"{method} {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
        return method == "HEAD" ? new Answer(await client.ReadHeadAsync(), string.Empty) : await client.ReadAnswerAsync();
    }
}
