using System.Text;
using Microsoft.Extensions.Options;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Protocol.WebSockets;
using RawPush.Protocol.WebSockets.Deflate;
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

        if (!TryReadFilters(list, out var filters, out string? error) || PushQuery.TryRead(target.Query, out error) is not { } query)
        {
            refusal = new Refusal(400, error);
            return null;
        }

        var start = query.Start ?? (request.IsPoll && query.WaitSeconds == 0 ? StartPoint.Earliest : StartPoint.Latest);

        // A client that comes back by itself sends the address it was given at first, and where it was cut; the latter is newer.
        if (!request.LastEventId.IsEmpty && !PushQuery.TryReadPosition(request.LastEventId, out start))
        {
            refusal = new Refusal(400, "Last-Event-ID is not the id of a message");
            return null;
        }

        if (request.IsUpgrade)
        {
            return AdmitWebSocket(request, filters, start, query.IsJson, out refusal);
        }

        return new PushPlan(filters, start, FormatOf(request, filters, query))
        {
            Poll = request.IsPoll ? PollOf(request, query) : null,
            Head = request.IsHead && !request.IsPoll ? new HeadPlan(request.WantsClose) : null,
        };
    }

    private static Refusal? FindFault(PushRequest request, bool mayPublish)
    {
        if (!request.IsGet && !request.IsHead)
        {
            return new Refusal(405, "this address takes GET" + (mayPublish ? ", and POST to publish" : string.Empty), "Allow", mayPublish ? "GET, HEAD, POST" : "GET, HEAD")
            {
                LeavesBytes = request.HasBody,
            };
        }

        return request.HasBody ? new Refusal(400, "a subscription has no body") { LeavesBytes = true } : null;
    }

    private static WireFormat FormatOf(PushRequest request, ChannelFilter[] filters, PushQuery query)
    {
        if (!request.AcceptsEventStream)
        {
            return WireFormat.JsonLine;
        }

        if (query.IsJson ?? filters.Any(filter => filter.IsPattern))
        {
            return WireFormat.ServerSentEventJson;
        }

        return NamesChannels(filters) ? WireFormat.ServerSentEventNamed : WireFormat.ServerSentEvent;
    }

    private static PollPlan PollOf(PushRequest request, PushQuery query) =>
        new(query.WaitSeconds, query.Limit, query.WaitSeconds > 0 ? string.Empty : Encoding.Latin1.GetString(request.IfNoneMatch), request.WantsClose, request.IsHead);

    /// <summary>Messages have to say which channel they are from.</summary>
    private static bool NamesChannels(ChannelFilter[] filters) => filters.Length > 1 || filters[0].IsPattern;

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
            refusal = new Refusal(426, "this address speaks WebSocket only");
            return null;
        }

        return AdmitUpgrade(request, new PushPlan([], StartPoint.Latest, WireFormat.WebSocketRaw), null, route, out refusal);
    }

    private PushPlan? AdmitWebSocket(PushRequest request, ChannelFilter[] filters, StartPoint start, bool? isJson, out Refusal? refusal)
    {
        if (!WebSocketHandshake.TryChooseSubprotocol(request.Subprotocols, SupportedSubprotocols, out string? subprotocol))
        {
            refusal = new Refusal(400, "Sec-WebSocket-Protocol is not a list of different tokens");
            return null;
        }

        // The query decides over the subprotocol, and with several channels a message must say which one it is from.
        bool wantsJson = isJson ?? (subprotocol is null ? NamesChannels(filters) : subprotocol == JsonSubprotocol);
        if (!wantsJson && NamesChannels(filters))
        {
            refusal = new Refusal(400, "several channels need format=json: a raw message does not say its channel");
            return null;
        }

        var plan = new PushPlan(filters, start, wantsJson ? WireFormat.WebSocketJson : WireFormat.WebSocketRaw);
        return AdmitUpgrade(request, plan, subprotocol, routes.ChannelMessages, out refusal);
    }

    private PushPlan? AdmitUpgrade(PushRequest request, PushPlan plan, string? subprotocol, ClientMessageRoute? route, out Refusal? refusal)
    {
        refusal = FindHandshakeFault(request);
        string? extension = null;
        if (refusal is null && !PermessageDeflate.TryChoose(request.Extensions, out extension))
        {
            refusal = new Refusal(400, "Sec-WebSocket-Extensions is not a list of extensions");
        }

        return refusal is not null
            ? null
            : plan with
            {
                WebSocket = new WebSocketPlan(
                    request.WebSocketAccept!,
                    subprotocol,
                    _options.AgreesToCompression ? extension : null,
                    route?.Handler,
                    route?.MessageBytesMax ?? _options.MessageBytesMax,
                    _options.MessageFragmentsMax),
            };
    }

    // RFC 6455 section 4.2.1, and 4.4 for the version.
    private static Refusal? FindHandshakeFault(PushRequest request)
    {
        if (request.Version == Protocol.Http.HttpVersion.Http10)
        {
            return new Refusal(426, "a WebSocket needs HTTP/1.1");
        }

        if (!request.HasSupportedVersion)
        {
            return new Refusal(426, "this server speaks version 13 of the WebSocket protocol", "Sec-WebSocket-Version", "13");
        }

        return request.WebSocketAccept is null ? new Refusal(400, "Sec-WebSocket-Key must be 16 bytes in base64, once") : null;
    }

    private bool TryReadFilters(ReadOnlySpan<byte> list, out ChannelFilter[] filters, out string error)
    {
        var read = new List<ChannelFilter>(1);
        filters = [];
        foreach (var range in list.Split((byte)','))
        {
            if (read.Count == _options.ChannelsPerConnectionMax)
            {
                error = $"a connection has at most {_options.ChannelsPerConnectionMax} channels";
                return false;
            }

            if (!ChannelAddress.TryReadFilter(list[range], out var filter, out error))
            {
                return false;
            }

            if (!read.Contains(filter))
            {
                read.Add(filter);
            }
        }

        filters = [.. read];
        error = string.Empty;
        return true;
    }
}
