using System.Text.Json;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>A stream of messages that comes through a proxy, with its heartbeats.</summary>
/// <remarks>Over HTTP by .NET's client, since a proxy may put a stream into chunks; a WebSocket by hand, since .NET's shows no pings.</remarks>
internal sealed class ProxiedFeed : IAsyncDisposable
{
    private readonly StreamReader? _reader;
    private readonly RawClient? _webSocket;

    private ProxiedFeed(FeedKind kind, StreamReader? reader, RawClient? webSocket, string position)
    {
        Kind = kind;
        _reader = reader;
        _webSocket = webSocket;
        Position = position;
    }

    public FeedKind Kind { get; }

    /// <summary>Of the last message or gap; before that, what the response said.</summary>
    public string Position { get; private set; }

    /// <summary>Pings, comments and empty lines so far.</summary>
    public int Heartbeats { get; private set; }

    /// <summary>The raw WebSocket.</summary>
    public RawClient WebSocket => _webSocket!;

    public static async Task<ProxiedFeed> OpenAsync(HttpClient http, FeedKind kind, string channel, string start = "")
    {
        string target = $"/channels/{channel}?format=json&{start}";
        if (kind == FeedKind.WebSocket)
        {
            var client = await RawClient.ConnectAsync(http.BaseAddress!.Port);
            await client.SendAsync(Heads.Upgrade(target));
            string head = await client.ReadHeadAsync();
            Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
            Assert.Equal(Heads.Accept, RawClient.FieldOf(head, "Sec-WebSocket-Accept"));
            return new ProxiedFeed(kind, null, client, RawClient.FieldOf(head, "RawPush-Position")!);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, target)
        {
            Version = http.DefaultRequestVersion,
            VersionPolicy = http.DefaultVersionPolicy,
            Headers = { { "Accept", kind == FeedKind.Events ? "text/event-stream" : "application/x-ndjson" } },
        };
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience.Token);
        response.EnsureSuccessStatusCode();
        var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Patience.Token));
        return new ProxiedFeed(kind, reader, null, response.Headers.GetValues("RawPush-Position").Single());
    }

    /// <summary>The next message or gap.</summary>
    public async Task<FeedItem> NextAsync()
    {
        FeedItem? item = null;
        while (item is null)
        {
            item = await ReadAsync();
        }

        Position = item.Id;
        return item;
    }

    /// <summary>Ends when so many heartbeats have come, and nothing else in between.</summary>
    public async Task BeatAsync(int count)
    {
        while (Heartbeats < count)
        {
            Assert.Null(await ReadAsync());
        }
    }

    /// <summary>Ends when the stream has ended, in whatever way.</summary>
    public async Task EndAsync()
    {
        if (_webSocket is not null)
        {
            await _webSocket.ReadUntilGoneAsync();
            return;
        }

        try
        {
            await _reader!.ReadToEndAsync(Patience.Token);
        }
        catch (IOException)
        {
            // Cut in the middle: an end as well.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _reader?.Dispose();
        if (_webSocket is not null)
        {
            await _webSocket.DisposeAsync();
        }
    }

    // Null for what is no message.
    private Task<FeedItem?> ReadAsync() => Kind switch
    {
        FeedKind.WebSocket => ReadFrameAsync(),
        FeedKind.Events => ReadEventLineAsync(),
        _ => ReadLineAsync(),
    };

    private async Task<FeedItem?> ReadFrameAsync()
    {
        var frame = await _webSocket!.ReadFrameAsync();
        if (frame.Opcode != Opcode.Ping)
        {
            Assert.True(frame.Opcode == Opcode.Text, $"{frame.Opcode} {frame.Status} {frame.Reason}");
            return FeedItem.OfEnvelope(frame.Text);
        }

        await _webSocket.SendAsync(ClientFrames.Pong(frame.Payload));
        Heartbeats++;
        return null;
    }

    private async Task<FeedItem?> ReadEventLineAsync()
    {
        string line = await NextLineAsync();
        if (line == ":")
        {
            Heartbeats++;
        }

        if (!line.StartsWith("data: ", StringComparison.Ordinal))
        {
            return null;
        }

        var data = JsonDocument.Parse(line["data: ".Length..]).RootElement;
        return data.TryGetProperty("reason", out _) ? FeedItem.OfGap(data) : FeedItem.OfEnvelope(data);
    }

    private async Task<FeedItem?> ReadLineAsync()
    {
        string line = await NextLineAsync();
        if (line.Length > 0)
        {
            return FeedItem.OfEnvelope(line);
        }

        Heartbeats++;
        return null;
    }

    private async Task<string> NextLineAsync()
    {
        string? line = await _reader!.ReadLineAsync(Patience.Token);
        Assert.True(line is not null, "The stream ended.");
        return line;
    }
}
