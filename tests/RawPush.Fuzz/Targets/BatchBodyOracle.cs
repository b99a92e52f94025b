using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Server.Hosting;
using RawPush.Server.Http;

namespace RawPush.Fuzz.Targets;

/// <summary>A batch that arrives in pieces is answered line by line and publishes what its lines say, whatever the pieces.</summary>
/// <remarks>Input: the pieces' lengths, a byte of which the upper half doubles them up to 32768-fold, the body. What a line says is for <see cref="BatchLineOracle"/>.</remarks>
internal static class BatchBodyOracle
{
    private static readonly RawPushOptions Options = new() { MessageBytesMax = 8 };

    // A message as JSON takes six bytes for each of its own at most, and 4,096 are left for what is around it.
    private static readonly int LineBytesMax = (6 * Options.MessageBytesMax) + 4096;

    public static void Run(FuzzInput source)
    {
        int[] lengths = source.TakePieceLengths();
        int factor = source.TakeByte() >> 4;
        byte[] body = source.TakeRest();

        var expected = new List<string>();
        foreach (byte[] line in LinesOf(body))
        {
            expected.Add(Expect(line));
            if (line.Length > LineBytesMax)
            {
                break;
            }
        }

        string all = string.Join('\n', expected);
        Oracle.Same(all, Publish(body, []), "the body whole");
        Oracle.Same(all, Publish(body, [.. lengths.Select(length => length << factor)]), "the body in pieces");
    }

    /// <summary>The lines between line feeds, without the white space around them unless that makes them too long; empty ones left out.</summary>
    private static IEnumerable<byte[]> LinesOf(byte[] body)
    {
        int start = 0;
        while (start < body.Length)
        {
            int end = Array.IndexOf(body, (byte)'\n', start);
            end = end < 0 ? body.Length : end;
            byte[] line = body[start..end];
            byte[] trimmed = line.AsSpan().Trim(" \t\r"u8).ToArray();
            start = end + 1;
            if (line.Length > LineBytesMax)
            {
                yield return line;
            }
            else if (trimmed.Length > 0)
            {
                yield return trimmed;
            }
        }
    }

    private static string Expect(byte[] line)
    {
        if (line.Length > LineBytesMax)
        {
            return "413";
        }

        if (!BatchLine.TryRead(line, null, out var channel, out var message, out _))
        {
            return "400";
        }

        return message.Payload.Length > Options.MessageBytesMax ? "413" : BatchLineOracle.Describe(channel, message);
    }

    private static string Publish(byte[] body, int[] pieceLengths)
    {
        var publisher = new Recorder();
        var answer = new MemoryStream();
        var context = new DefaultHttpContext();
        context.Request.Body = new PieceStream(body, pieceLengths);
        context.Response.Body = answer;
        var publishing = new BatchPublisher(publisher, Microsoft.Extensions.Options.Options.Create(Options)).PublishAsync(context, channel: null);
        Oracle.Holds(publishing.IsCompleted, "publishing waits, and nothing is left to wait for");
        publishing.GetAwaiter().GetResult();
        Oracle.Same(answer.Length, context.Response.ContentLength ?? -1, "the announced length of the answer");
        return string.Join('\n', Outcomes(Encoding.UTF8.GetString(answer.ToArray()), publisher.Published));
    }

    /// <summary>For each line of the answer its status, or what was published.</summary>
    private static IEnumerable<string> Outcomes(string answer, Queue<string> published)
    {
        foreach (string line in answer.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var json = JsonDocument.Parse(line);
            yield return json.RootElement.TryGetProperty("status", out var status)
                ? status.GetInt32().ToString(CultureInfo.InvariantCulture)
                : published.Dequeue();
        }

        Oracle.Same(0, published.Count, "messages published that no line of the answer tells of");
    }

    private sealed class Recorder : IPushPublisher
    {
        public Queue<string> Published { get; } = new();

        public ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default)
        {
            if (message.Payload.Length > Options.MessageBytesMax)
            {
                throw new PublishRefusedException(PublishRefusal.TooLarge, "too large");
            }

            Published.Enqueue(BatchLineOracle.Describe(channel, message));
            return ValueTask.FromResult(new PublishReceipt(new MessageId(1, Published.Count), 0));
        }
    }

    /// <summary>A body whose reads end where the pieces do.</summary>
    private sealed class PieceStream(byte[] body, int[] pieceLengths) : MemoryStream(body, writable: false)
    {
        private readonly Queue<int> _lengths = new(pieceLengths.Where(length => length > 0));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int length = _lengths.TryDequeue(out int piece) ? Math.Min(piece, buffer.Length) : buffer.Length;
            return base.ReadAsync(buffer[..length], cancellationToken);
        }
    }
}
