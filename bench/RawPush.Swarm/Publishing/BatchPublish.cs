using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using RawPush.Swarm.Resuming.Reading;

namespace RawPush.Swarm.Publishing;

/// <summary>Many messages in one request, a line of JSON each; the answer has a line for each line.</summary>
/// <remarks>Requests are pipelined: the next one goes out when more is due, whether or not the last has been answered. Order is that of the lines.</remarks>
internal sealed class BatchPublish(string host, string path) : PublishDialect
{
    private readonly List<byte> _lines = [];
    private readonly List<byte> _received = [];

    public override int WindowMax => 1024;

    public override void Append(List<byte> output, string channel, ReadOnlySpan<byte> payload)
    {
        string data = JsonEncodedText.Encode(payload, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value;
        _lines.AddRange(Encoding.ASCII.GetBytes($$"""{"channel":"{{channel}}","data":"{{data}}"}"""));
        _lines.Add((byte)'\n');
    }

    public override void EndTurn(List<byte> output)
    {
        if (_lines.Count > 0)
        {
            output.AddRange(Encoding.ASCII.GetBytes(
                $"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-ndjson\r\nContent-Length: {_lines.Count}\r\n\r\n"));
            output.AddRange(_lines);
            _lines.Clear();
        }
    }

    public override int CountAnswers(ReadOnlySpan<byte> bytes, List<byte> reply)
    {
        _received.AddRange(bytes);
        byte[] received = [.. _received];
        int answers = 0;
        int consumed = 0;
        while (TryTakeAnswer(received.AsSpan(consumed), out string body, out int length))
        {
            answers += CountLines(body);
            consumed += length;
        }

        _received.RemoveRange(0, consumed);
        return answers;
    }

    private static bool TryTakeAnswer(ReadOnlySpan<byte> bytes, out string body, out int length)
    {
        body = string.Empty;
        length = 0;
        if (!HttpHead.TryRead(bytes, out var head))
        {
            return false;
        }

        if (head.Status is < 200 or > 299)
        {
            throw new InvalidOperationException($"the server refused a batch with {head.Status}");
        }

        bool isWhole = AnswerBody.TryRead(head, bytes[head.Length..], out body, out length);
        length += head.Length;
        return isWhole;
    }

    private static int CountLines(string body)
    {
        string[] lines = body.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.FirstOrDefault(line => line.Contains("\"error\"", StringComparison.Ordinal)) is { } refusal
            ? throw new InvalidOperationException($"the server refused a message of a batch: {refusal}")
            : lines.Length;
    }
}
