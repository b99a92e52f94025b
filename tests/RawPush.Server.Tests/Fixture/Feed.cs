using System.Text.Json;
using RawPush.Protocol.WebSockets;

namespace RawPush.Server.Tests.Fixture;

/// <summary>The ways to get messages that carry ids.</summary>
public enum FeedKind
{
    Events,
    Lines,
    WebSocket,
    LongPolls,
    ShortPolls,
}

/// <summary>A message or a gap notice, as a client gets it on whichever transport.</summary>
/// <param name="Channel">Null where the transport does not say.</param>
/// <param name="Id">Of the message, or the end of the gap.</param>
/// <param name="Data">Null for a gap.</param>
/// <param name="Gap">Null for a message.</param>
internal sealed record FeedItem(string? Channel, string Id, string? Data, JsonElement? Gap)
{
    public string? Reason => Gap?.GetProperty("reason").GetString();

    public string? From => Gap?.GetProperty("from").GetString();

    public static FeedItem OfEnvelope(string json) => OfEnvelope(JsonDocument.Parse(json).RootElement);

    public static FeedItem OfEnvelope(JsonElement envelope) => envelope.TryGetProperty("gap", out var gap)
        ? OfGap(gap)
        : new FeedItem(envelope.GetProperty("channel").GetString(), envelope.GetProperty("id").GetString()!, envelope.GetProperty("data").GetString(), null);

    public static FeedItem OfGap(JsonElement gap) =>
        new(gap.TryGetProperty("channel", out var channel) ? channel.GetString() : null, gap.GetProperty("to").GetString()!, null, gap);
}

/// <summary>A client on one of the transports, which remembers where it is.</summary>
internal sealed class Feed : IAsyncDisposable
{
    private readonly RawClient _client;
    private readonly FeedKind _kind;
    private readonly string _address;
    private readonly Queue<FeedItem> _polled = new();
    private string _next = string.Empty;

    private Feed(RawClient client, FeedKind kind, string address)
    {
        _client = client;
        _kind = kind;
        _address = address;
    }

    public static TheoryData<FeedKind> Kinds => [.. Enum.GetValues<FeedKind>()];

    public static TheoryData<FeedKind> Streams => [FeedKind.Events, FeedKind.Lines, FeedKind.WebSocket];

    /// <summary>Of the last item; before that, what the response said.</summary>
    public string Position { get; private set; } = string.Empty;

    public RawClient Client => _client;

    /// <summary>Opens a feed of channels.</summary>
    /// <param name="host">Where.</param>
    /// <param name="kind">How.</param>
    /// <param name="channels">As they stand in the address.</param>
    /// <param name="start">A query as <c>after=…</c>, or nothing.</param>
    public static async Task<Feed> OpenAsync(PushHost host, FeedKind kind, string channels, string start = "")
    {
        string address = $"/channels/{channels}?{(kind == FeedKind.WebSocket ? "format=json&" : string.Empty)}";
        var feed = new Feed(await host.ConnectAsync(), kind, address) { _next = start };
        if (kind is FeedKind.LongPolls or FeedKind.ShortPolls)
        {
            feed.Position = start.StartsWith("after=", StringComparison.Ordinal) ? start["after=".Length..] : string.Empty;
            return feed;
        }

        await feed._client.SendAsync(kind switch
        {
            FeedKind.Events => Heads.Events(address + start),
            FeedKind.Lines => Heads.Lines(address + start),
            _ => Heads.Upgrade(address + start),
        });
        string head = await feed._client.ReadHeadAsync();
        Assert.Matches("^HTTP/1.1 (200|101) ", head);
        feed.Position = RawClient.FieldOf(head, "RawPush-Position")!;
        return feed;
    }

    /// <summary>The next message or gap.</summary>
    public async Task<FeedItem> NextAsync()
    {
        var item = await ReadAsync();
        Position = item.Id;
        return item;
    }

    /// <summary>The next messages' data.</summary>
    public async Task<string[]> NextAsync(int count)
    {
        string[] data = new string[count];
        for (int i = 0; i < count; i++)
        {
            var item = await NextAsync();
            Assert.True(item.Data is not null, $"A gap: {item.Gap}");
            data[i] = item.Data;
        }

        return data;
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async Task<FeedItem> ReadAsync() => _kind switch
    {
        FeedKind.Events => await ReadEventAsync(),
        FeedKind.Lines => FeedItem.OfEnvelope(await ReadLineAsync()),
        FeedKind.WebSocket => FeedItem.OfEnvelope(await ReadTextAsync()),
        _ => await PollAsync(),
    };

    private async Task<string> ReadTextAsync()
    {
        var frame = await _client.ReadFrameAsync();
        Assert.True(frame.Opcode == Opcode.Text, $"{frame.Opcode} {frame.Status} {frame.Reason}");
        return frame.Text;
    }

    private async Task<string> ReadLineAsync()
    {
        string line = string.Empty;
        while (line.Length == 0)
        {
            line = (await _client.ReadUntilAsync("\n")).TrimEnd('\n');
        }

        return line;
    }

    private async Task<FeedItem> ReadEventAsync()
    {
        while (true)
        {
            string[] lines = (await _client.ReadUntilAsync("\n\n")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            string? Field(string name) => lines.Where(line => line.StartsWith(name + ": ", StringComparison.Ordinal)).Select(line => line[(name.Length + 2)..]).SingleOrDefault();
            if (Field("data") is not { } data)
            {
                // A comment, or the position alone.
                Position = Field("id") ?? Position;
                continue;
            }

            string? name = Field("event");
            if (name == "rawpush.gap")
            {
                var gap = JsonDocument.Parse(data).RootElement;
                Assert.Equal(gap.GetProperty("to").GetString(), Field("id"));
                return FeedItem.OfGap(gap);
            }

            return name is null && data.StartsWith("{\"channel\":", StringComparison.Ordinal) ? FeedItem.OfEnvelope(data) : new FeedItem(name, Field("id")!, data, null);
        }
    }

    private async Task<FeedItem> PollAsync()
    {
        while (_polled.Count == 0)
        {
            await _client.SendAsync(Heads.Get($"{_address}{_next}{(_kind == FeedKind.LongPolls ? "&wait=30" : string.Empty)}"));
            var (head, body) = await _client.ReadResponseAsync();
            Assert.StartsWith("HTTP/1.1 20", head, StringComparison.Ordinal);
            string next = RawClient.FieldOf(head, "RawPush-Next")!;
            _next = "after=" + next;
            if (body.Length == 0)
            {
                continue;
            }

            var answer = JsonDocument.Parse(body).RootElement;
            Assert.Equal(next, answer.GetProperty("next").GetString());
            var gaps = answer.TryGetProperty("gaps", out var some) ? some.EnumerateArray().Select(FeedItem.OfGap) : [];
            var messages = answer.GetProperty("messages").EnumerateArray().Select(FeedItem.OfEnvelope);

            // An answer does not say what came first; what the gap ends before comes after it.
            foreach (var item in gaps.Concat(messages))
            {
                _polled.Enqueue(item);
            }
        }

        return _polled.Dequeue();
    }
}
