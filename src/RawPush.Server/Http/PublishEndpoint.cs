using System.Buffers;
using System.Globalization;
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

/// <summary><c>POST /channels/{name}</c>: publishes the body. <c>application/octet-stream</c> makes it binary, <c>application/x-ndjson</c> a batch with a message
/// per line; any other type is text. <c>POST /channels</c> takes batches alone.</summary>
internal sealed class PublishEndpoint(IPushPublisher publisher, BatchPublisher batches, IOptions<RawPushOptions> options)
{
    private readonly int _messageBytesMax = options.Value.MessageBytesMax;

    public async Task InvokeAsync(HttpContext context)
    {
        bool isBatch = HasType(context, "application/x-ndjson");
        var refusal = TryReadChannel(context, isBatch, out var channel);
        if (refusal is not null)
        {
            await context.RefuseAsync(refusal);
            return;
        }

        try
        {
            await (isBatch ? batches.PublishAsync(context, channel) : ReadAndPublishAsync(context, channel!.Value));
        }
        catch (BadHttpRequestException exception)
        {
            // Kestrel's word on a body whose framing is wrong, or that comes too slowly.
            await context.RefuseAsync(new Refusal(exception.StatusCode, exception.Message));
        }
    }

    private Refusal TooLarge => new(413, $"a message is at most {_messageBytesMax} bytes long");

    private Refusal? TryReadChannel(HttpContext context, bool isBatch, out ChannelName? channel)
    {
        channel = null;
        if (!context.MayPublish())
        {
            return new Refusal(405, "publishing is not allowed on this listener", "Allow", "GET, HEAD");
        }

        var address = HttpAnswers.ChannelsOf(context.RawTarget());
        if (!isBatch || !address.IsEmpty)
        {
            if (!ChannelAddress.TryReadName(address, out var name, out string error))
            {
                return new Refusal(400, address.IsEmpty ? "a batch without a channel in its address is of type application/x-ndjson" : error);
            }

            channel = name;
        }

        // Our limit is the one that counts, also where it is above Kestrel's.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        return !isBatch && context.Request.ContentLength > _messageBytesMax ? TooLarge : null;
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
        var kind = HasType(context, "application/octet-stream") ? MessageKind.Binary : MessageKind.Text;
        PublishReceipt receipt;
        try
        {
            receipt = await publisher.PublishAsync(channel, new PushMessage(kind, payload, ReadTraits(context.Request)));
        }
        catch (PublishRefusedException refused)
        {
            await context.RefuseAsync(refused.Refusal switch
            {
                PublishRefusal.TooManyChannels => Refusal.TooManyChannels,
                PublishRefusal.NoBus => Refusal.NoBus,
                _ => new Refusal(refused.Refusal.StatusCode(), refused.Message),
            });
            return;
        }

        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteReceipt(receipt);
    }

    private static MessageTraits? ReadTraits(HttpRequest request)
    {
        string? eventName = request.Headers["RawPush-Event"];
        string? key = (string?)request.Query["key"] ?? request.Headers["RawPush-Key"];
        string? idempotencyKey = request.Headers["Idempotency-Key"];
        string? expires = (string?)request.Query["expires"] ?? request.Headers["RawPush-Expires"];
        return (eventName ?? key ?? idempotencyKey ?? expires) is null
            ? null
            : new MessageTraits { EventName = eventName, Key = key, IdempotencyKey = idempotencyKey, Expires = ReadSeconds(expires) };
    }

    private static TimeSpan? ReadSeconds(string? text)
    {
        if (text is null)
        {
            return null;
        }

        // What is no number is told the same as a number out of range.
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds);
        return TimeSpan.FromSeconds(isNumber ? seconds : 0);
    }

    // RFC 9110 section 8.3.1: parameters may follow the type, and do not make it another one.
    private static bool HasType(HttpContext context, string type) =>
        MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var value) && value.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase);
}
