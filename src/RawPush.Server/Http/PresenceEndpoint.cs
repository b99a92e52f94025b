using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;
using RawPush.Protocol.Http;
using RawPush.Server.Requests;

namespace RawPush.Server.Http;

/// <summary><c>GET /channels/{name}/presence</c>: who subscribes to a channel or a pattern, over all nodes. On listeners that may publish.</summary>
internal sealed class PresenceEndpoint(IPresence presence)
{
    public static readonly Refusal Busy = new(503, "too many channels are asked about at the moment", "Retry-After", "1");

    public async Task InvokeAsync(HttpContext context)
    {
        if (FindFault(context, out var channel) is { } fault)
        {
            await context.RefuseAsync(fault);
            return;
        }

        PresenceReport report;
        try
        {
            report = await presence.FindUsersAsync(channel, context.RequestAborted);
        }
        catch (PresenceBusyException)
        {
            await context.RefuseAsync(Busy);
            return;
        }

        await context.AnswerJsonAsync(json => WriteReport(json, report));
    }

    private static Refusal? FindFault(HttpContext context, out ChannelFilter channel)
    {
        channel = default;
        if (!context.MayPublish() || !RequestTarget.TryParse(context.RawTarget(), out var target) || !PushRoutes.TryGetPresence(target.Path, out var name))
        {
            return Refusal.NotFound;
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            return new Refusal(405, "this address takes GET", "Allow", "GET, HEAD");
        }

        return ChannelAddress.TryReadFilter(name, out channel, out string error) ? null : new Refusal(400, error);
    }

    private static void WriteReport(Utf8JsonWriter json, PresenceReport report)
    {
        json.WriteStartObject();
        json.WriteString("channel"u8, report.Channel);
        json.WriteNumber("subscribers"u8, report.Subscribers);
        json.WriteStartObject("users"u8);
        json.WriteNumber("count"u8, report.Users!.Count);
        json.WriteStartArray("names"u8);
        foreach (string name in report.Users.Names)
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
        json.WriteBoolean("complete"u8, report.Users.IsComplete);
        json.WriteEndObject();
        json.WriteNodes(report.Nodes);
        json.WriteEndObject();
    }
}
