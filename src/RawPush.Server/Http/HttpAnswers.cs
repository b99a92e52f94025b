using Microsoft.AspNetCore.Http.Features;
using RawPush.Protocol.Http;
using RawPush.Server.Connections;
using RawPush.Server.Requests;

namespace RawPush.Server.Http;

/// <summary>What the endpoints that Kestrel's HTTP server serves have in common.</summary>
internal static class HttpAnswers
{
    /// <summary>Whether the listener that the request came in by takes publishes. A listener without the push server on it does not.</summary>
    public static bool MayPublish(this HttpContext context) => context.Features.Get<PushListener>()?.MayPublish ?? false;

    /// <summary>The target as the client wrote it: percent-encoding decides what is a comma of the list and what belongs to a name.</summary>
    public static byte[] RawTarget(this HttpContext context) =>
        System.Text.Encoding.Latin1.GetBytes(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);

    /// <summary>The part of the target's path that names channels; empty if there is none.</summary>
    public static ReadOnlySpan<byte> ChannelsOf(ReadOnlySpan<byte> rawTarget) =>
        RequestTarget.TryParse(rawTarget, out var target) && PushRoutes.TryGetChannels(target.Path, out var channels) ? channels : default;

    /// <summary>Answers with the refusal's line of plain text, in the same words as on a connection that we read ourselves.</summary>
    public static Task RefuseAsync(this HttpContext context, Refusal refusal)
    {
        var response = context.Response;
        response.StatusCode = refusal.StatusCode;
        response.ContentType = "text/plain; charset=utf-8";
        if (refusal.FieldName is not null)
        {
            response.Headers[refusal.FieldName] = refusal.FieldValue;
        }

        if (HttpProtocol.IsHttp11(context.Request.Protocol) || HttpProtocol.IsHttp10(context.Request.Protocol))
        {
            response.Headers.Connection = refusal.ConnectionOptions;
            if (refusal.AsksForUpgrade)
            {
                response.Headers.Upgrade = "websocket";
            }
        }

        byte[] body = System.Text.Encoding.UTF8.GetBytes(refusal.Reason + "\n");
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
