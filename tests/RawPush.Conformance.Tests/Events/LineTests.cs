using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Events;

/// <summary>5. JSON lines over sockets, read by System.Text.Json: a line is a value (RFC 8259), and a text is in it as it was published.</summary>
public sealed class LineTests(StreamHost streams) : IClassFixture<StreamHost>
{
    private const string End = "the end of the test";

    public static IEnumerable<TheoryDataRow<string>> Texts => Payloads.Named.Select(row => new TheoryDataRow<string>(row.Number) { TestDisplayName = $"lines: 5.{row.Number} {row.Says}" });

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task ATextComesAsItWasPublished(string number)
    {
        string text = Payloads.Named.Single(row => row.Number == number).Text;
        string channel = $"named.lines.{number.Replace('.', '-')}";
        string id = await streams.PublishAsync(channel, text);
        string endId = await streams.PublishAsync(channel, End);
        Assert.Equal([(channel, id, text), (channel, endId, End)], await ReadAsync($"/channels/{channel}?after=earliest"));
    }

    [Fact(DisplayName = "5.90 Three thousand random texts of a batch come through as they are")]
    public async Task RandomTextsComeThrough()
    {
        string[] texts = [.. Payloads.Random(seed: 6, count: 3000), End];
        await streams.PublishAllAsync("random.lines", texts);
        Assert.Equal(texts, (await ReadAsync("/channels/random.lines?after=earliest")).Select(line => line.Data));
    }

    [Fact(DisplayName = "5.91 Bytes come as base64, and say so")]
    public async Task BytesComeAsBase64()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        await streams.PublishAsync("bytes.lines", bytes, "application/octet-stream");
        await using var client = await OpenAsync("/channels/bytes.lines?after=earliest");
        var line = JsonDocument.Parse(await client.ReadUntilAsync("\n")).RootElement;
        Assert.Equal("base64", line.GetProperty("encoding").GetString());
        Assert.Equal(bytes, line.GetProperty("data").GetBytesFromBase64());
    }

    [Theory]
    [InlineData("HTTP/1.1", "", TestDisplayName = "5.92 The head of lines")]
    [InlineData("HTTP/1.1", "Connection: close\r\n", TestDisplayName = "5.93 The head of lines for a client that wants no more")]
    [InlineData("HTTP/1.0", "", TestDisplayName = "5.94 The head of lines for HTTP/1.0")]
    public async Task TheHeadSaysWhatProxiesAndClientsNeed(string version, string fields)
    {
        string id = await streams.PublishAsync("headed.lines", "x");
        var (client, head) = await streams.OpenAsync($"GET /channels/headed.lines {version}\r\nHost: h\r\nAccept: application/x-ndjson\r\n{fields}\r\n");
        await using (client)
        {
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", head, StringComparison.Ordinal);
            Assert.Equal(("application/x-ndjson", "no-store", "no"), (RawClient.FieldOf(head, "Content-Type"), RawClient.FieldOf(head, "Cache-Control"), RawClient.FieldOf(head, "X-Accel-Buffering")));
            Assert.Equal(("close", id), (RawClient.FieldOf(head, "Connection"), RawClient.FieldOf(head, "RawPush-Position")));
            Assert.Null(RawClient.FieldOf(head, "Content-Length"));
            Assert.Null(RawClient.FieldOf(head, "Transfer-Encoding"));
        }
    }

    [Fact(DisplayName = "5.95 Silence is broken by empty lines, and the end is orderly")]
    public async Task SilenceIsBrokenByEmptyLines()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Time = new FakeTimeProvider());
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Lines("/channels/a"));
        await client.ReadHeadAsync();
        Assert.Equal("\n", await client.ReadUntilAsync("\n"));
        await host.AdvanceAsync(TimeSpan.FromSeconds(27));
        Assert.Equal("\n", await client.ReadUntilAsync("\n"));
        await host.PublishAsync("a", "x");
        Assert.Equal("x", JsonDocument.Parse(await client.ReadUntilAsync("\n")).RootElement.GetProperty("data").GetString());
    }

    /// <summary>Behind the head of one that comes for what is kept stands an empty line.</summary>
    private async Task<RawClient> OpenAsync(string target)
    {
        var (client, _) = await streams.OpenAsync(Heads.Lines(target));
        Assert.Equal("\n", await client.ReadUntilAsync("\n"));
        return client;
    }

    private async Task<List<(string Channel, string Id, string Data)>> ReadAsync(string target)
    {
        await using var client = await OpenAsync(target);
        var lines = new List<(string Channel, string Id, string Data)>();
        do
        {
            string text = await client.ReadUntilAsync("\n");
            Assert.DoesNotContain('\r', text);
            var line = JsonDocument.Parse(text).RootElement;
            lines.Add((line.GetProperty("channel").GetString()!, line.GetProperty("id").GetString()!, line.GetProperty("data").GetString()!));
        }
        while (lines[^1].Data != End);
        return lines;
    }
}
