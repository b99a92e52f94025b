using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Protocol.Http;
using RawPush.Server.Connections;
using RawPush.Server.Messages;
using RawPush.Server.Sessions;

namespace RawPush.Server.Requests;

/// <summary>How an accepted request will be served: as a stream of events or lines, unless it says something else.</summary>
/// <param name="Channels">What to subscribe to, without repeats; empty for a handler's own address.</param>
/// <param name="Start">Where to start.</param>
/// <param name="Format">How entries are encoded.</param>
internal sealed record PushPlan(ChannelFilter[] Channels, StartPoint Start, WireFormat Format)
{
    /// <summary>Room for any response head, and what follows it at once.</summary>
    public const int HeadBytesMax = 512;

    /// <summary>Whose request it is; null for nobody in particular.</summary>
    public string? User { get; init; }

    /// <summary>What the upgrade needs; null for no upgrade.</summary>
    public WebSocketPlan? WebSocket { get; init; }

    /// <summary>What a poll needs; null for no poll.</summary>
    public PollPlan? Poll { get; init; }

    /// <summary>What the head of a stream without the stream needs; null if the method is not HEAD, or a poll answers it.</summary>
    public HeadPlan? Head { get; init; }

    /// <summary>There is one answer, which the session gives when it has it; otherwise the response head comes at once, and before the session.</summary>
    public bool IsAnsweredOnce => Poll is not null || Head is not null;

    private bool IsEventStream => WebSocket is null && Format != WireFormat.JsonLine;

    public ClientSession CreateSession(SessionServices services, ClientTransport transport)
    {
        if (Poll is not null)
        {
            return new PollSession(services, transport, Poll);
        }

        if (Head is not null)
        {
            return new HeadSession(services, transport, this);
        }

        return WebSocket is null
            ? new StreamSession(services, transport, Format)
            : new WebSocketSession(services, transport, WebSocket.Extension is null ? Format : Format.Deflated(), WebSocket);
    }

    /// <summary>Writes the response head of a stream or an upgrade and what follows it at once, for a transport on which we do that ourselves. Returns its length.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="position">Where the client starts.</param>
    /// <param name="date">The time of day, as a field value.</param>
    public int WriteResponseHead(Span<byte> destination, MessageId position, ReadOnlySpan<byte> date)
    {
        var head = new ResponseHeadWriter(destination, WebSocket is null ? 200 : 101);
        if (WebSocket is null)
        {
            // RFC 9110 section 6.6.1: all but 1xx and 5xx must have it.
            head.Field("Date"u8, date);
        }

        foreach (var (name, value) in Fields(position))
        {
            head.Field(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
        }

        // The stream has no length: it ends with the connection (RFC 9112 section 6.3), or stops being HTTP.
        head.Field("Connection"u8, WebSocket is null ? "close"u8 : "Upgrade"u8);
        int length = head.End();
        return length + WriteFirstBytes(destination[length..], position);
    }

    /// <summary>Writes what a stream begins with: an event without data, which only tells an EventSource where it is, should it be cut before the first message
    /// (WHATWG HTML section 9.2.6). One that comes back knows already, and gets a heartbeat: nginx keeps the head from a client of HTTP/2 until something follows it.</summary>
    public int WriteFirstBytes(Span<byte> destination, MessageId position)
    {
        if (WebSocket is not null)
        {
            return 0;
        }

        if (!IsEventStream || !Start.IsLatest)
        {
            var heartbeat = StreamSession.HeartbeatOf(IsEventStream);
            heartbeat.CopyTo(destination);
            return heartbeat.Length;
        }

        System.Text.Unicode.Utf8.TryWrite(destination, $"id: {position}\n\n", out int length);
        return length;
    }

    /// <summary>The response's fields, but for <c>Connection</c>, which belongs to whoever writes the head.</summary>
    public IEnumerable<(string Name, string Value)> Fields(MessageId position)
    {
        if (Channels.Length > 0)
        {
            yield return ("RawPush-Position", position.ToString());
        }

        if (WebSocket is null)
        {
            yield return ("Content-Type", IsEventStream ? "text/event-stream" : "application/x-ndjson");
            yield return ("Cache-Control", "no-store");

            // nginx would otherwise collect events until its buffer is full.
            yield return ("X-Accel-Buffering", "no");
            yield break;
        }

        yield return ("Upgrade", "websocket");
        yield return ("Sec-WebSocket-Accept", Encoding.ASCII.GetString(WebSocket.Accept));
        if (WebSocket.Subprotocol is not null)
        {
            yield return ("Sec-WebSocket-Protocol", WebSocket.Subprotocol);
        }

        if (WebSocket.Extension is not null)
        {
            yield return ("Sec-WebSocket-Extensions", WebSocket.Extension);
        }
    }
}

/// <summary>What a WebSocket needs beyond the rest.</summary>
/// <param name="Accept">The value of <c>Sec-WebSocket-Accept</c>.</param>
/// <param name="Subprotocol">The one chosen; null for none.</param>
/// <param name="Extension">The answer to the client's offer of permessage-deflate; null for none.</param>
/// <param name="Handler">Who answers the client's messages; null if nobody does.</param>
/// <param name="MessageBytesMax">Longest message taken from the client.</param>
/// <param name="MessageFragmentsMax">Fragments that it may come in.</param>
internal sealed record WebSocketPlan(
    byte[] Accept, string? Subprotocol, string? Extension, IClientMessageHandler? Handler, int MessageBytesMax, int MessageFragmentsMax);

/// <summary>What a poll needs beyond the rest.</summary>
/// <param name="WaitSeconds">How long it waits for a message; 0: not at all.</param>
/// <param name="Limit">Most messages in the answer.</param>
/// <param name="IfNoneMatch">Tags of answers that the client has.</param>
/// <param name="WantsClose">The client wants no further request on its connection.</param>
/// <param name="IsHead">The client wants the answer's head alone.</param>
internal sealed record PollPlan(int WaitSeconds, int Limit, string IfNoneMatch, bool WantsClose, bool IsHead);

/// <summary>What the head of a stream without the stream needs.</summary>
/// <param name="WantsClose">The client wants no further request on its connection.</param>
internal sealed record HeadPlan(bool WantsClose);
