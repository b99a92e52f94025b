using Microsoft.Extensions.Options;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Protocol.Http;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Hosting;
using RawPush.Server.Messages;

namespace RawPush.Server.Requests;

/// <summary>Decides what a push request gets: a plan, or a refusal. Safe for threads; waits for nothing.</summary>
internal sealed class Admission(PushRoutes routes, IOptions<RawPushOptions> options)
{
    private const string RawSubprotocol = "rawpush.raw";
    private const string JsonSubprotocol = "rawpush.json";

    private static readonly string[] SupportedSubprotocols = [RawSubprotocol, JsonSubprotocol];

    private readonly RawPushOptions _options = options.Value;

    /// <summary>Judges a request whose path is ours.</summary>
    /// <param name="request">All of its head.</param>
    /// <param name="mayPublish">Whether its listener takes publishes, which decides what a refused method is told.</param>
    /// <param name="refusal">Why not.</param>
    /// <returns>Null if it is refused.</returns>
    public PushPlan? TryAdmit(PushRequest request, bool mayPublish, out Refusal? refusal)
    {
        refusal = FindFault(request, mayPublish && PushRoutes.TryGetChannels(request.Target.Path, out _));
        if (refusal is not null)
        {
            return null;
        }

        var target = request.Target;
        if (!PushRoutes.TryGetChannels(target.Path, out var list))
        {
            return AdmitHandler(request, routes.FindHandler(target.Path), out refusal);
        }

        if (!TryReadChannels(list, out var channels, out string? error) || !TryReadFormat(target.Query, out bool? isJson, out error))
        {
            refusal = new Refusal(400, error);
            return null;
        }

        return request.IsUpgrade
            ? AdmitWebSocket(request, channels, isJson, out refusal)
            : AdmitEvents(request, channels, out refusal);
    }

    private static Refusal? FindFault(PushRequest request, bool mayPublish)
    {
        if (!request.IsGet)
        {
            return new Refusal(405, "this address takes GET" + (mayPublish ? ", and POST to publish" : string.Empty), "Allow", mayPublish ? "GET, POST" : "GET")
            {
                LeavesBytes = request.HasBody,
            };
        }

        return request.HasBody ? new Refusal(400, "a subscription has no body") { LeavesBytes = true } : null;
    }

    private PushPlan? AdmitHandler(PushRequest request, ClientMessageRoute? route, out Refusal? refusal)
    {
        if (route is null)
        {
            // ASP.NET Core's routing is more generous than ours: /channels and /ECHO get here.
            refusal = Refusal.NotFound;
            return null;
        }

        if (!request.IsUpgrade)
        {
            refusal = new Refusal(426, "this address speaks WebSocket only", "Upgrade", "websocket");
            return null;
        }

        return AdmitUpgrade(request, [], WireFormat.WebSocketRaw, null, route, out refusal);
    }

    private PushPlan? AdmitWebSocket(PushRequest request, ChannelName[] channels, bool? isJson, out Refusal? refusal)
    {
        if (!WebSocketHandshake.TryChooseSubprotocol(request.Subprotocols, SupportedSubprotocols, out string? subprotocol))
        {
            refusal = new Refusal(400, "Sec-WebSocket-Protocol is not a list of different tokens");
            return null;
        }

        // The query decides over the subprotocol, and with several channels a message must say which one it is from.
        bool wantsJson = isJson ?? (subprotocol is null ? channels.Length > 1 : subprotocol == JsonSubprotocol);
        if (!wantsJson && channels.Length > 1)
        {
            refusal = new Refusal(400, "several channels need format=json: a raw message does not say its channel");
            return null;
        }

        var format = wantsJson ? WireFormat.WebSocketJson : WireFormat.WebSocketRaw;
        return AdmitUpgrade(request, channels, format, subprotocol, routes.ChannelMessages, out refusal);
    }

    private PushPlan? AdmitUpgrade(
        PushRequest request, ChannelName[] channels, WireFormat format, string? subprotocol, ClientMessageRoute? route, out Refusal? refusal)
    {
        refusal = FindHandshakeFault(request);
        return refusal is not null
            ? null
            : new PushPlan(channels, format, new WebSocketPlan(
                request.WebSocketAccept!, subprotocol, route?.Handler, route?.MessageBytesMax ?? _options.MessageBytesMax));
    }

    // RFC 6455 section 4.2.1, and 4.4 for the version.
    private static Refusal? FindHandshakeFault(PushRequest request)
    {
        if (request.Version == Protocol.Http.HttpVersion.Http10)
        {
            return new Refusal(426, "a WebSocket needs HTTP/1.1", "Upgrade", "websocket");
        }

        if (!request.HasSupportedVersion)
        {
            return new Refusal(426, "this server speaks version 13 of the WebSocket protocol", "Sec-WebSocket-Version", "13");
        }

        return request.WebSocketAccept is null ? new Refusal(400, "Sec-WebSocket-Key must be 16 bytes in base64, once") : null;
    }

    private static PushPlan? AdmitEvents(PushRequest request, ChannelName[] channels, out Refusal? refusal)
    {
        refusal = request.AcceptsEventStream
            ? null
            : new Refusal(406, "a channel is read as text/event-stream (say so in Accept), or by upgrading to WebSocket");
        return refusal is null
            ? new PushPlan(channels, channels.Length > 1 ? WireFormat.ServerSentEventNamed : WireFormat.ServerSentEvent, null)
            : null;
    }

    private bool TryReadChannels(ReadOnlySpan<byte> list, out ChannelName[] channels, out string error)
    {
        var names = new List<ChannelName>(1);
        channels = [];
        foreach (var range in list.Split((byte)','))
        {
            if (names.Count == _options.ChannelsPerConnectionMax)
            {
                error = $"a connection has at most {_options.ChannelsPerConnectionMax} channels";
                return false;
            }

            if (!TryReadChannel(list[range], out var name, out error))
            {
                return false;
            }

            if (!names.Contains(name))
            {
                names.Add(name);
            }
        }

        channels = [.. names];
        error = string.Empty;
        return true;
    }

    /// <summary>One name, as it stands in a URL.</summary>
    public static bool TryReadChannel(ReadOnlySpan<byte> encoded, out ChannelName name, out string error)
    {
        name = default;

        // Three bytes of percent-encoding may stand for one of the name.
        if (encoded.Length > 3 * ChannelName.BytesMax)
        {
            error = $"a channel name is at most {ChannelName.BytesMax} bytes long";
            return false;
        }

        Span<byte> decoded = stackalloc byte[3 * ChannelName.BytesMax];
        if (!PercentEncoding.TryDecode(encoded, decoded, out int length))
        {
            error = "the channel name's percent-encoding is broken";
            return false;
        }

        bool isValid = ChannelName.TryParse(decoded[..length], out name, out string? fault);
        error = fault ?? string.Empty;
        return isValid;
    }

    private static bool TryReadFormat(ReadOnlySpan<byte> query, out bool? isJson, out string error)
    {
        isJson = null;
        error = string.Empty;
        var reader = new QueryReader(query);
        while (reader.TryRead(out var name, out var value))
        {
            if (!name.SequenceEqual("format"u8))
            {
                continue;
            }

            isJson = value.SequenceEqual("json"u8);
            if (isJson == false && !value.SequenceEqual("raw"u8))
            {
                error = "format is raw or json";
                return false;
            }
        }

        return true;
    }
}
