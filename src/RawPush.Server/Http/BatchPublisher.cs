using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.Extensions.Options;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Server.Hosting;

namespace RawPush.Server.Http;

/// <summary>Publishes a body of JSON lines, one message each, in order. The answer has a line per line: each was published, or was not and says why.</summary>
/// <remarks>The answer is kept until the body has been read: a client that sends everything before it reads would otherwise wait for us, and we for it.</remarks>
internal sealed class BatchPublisher(IPushPublisher publisher, IOptions<RawPushOptions> options)
{
    /// <summary>Most lines in a batch. The answer to them takes a megabyte or so.</summary>
    public const int LinesMax = 10_000;

    private const int EnvelopeBytesMax = 4096;

    // A byte of payload takes six in JSON, where it is a control character.
    private readonly int _lineBytesMax = (int)Math.Min((6L * options.Value.MessageBytesMax) + EnvelopeBytesMax, int.MaxValue);

    /// <param name="context">The request.</param>
    /// <param name="channel">Where all lines go; null: each names its channel.</param>
    public async Task PublishAsync(HttpContext context, ChannelName? channel)
    {
        var answer = new ArrayBufferWriter<byte>();
        int lines = 0;
        await foreach (var line in ReadLinesAsync(context.Request.BodyReader, context.RequestAborted))
        {
            if (line.Length > _lineBytesMax || lines++ == LinesMax)
            {
                Write(answer, json => json.WriteError(413, $"a line is at most {_lineBytesMax} bytes long, and a batch {LinesMax} lines; nothing from this line on was published"));
                break;
            }

            await PublishLineAsync(line, channel, answer);
        }

        context.Response.ContentType = "application/x-ndjson";
        context.Response.ContentLength = answer.WrittenCount;
        await context.Response.Body.WriteAsync(answer.WrittenMemory, context.RequestAborted);
    }

    private async ValueTask PublishLineAsync(ReadOnlyMemory<byte> line, ChannelName? channel, ArrayBufferWriter<byte> answer)
    {
        if (!BatchLine.TryRead(line, channel, out var name, out var message, out string? error))
        {
            Write(answer, json => json.WriteError(400, error));
            return;
        }

        try
        {
            var receipt = await publisher.PublishAsync(name, message);
            Write(answer, json => json.WriteReceipt(receipt));
        }
        catch (PublishRefusedException refused)
        {
            Write(answer, json => json.WriteError(refused.Refusal.StatusCode(), refused.Message));
        }
    }

    private static void Write(ArrayBufferWriter<byte> answer, Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(answer))
        {
            write(json);
        }

        answer.Write("\n"u8);
    }

    /// <summary>The lines of a body, empty ones left out. One that is too long ends it.</summary>
    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadLinesAsync(
        PipeReader body, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await body.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            try
            {
                while (TryTakeLine(ref buffer, result.IsCompleted, out byte[] line))
                {
                    if (line.Length > 0)
                    {
                        yield return line;
                    }
                }
            }
            finally
            {
                // Also when the caller has had enough: Kestrel goes on with the body, and takes an open read for a bug.
                body.AdvanceTo(buffer.Start, buffer.End);
            }

            if (result.IsCompleted)
            {
                yield break;
            }
        }
    }

    private bool TryTakeLine(ref ReadOnlySequence<byte> buffer, bool isEnd, out byte[] line)
    {
        var end = buffer.PositionOf((byte)'\n');
        bool isTooLong = end is null && buffer.Length > _lineBytesMax;
        if (end is null && !isTooLong && (!isEnd || buffer.IsEmpty))
        {
            line = [];
            return false;
        }

        var taken = end is null ? buffer : buffer.Slice(0, end.Value);

        // Measured with the white space around it: otherwise it would depend on where the reads ended, what of the body is a line.
        line = taken.Length > _lineBytesMax
            ? taken.Slice(0, _lineBytesMax + 1L).ToArray()
            : taken.ToArray().AsSpan().Trim(" \t\r"u8).ToArray();
        buffer = end is null ? buffer.Slice(buffer.End) : buffer.Slice(buffer.GetPosition(1, end.Value));
        return true;
    }
}
