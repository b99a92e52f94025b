using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Http;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Publishing;

/// <summary>Many messages in one request: a line each, and a line of answer each.</summary>
public sealed class BatchTests
{
    [Fact]
    public async Task EachLineIsAnsweredInOrderAndAWrongOneStopsNoOther()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a,b");
        var answers = await PostAsync(host, "/channels", """
            {"channel":"a","data":"1"}
            nonsense
            {"channel":"b","data":"2"}
            {"channel":"a b","data":"x"}
            {"channel":"nobody","data":"x"}
            {"channel":"a","data":"3"}
            """);
        Assert.Equal([200, 400, 200, 400, 200, 200], answers.Select(StatusOf));
        Assert.Equal([1, 1, 0, 1], answers.Where(answer => StatusOf(answer) == 200).Select(answer => answer.GetProperty("subscribers").GetInt32()));
        foreach (int i in (int[])[0, 2, 5])
        {
            var envelope = JsonDocument.Parse((await client.ReadFrameAsync()).Text).RootElement;
            Assert.Equal(answers[i].GetProperty("id").GetString(), envelope.GetProperty("id").GetString());
        }
    }

    [Theory]
    [InlineData("{\"data\":\"1\"}", "1")]
    [InlineData("{\"data\":\"1\"}\n", "1")]
    [InlineData("\n\n{\"data\":\"1\"}\n\n\r\n  \n{\"data\":\"2\"}\n\n", "1 2")]
    [InlineData("{\"data\":\"1\"}\r\n{\"data\":\"2\"}\r\n", "1 2")]
    [InlineData(" {\"data\" : \"1\" } \t\n\t{\"data\":\"2\"}", "1 2")]
    [InlineData("", "")]
    [InlineData("\n", "")]
    public async Task LinesEndAsLinesDoAndEmptyOnesDoNotCount(string body, string expected)
    {
        await using var host = await Histories.StartAsync();
        string[] data = expected.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var answers = await PostAsync(host, "/channels/a", body);
        Assert.Equal(data.Length, answers.Count);
        Assert.Equal(data, await HistoryAsync(host));
    }

    [Theory]
    [InlineData("{\"data\":\"x\"}", "x")]
    [InlineData("{\"data\":\"\"}", "")]
    [InlineData("{\"data\":{\"any\": [1, \"JSON\"]}}", "{\"any\": [1, \"JSON\"]}")]
    [InlineData("{\"data\":[1,2]}", "[1,2]")]
    [InlineData("{\"data\":1.50}", "1.50")]
    [InlineData("{\"data\":null}", "null")]
    [InlineData("{\"data\":true}", "true")]
    [InlineData("{\"data\":\"gr\\u00fc\\u00dfe \\ud83c\\udf89 \\n\"}", "grüße 🎉 \n")]
    [InlineData("{\"data\":\"grüße 🎉\"}", "grüße 🎉")]
    [InlineData("{\"channel\":\"a\",\"data\":\"x\"}", "x")]
    [InlineData("{\"data\":{\"half\":\"\\ud800\"}}", "{\"half\":\"\\ud800\"}")]
    public async Task DataIsPublishedAsItIs(string line, string expected)
    {
        await using var host = await Histories.StartAsync();
        Assert.Equal(200, StatusOf(Assert.Single(await PostAsync(host, "/channels/a", line))));
        Assert.Equal([expected], await HistoryAsync(host));
    }

    [Fact]
    public async Task Base64IsABinaryMessage()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        await PostAsync(host, "/channels/a", "{\"data\":\"AP8B\",\"encoding\":\"base64\"}");
        var frame = await client.ReadFrameAsync();
        Assert.Equal(Opcode.Binary, frame.Opcode);
        Assert.Equal([0, 255, 1], frame.Payload);
    }

    [Theory]
    [InlineData("[]", "a line is a JSON object")]
    [InlineData("\"text\"", "a line is a JSON object")]
    [InlineData("{\"data\":\"x\"", "the line is not JSON")]
    [InlineData("{\"data\":\"x\"} {}", "the line is not JSON")]
    [InlineData("{}", "data is missing")]
    [InlineData("{\"data\":\"x\",\"dta\":1}", "a message has channel, data, encoding, event")]
    [InlineData("{\"data\":\"x\",\"key\":1}", "key is a string")]
    [InlineData("{\"data\":\"x\",\"event\":null}", "event is a string")]
    [InlineData("{\"data\":\"x\",\"expires\":\"1\"}", "expires is a number of seconds")]
    [InlineData("{\"data\":\"x\",\"expires\":0}", "a message expires after more than 0 seconds and at most 365 days")]
    [InlineData("{\"data\":\"x\",\"expires\":1e300}", "a message expires after more than 0 seconds and at most 365 days")]
    [InlineData("{\"data\":\"x\",\"expires\":-1}", "a message expires after more than 0 seconds and at most 365 days")]
    [InlineData("{\"data\":\"x\",\"encoding\":\"hex\"}", "encoding is base64, and data then a string in it")]
    [InlineData("{\"data\":\"x y\",\"encoding\":\"base64\"}", "encoding is base64, and data then a string in it")]
    [InlineData("{\"data\":{},\"encoding\":\"base64\"}", "encoding is base64, and data then a string in it")]
    [InlineData("{\"data\":\"\\ud800\"}", "the line has text that is not Unicode")]
    [InlineData("{\"data\":\"x\",\"key\":\"\\udc00\"}", "the line has text that is not Unicode")]
    [InlineData("{\"channel\":\"\\ud800\",\"data\":\"x\"}", "the line has text that is not Unicode")]
    [InlineData("{\"\\ud800\":1,\"data\":\"x\"}", "the line has text that is not Unicode")]
    [InlineData("{\"channel\":\"b\",\"data\":\"x\"}", "the address of the batch names another channel")]
    [InlineData("{\"channel\":\"a.*\",\"data\":\"x\"}", "a channel name must not contain")]
    [InlineData("{\"data\":\"x\",\"event\":\"rawpush.gap\"}", "event names under 'rawpush.' are reserved")]
    [InlineData("{\"data\":\"x\",\"key\":\"\"}", "a key is 1 to 255 bytes long and has no control characters")]
    public async Task ALineThatIsWrongIsToldWhyAndTheNextIsPublished(string line, string error)
    {
        await using var host = await Histories.StartAsync();
        var answers = await PostAsync(host, "/channels/a", line + "\n{\"data\":\"good\"}");
        Assert.Equal([400, 200], answers.Select(StatusOf));
        Assert.StartsWith(error, answers[0].GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(["good"], await HistoryAsync(host));
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task BytesThatAreNoUtf8AreNotJson()
    {
        await using var host = await Histories.StartAsync();
        var answers = await PostAsync(host, "/channels/a", [.. "{\"data\":\""u8, 0xC3, 0x28, .. "\"}\n{\"data\":\"good\"}"u8]);
        Assert.Equal([400, 200], answers.Select(StatusOf));
        Assert.Equal(["good"], await HistoryAsync(host));
    }

    [Fact]
    public async Task WithoutAChannelInTheAddressEachLineNeedsOne()
    {
        await using var host = await PushHost.StartAsync();
        var answers = await PostAsync(host, "/channels", "{\"data\":\"x\"}\n{\"channel\":\"a\",\"data\":\"x\"}");
        Assert.Equal([400, 200], answers.Select(StatusOf));
        Assert.Equal("channel is missing", answers[0].GetProperty("error").GetString());
    }

    [Fact]
    public async Task TraitsOfALineAreThoseOfTheMessage()
    {
        await using var host = await Histories.StartAsync();
        string[] lines =
        [
            "{\"data\":\"x\",\"event\":\"said\",\"key\":\"k\",\"expires\":60.5,\"idempotencyKey\":\"i\"}",
            "{\"data\":\"y\",\"idempotencyKey\":\"i\"}",
        ];
        var answers = await PostAsync(host, "/channels/a", string.Join('\n', lines));
        Assert.Equal(answers[0].GetProperty("id").GetString(), answers[1].GetProperty("id").GetString());
        Assert.True(answers[1].GetProperty("duplicate").GetBoolean());
        await using var feed = await host.ConnectAsync();
        await feed.SendAsync(Heads.Lines("/channels/a?after=earliest"));
        await feed.ReadHeadAsync();
        await feed.ReadUntilAsync("\n");
        var envelope = JsonDocument.Parse(await feed.ReadUntilAsync("\n")).RootElement;
        Assert.Equal(("said", "k", "x"), (envelope.GetProperty("event").GetString(), envelope.GetProperty("key").GetString(), envelope.GetProperty("data").GetString()));
    }

    [Fact]
    public async Task WhereverTheLinesAreCutOnTheirWayTheyAreTheSame()
    {
        await using var host = await Histories.StartAsync();
        byte[] body = Encoding.UTF8.GetBytes("{\"data\":\"ü\"}\r\n\n{\"data\":\"2\"}\nx\n{\"data\":\"3\"}");
        for (int cut = 0; cut <= body.Length; cut++)
        {
            await using var publisher = await host.ConnectAsync(host.Internal);
            await publisher.SendAsync($"POST /channels/a{cut} HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-ndjson\r\nContent-Length: {body.Length}\r\n\r\n");
            await publisher.SendAsync(body.AsMemory(0, cut));
            await Task.Yield();
            await publisher.SendAsync(body.AsMemory(cut));
            var (head, answer) = await publisher.ReadResponseAsync();
            Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
            Assert.Equal([200, 200, 400, 200], Parse(answer).Select(StatusOf));
            Assert.Equal(["ü", "2", "3"], await HistoryAsync(host, $"a{cut}"));
        }
    }

    [Fact]
    public async Task AByteAtATimeInChunksItIsTheSameToo()
    {
        await using var host = await Histories.StartAsync();
        await using var publisher = await host.ConnectAsync(host.Internal);
        await publisher.SendAsync("POST /channels/a HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
        foreach (char character in "{\"data\":\"1\"}\n{\"data\":\"2\"}")
        {
            await publisher.SendAsync($"1\r\n{character}\r\n");
        }

        await publisher.SendAsync("0\r\n\r\n");
        Assert.Equal([200, 200], Parse((await publisher.ReadResponseAsync()).Body).Select(StatusOf));
        Assert.Equal(["1", "2"], await HistoryAsync(host));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task ABatchHasSoManyLines(int over)
    {
        await using var host = await Histories.StartAsync(entries: BatchPublisher.LinesMax + 1);
        string body = string.Concat(Enumerable.Range(0, BatchPublisher.LinesMax + over).Select(i => $"{{\"data\":\"{i}\"}}\n"));
        var answers = await PostAsync(host, "/channels/a", body);
        Assert.Equal(BatchPublisher.LinesMax + over, answers.Count);
        Assert.All(answers.Take(BatchPublisher.LinesMax), answer => Assert.Equal(200, StatusOf(answer)));
        Assert.All(answers.Skip(BatchPublisher.LinesMax), answer => Assert.Equal(413, StatusOf(answer)));
        Assert.Equal(BatchPublisher.LinesMax, (await host.PublishAsync("a", "last")).Id.Sequence - 1);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task EmptyLinesDoNotCountToTheLimit()
    {
        await using var host = await PushHost.StartAsync();
        string body = string.Concat(Enumerable.Repeat("\n{\"data\":1}\n\n", BatchPublisher.LinesMax));
        Assert.All(await PostAsync(host, "/channels/a", body), answer => Assert.Equal(200, StatusOf(answer)));
    }

    [Theory]
    [InlineData(1000, 200)]
    [InlineData(1001, 413)]
    public async Task AMessageInALineMayBeAsLongAsAnyOther(int length, int expected)
    {
        await using var host = await Histories.StartAsync(configure: setup => setup.Options = options => options.MessageBytesMax = 1000);

        // Each byte as an escape, which takes six.
        string text = string.Concat(Enumerable.Repeat("\\u0001", length));
        var answers = await PostAsync(host, "/channels/a", $"{{\"data\":\"{text}\"}}\n{{\"data\":\"next\"}}");
        Assert.Equal([expected, 200], answers.Select(StatusOf));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("")]
    public async Task ALineOverTheLimitEndsTheBatchAndWhatCameBeforeItStays(string end)
    {
        await using var host = await Histories.StartAsync(configure: setup => setup.Options = options => options.MessageBytesMax = 1000);
        string line = $"{{\"data\":\"{new string('x', 20_000)}\"}}";
        var answers = await PostAsync(host, "/channels/a", $"{{\"data\":\"first\"}}\n{line}{end}{(end.Length > 0 ? "{\"data\":\"never\"}" : string.Empty)}");
        Assert.Equal([200, 413], answers.Select(StatusOf));
        Assert.Equal(["first"], await HistoryAsync(host));
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Theory]
    [InlineData(10_096 - 10, 200)]
    [InlineData(10_096 - 9, 413)]
    public async Task WhiteSpaceAroundALineCountsToItsLength(int spaces, int expected)
    {
        await using var host = await Histories.StartAsync(configure: setup => setup.Options = options => options.MessageBytesMax = 1000);
        var answers = await PostAsync(host, "/channels/a", $"{new string(' ', spaces)}{{\"data\":1}}\n");
        Assert.Equal([expected], answers.Select(StatusOf));
    }

    [Theory]
    [InlineData("/channels", "POST", 405)]
    [InlineData("/channels/a", "POST", 405)]
    public async Task ThePublicListenerTakesNone(string target, string method, int expected)
    {
        await using var host = await Histories.StartAsync();
        await using var publisher = await host.ConnectAsync();
        await publisher.SendAsync($"{method} {target} HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-ndjson\r\nContent-Length: 29\r\n\r\n{{\"channel\":\"a\",\"data\":\"xyzw\"}}");
        Assert.StartsWith($"HTTP/1.1 {expected} ", (await publisher.ReadResponseAsync()).Head, StringComparison.Ordinal);
        Assert.Empty(await HistoryAsync(host));
    }

    [Theory]
    [InlineData("PUT", "/channels", "application/x-ndjson", HttpStatusCode.MethodNotAllowed)]
    [InlineData("DELETE", "/channels", "application/x-ndjson", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "/channels", "text/plain", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/channels/", "text/plain", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/channels/a,b", "application/x-ndjson", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/channels/a.*", "application/x-ndjson", HttpStatusCode.BadRequest)]
    public async Task WhatIsNoBatchIsRefused(string method, string target, string type, HttpStatusCode expected)
    {
        await using var host = await PushHost.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), target) { Content = new ByteArrayContent("{\"data\":1}"u8.ToArray()) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        using var response = await host.Http.SendAsync(request, Patience.Token);
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task TheTypeMayHaveParametersAndCapitals()
    {
        await using var host = await Histories.StartAsync();
        Assert.Single(await PostAsync(host, "/channels/a", "{\"data\":\"x\"}"u8.ToArray(), "Application/X-NDJSON; charset=utf-8"));
        Assert.Equal(["x"], await HistoryAsync(host));
    }

    private static int StatusOf(JsonElement answer) => answer.TryGetProperty("status", out var status) ? status.GetInt32() : 200;

    private static async Task<string[]> HistoryAsync(PushHost host, string channel = "a")
    {
        string json = await host.Http.GetStringAsync($"/channels/{channel}?limit=1000", Patience.Token);
        return [.. JsonDocument.Parse(json).RootElement.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("data").GetString()!)];
    }

    private static Task<List<JsonElement>> PostAsync(PushHost host, string target, string body) => PostAsync(host, target, Encoding.UTF8.GetBytes(body));

    private static async Task<List<JsonElement>> PostAsync(PushHost host, string target, byte[] body, string type = "application/x-ndjson")
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        using var response = await host.Http.PostAsync(target, content, Patience.Token);
        string text = await response.Content.ReadAsStringAsync(Patience.Token);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.ToString());
        return Parse(text);
    }

    private static List<JsonElement> Parse(string lines) =>
        [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
}
