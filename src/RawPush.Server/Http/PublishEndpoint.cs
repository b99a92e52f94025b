using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Protocol;
using RawPush.Server.Hosting;
using RawPush.Server.Requests;

namespace RawPush.Server.Http;

/// <summary><c>POST /channels/{name}</c>: publishes the body. <c>application/octet-stream</c> makes it binary; any other type is text.</summary>
internal sealed class PublishEndpoint(IPushPublisher publisher, IOptions<RawPushOptions> options)
{
    private readonly int _messageBytesMax = options.Value.MessageBytesMax;

    public async Task InvokeAsync(HttpContext context)
    {
        var refusal = TryReadChannel(context, out var channel);
        if (refusal is not null)
        {
            await context.RefuseAsync(refusal);
            return;
        }

        try
        {
            await ReadAndPublishAsync(context, channel);
        }
        catch (BadHttpRequestException exception)
        {
            // Kestrel's word on a body whose framing is wrong, or that comes too slowly.
            await context.RefuseAsync(new Refusal(exception.StatusCode, exception.Message));
        }
    }

    private Refusal TooLarge => new(413, $"a message is at most {_messageBytesMax} bytes long");

    private Refusal? TryReadChannel(HttpContext context, out ChannelName channel)
    {
        channel = default;
        if (!context.MayPublish())
        {
            return new Refusal(405, "publishing is not allowed on this listener", "Allow", "GET");
        }

        if (!Admission.TryReadChannel(HttpAnswers.ChannelsOf(context.RawTarget()), out channel, out string error))
        {
            return new Refusal(400, error);
        }

        // Our limit is the one that counts, also where it is above Kestrel's.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        return context.Request.ContentLength > _messageBytesMax ? TooLarge : null;
    }

    /// <summary>Reads the whole body, which stays in the request's own buffer: memory grows with what has arrived, not with what was announced.</summary>
    private async Task ReadAndPublishAsync(HttpContext context, ChannelName channel)
    {
        var body = context.Request.BodyReader;
        while (true)
        {
            var result = await body.ReadAsync(context.RequestAborted);
            var buffer = result.Buffer;
            if (buffer.Length > _messageBytesMax)
            {
                body.AdvanceTo(buffer.End);
                await context.RefuseAsync(TooLarge);
                return;
            }

            if (result.IsCompleted)
            {
                await PublishAsync(context, channel, buffer.IsSingleSegment ? buffer.First : buffer.ToArray());
                body.AdvanceTo(buffer.End);
                return;
            }

            body.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private async Task PublishAsync(HttpContext context, ChannelName channel, ReadOnlyMemory<byte> payload)
    {
        bool isBinary = IsBinary(context.Request.ContentType);
        PublishReceipt receipt;
        try
        {
            receipt = await publisher.PublishAsync(channel, new PushMessage(isBinary ? MessageKind.Binary : MessageKind.Text, payload));
        }
        catch (PublishRefusedException refused)
        {
            await context.RefuseAsync(new Refusal(refused.Refusal == PublishRefusal.TooLarge ? 413 : 400, refused.Message));
            return;
        }

        await AnswerAsync(context, receipt);
    }

    // RFC 9110 section 8.3.1: parameters may follow the type, and do not make it another one.
    private static bool IsBinary(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type) && type.MediaType.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase);

    private static async Task AnswerAsync(HttpContext context, PublishReceipt receipt)
    {
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteString("id"u8, receipt.Id.ToString());
        json.WriteNumber("subscribers"u8, receipt.Subscribers);
        json.WriteEndObject();
    }
}
