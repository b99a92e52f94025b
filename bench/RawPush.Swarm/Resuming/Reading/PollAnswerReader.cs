using System.Text;
using System.Text.Json;

namespace RawPush.Swarm.Resuming.Reading;

/// <summary>Answers to polls, long and short.</summary>
/// <remarks><code>
/// RawPush-Next: 19a8c3f2b41e07d-42
///
/// {"messages":[{...},{...}],"gaps":[{"channel":...,"from":...,"to":...,"reason":...}],"next":"19a8c3f2b41e07d-42"}
/// </code></remarks>
internal sealed class PollAnswerReader : TransportReader
{
    public override int Read(ReadOnlySpan<byte> bytes, ITransportSink sink)
    {
        int consumed = 0;
        while (HttpHead.TryRead(bytes[consumed..], out var head))
        {
            int length = head.ContentLength;
            if (head.Status == 0 || length < 0)
            {
                sink.OnMalformed("an answer to a poll that does not say its length");
                return bytes.Length;
            }

            if (bytes.Length - consumed - head.Length < length)
            {
                break;
            }

            TakeAnswer(head, bytes.Slice(consumed + head.Length, length), sink);
            consumed += head.Length + length;
        }

        return consumed;
    }

    private static void TakeAnswer(HttpHead head, ReadOnlySpan<byte> body, ITransportSink sink)
    {
        var next = head.Field("RawPush-Next"u8);
        int messages = 0;
        if (head.Status == 200)
        {
            messages = TakeBody(body, next, sink);
        }
        else if (EntryId.TryRead(next, out var position))
        {
            sink.OnPosition(position);
        }

        var etag = head.Field("ETag"u8);
        sink.OnAnswer(head.Status, etag.IsEmpty ? null : Encoding.ASCII.GetString(etag), messages);
        if (head.Closes)
        {
            sink.OnClose();
        }
    }

    private static int TakeBody(ReadOnlySpan<byte> body, ReadOnlySpan<byte> nextInHead, ITransportSink sink)
    {
        try
        {
            var answer = PollBody.Read(body);
            int messages = answer.TellAll(sink);
            if (answer.TryGetNext(out var next) && nextInHead.SequenceEqual(Encoding.ASCII.GetBytes(next.ToString())))
            {
                sink.OnPosition(next);
            }
            else
            {
                sink.OnMalformed("an answer to a poll that does not say what is next, or not the same in head and body");
            }

            return messages;
        }
        catch (JsonException exception)
        {
            sink.OnMalformed($"an answer to a poll that is not JSON: {exception.Message}");
            return 0;
        }
    }
}
