using System.Text;
using Microsoft.Extensions.Time.Testing;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.Events;

/// <summary>3 and 4. Event streams over sockets, read by the oracle.</summary>
public sealed class EventStreamTests(StreamHost streams) : IClassFixture<StreamHost>
{
    private const string End = "the end of the test";

    public static IEnumerable<TheoryDataRow<string>> Texts => Payloads.Named.Select(row => new TheoryDataRow<string>(row.Number) { TestDisplayName = $"events: {row.Number} {row.Says}" });

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task ATextComesWithItsIdAndLineEndsAsLf(string number)
    {
        string text = Payloads.Named.Single(row => row.Number == number).Text;
        string channel = $"named.events.{number.Replace('.', '-')}";
        string id = await streams.PublishAsync(channel, text);
        string endId = await streams.PublishAsync(channel, End);
        var result = await ReadAsync(Heads.Events($"/channels/{channel}?after=earliest"));
        Assert.Equal(
            [new SseReferenceEvent(id, "message", Payloads.AsSeenByEventSource(text)), new SseReferenceEvent(endId, "message", End)],
            result.Events);
    }

    [Fact(DisplayName = "3.90 Three thousand random texts of a batch come through, live and from the history")]
    public async Task RandomTextsComeThrough()
    {
        string[] texts = [.. Payloads.Random(seed: 4, count: 3000), End];
        var expected = texts.Select(Payloads.AsSeenByEventSource);
        var (live, _) = await streams.OpenAsync(Heads.Events("/channels/random.events"));
        await using (live)
        {
            var reading = ReadAsync(live);
            await streams.PublishAllAsync("random.events", texts);
            Assert.Equal(expected, (await reading).Events.Select(item => item.Data));
        }

        var kept = await ReadAsync(Heads.Events("/channels/random.events?after=earliest"));
        Assert.Equal(expected, kept.Events.Select(item => item.Data));
        Assert.Equal(texts.Length, kept.Events.DistinctBy(item => item.LastEventId).Count());
    }

    [Fact(DisplayName = "3.91 Random texts that are published one by one come through")]
    public async Task RandomTextsThatArePublishedOneByOneComeThrough()
    {
        string[] texts = [.. Payloads.Random(seed: 5, count: 300), End];
        var ids = new List<string>();
        foreach (string text in texts)
        {
            ids.Add(await streams.PublishAsync("single.events", text));
        }

        var result = await ReadAsync(Heads.Events("/channels/single.events?after=earliest"));
        Assert.Equal(texts.Select((text, i) => new SseReferenceEvent(ids[i], "message", Payloads.AsSeenByEventSource(text))), result.Events);
    }

    [Theory]
    [InlineData("price", TestDisplayName = "3.92 An event has the name that its publisher gave")]
    [InlineData("a b: c", TestDisplayName = "3.93 A name may hold spaces and colons")]
    [InlineData(":", TestDisplayName = "3.94 A name may be a colon")]
    public async Task AnEventHasTheNameThatItsPublisherGave(string name)
    {
        string channel = $"name.{Guid.NewGuid():N}";
        await streams.PublishAsync(channel, "x"u8.ToArray(), eventName: name);
        await streams.PublishAsync(channel, End);
        Assert.Equal([name, "message"], (await ReadAsync(Heads.Events($"/channels/{channel}?after=earliest"))).Events.Select(item => item.Type));
    }

    [Fact(DisplayName = "3.95 Bytes come as base64")]
    public async Task BytesComeAsBase64()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value), .. "\r\n\r\n"u8];
        await streams.PublishAsync("bytes.events", bytes, "application/octet-stream");
        await streams.PublishAsync("bytes.events", End);
        Assert.Equal(bytes, Convert.FromBase64String((await ReadAsync(Heads.Events("/channels/bytes.events?after=earliest"))).Events[0].Data));
    }

    [Fact(DisplayName = "3.96 Text that is not UTF-8 is no text, and is in no stream")]
    public async Task TextThatIsNotUtf8IsRefused()
    {
        foreach (byte[] bytes in (byte[][])[[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE4, 0xB8]])
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => streams.PublishAsync("broken.events", bytes));
        }
    }

    [Theory]
    [InlineData("HTTP/1.1", "", TestDisplayName = "4.1 The head of a stream")]
    [InlineData("HTTP/1.1", "Connection: close\r\n", TestDisplayName = "4.2 The head of a stream for a client that wants no more")]
    [InlineData("HTTP/1.0", "", TestDisplayName = "4.3 The head of a stream for HTTP/1.0")]
    public async Task TheHeadSaysWhatProxiesAndClientsNeed(string version, string fields)
    {
        string id = await streams.PublishAsync("headed", "x");
        var (client, head) = await streams.OpenAsync($"GET /channels/headed {version}\r\nHost: h\r\nAccept: text/event-stream\r\n{fields}\r\n");
        await using (client)
        {
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", head, StringComparison.Ordinal);
            Assert.Equal("text/event-stream", RawClient.FieldOf(head, "Content-Type"));
            Assert.Equal("no-store", RawClient.FieldOf(head, "Cache-Control"));
            Assert.Equal("no", RawClient.FieldOf(head, "X-Accel-Buffering"));
            Assert.Equal("close", RawClient.FieldOf(head, "Connection"));
            Assert.Equal(id, RawClient.FieldOf(head, "RawPush-Position"));
            Assert.NotNull(RawClient.FieldOf(head, "Date"));
            Assert.Null(RawClient.FieldOf(head, "Content-Length"));
            Assert.Null(RawClient.FieldOf(head, "Transfer-Encoding"));

            // A client that is cut now resumes here, and is shown nothing.
            var first = SseReferenceParser.Parse(Encoding.UTF8.GetBytes(await client.ReadUntilAsync("\n\n")));
            Assert.Equal((id, 0), (first.LastEventId, first.Events.Count));
        }
    }

    [Fact(DisplayName = "4.4 A stream begins without a byte order mark")]
    public async Task AStreamBeginsWithoutAByteOrderMark()
    {
        await streams.PublishAsync("marked", "\uFEFFx");
        var (client, _) = await streams.OpenAsync(Heads.Events("/channels/marked?after=earliest"));
        await using (client)
        {
            Assert.Equal(":\n\nid: "u8.ToArray(), await client.ReadExactlyAsync(7));
            Assert.EndsWith("data: \uFEFFx\n\n", await client.ReadUntilAsync("x\n\n"), StringComparison.Ordinal);
        }
    }

    [Fact(DisplayName = "4.5 HEAD has the fields of the stream, and nothing behind them")]
    public async Task HeadHasTheFieldsOfTheStream()
    {
        string id = await streams.PublishAsync("probed", "x");
        var (client, head) = await streams.OpenAsync(Heads.Events("/channels/probed").Replace("GET", "HEAD", StringComparison.Ordinal) + Heads.Get("/hello"));
        await using (client)
        {
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", head, StringComparison.Ordinal);
            Assert.Equal(("text/event-stream", "no-store", id), (RawClient.FieldOf(head, "Content-Type"), RawClient.FieldOf(head, "Cache-Control"), RawClient.FieldOf(head, "RawPush-Position")));
            Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
        }
    }

    [Fact(DisplayName = "4.6 Silence is broken by comments, which nobody is shown")]
    public async Task SilenceIsBrokenByComments()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Time = new FakeTimeProvider());
        await using var client = await host.OpenEventsAsync("/channels/a");
        for (int i = 0; i < 3; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(27));
            string text = await client.ReadUntilAsync("\n\n");
            var result = SseReferenceParser.Parse(Encoding.UTF8.GetBytes(text));
            Assert.Equal([""], result.Comments);
            Assert.Empty(result.Events);
            Assert.True(result.IsComplete);
        }
    }

    [Fact(DisplayName = "4.7 A stream that the server ends is whole, and says when to come back")]
    public async Task AStreamThatTheServerEndsSaysWhenToComeBack()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.OpenEventsAsync("/channels/a");
        await host.PublishAsync("a", "last");
        await host.StopAsync();
        var result = SseReferenceParser.Parse(await client.ReadToEndAsync());
        Assert.Equal(["last"], result.Events.Select(item => item.Data));
        Assert.True(result.IsComplete);
        Assert.InRange(result.RetryMs!.Value, 1000, 5000);
    }

    private async Task<SseReferenceResult> ReadAsync(string request)
    {
        var (client, _) = await streams.OpenAsync(request);
        await using (client)
        {
            return await ReadAsync(client);
        }
    }

    private static async Task<SseReferenceResult> ReadAsync(RawClient client) =>
        SseReferenceParser.Parse(Encoding.UTF8.GetBytes(await client.ReadUntilAsync($"data: {End}\n\n")));
}
