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

        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength(context));
        try
        {
            int length = await ReadBodyAsync(context, buffer);
            await (length > _messageBytesMax ? context.RefuseAsync(TooLarge) : PublishAsync(context, channel, buffer.AsMemory(0, length)));
        }
        catch (BadHttpRequestException exception)
        {
            // Kestrel's word on a body whose framing is wrong.
            await context.RefuseAsync(new Refusal(400, exception.Message));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
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

    private int BufferLength(HttpContext context) => 1 + (int)(context.Request.ContentLength ?? _messageBytesMax);

    /// <summary>Fills the buffer, which has room for one byte more than a message may have: that byte tells a message that is too long.</summary>
    private static async Task<int> ReadBodyAsync(HttpContext context, byte[] buffer)
    {
        var body = context.Request.Body;
        return await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, context.RequestAborted);
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
