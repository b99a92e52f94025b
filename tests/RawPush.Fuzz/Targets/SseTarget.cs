using System.Buffers.Binary;
using System.Text;
using RawPush.Protocol.ServerSentEvents;
using RawPush.TestKit;

namespace RawPush.Fuzz.Targets;

/// <summary>What <see cref="SseEventWriter"/> writes, a client that follows the standard reads back: each event, comment and retry, and nothing else.</summary>
/// <remarks>Input: items, each a byte for its kind (comment, retry, and events for all others) and blocks for its texts. Text that is not UTF-8 is mended first, as the
/// writer leaves that to its caller.</remarks>
internal sealed class SseTarget : IFuzzTarget
{
    public string Name => "sse";

    public void Run(byte[] input)
    {
        var source = new FuzzInput(input);
        var stream = new ExpectedStream();
        while (!source.IsAtEnd)
        {
            switch ((char)source.TakeByte())
            {
                case 'C':
                    stream.AddComment(TakeText(source));
                    break;
                case 'R':
                    Span<byte> digits = [source.TakeByte(), source.TakeByte(), source.TakeByte(), source.TakeByte()];
                    stream.AddRetry(BinaryPrimitives.ReadInt32BigEndian(digits));
                    break;
                default:
                    stream.AddEvent(TakeText(source), TakeText(source), TakeText(source));
                    break;
            }
        }

        stream.AssertReadsBack();
    }

    private static string TakeText(FuzzInput source) => Encoding.UTF8.GetString(source.TakeBlock());

    /// <summary>A stream as it was written, and what it should mean.</summary>
    private sealed class ExpectedStream
    {
        private readonly List<byte> _wire = [];
        private readonly List<SseReferenceEvent> _events = [];
        private readonly List<string> _comments = [];
        private string _lastId = "";
        private int? _retryMs;

        public void AddEvent(string id, string name, string data)
        {
            byte[] idBytes = Encoding.UTF8.GetBytes(id);
            byte[] nameBytes = Encoding.UTF8.GetBytes(name);
            byte[] dataBytes = Encoding.UTF8.GetBytes(data);
            var destination = new byte[SseEventWriter.GetEventLength(idBytes, nameBytes, dataBytes)];
            if ((id + name).AsSpan().ContainsAny('\r', '\n', '\0'))
            {
                Oracle.Throws<ArgumentException>(() => SseEventWriter.WriteEvent(destination, idBytes, nameBytes, dataBytes), "an id or name of several lines was written");
                return;
            }

            Oracle.Same(destination.Length, SseEventWriter.WriteEvent(destination, idBytes, nameBytes, dataBytes), "the length of the event");
            Oracle.Throws<ArgumentException>(
                () => SseEventWriter.WriteEvent(destination.AsSpan(1), idBytes, nameBytes, dataBytes), "an event went into less room than it needs");
            SseEventWriter.WriteEvent(destination, idBytes, nameBytes, dataBytes);
            _wire.AddRange(destination);
            _lastId = id.Length == 0 ? _lastId : id;
            _events.Add(new SseReferenceEvent(_lastId, name.Length == 0 ? "message" : name, WithLineFeeds(data)));
        }

        public void AddComment(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            var destination = new byte[SseEventWriter.GetCommentLength(bytes)];
            Oracle.Same(destination.Length, SseEventWriter.WriteComment(destination, bytes), "the length of the comment");
            _wire.AddRange(destination);

            // A client that shows comments shows the space that follows the colon.
            _comments.AddRange(WithLineFeeds(text).Split('\n').Select(line => " " + line));
        }

        public void AddRetry(int milliseconds)
        {
            var destination = new byte[SseEventWriter.RetryBytesMax];
            if (milliseconds < 0)
            {
                Oracle.Throws<ArgumentOutOfRangeException>(() => SseEventWriter.WriteRetry(destination, milliseconds), "a negative time was written");
                return;
            }

            int written = SseEventWriter.WriteRetry(destination, milliseconds);
            _wire.AddRange(destination.AsSpan(0, written));
            _retryMs = milliseconds;
        }

        public void AssertReadsBack()
        {
            var read = SseReferenceParser.Parse(_wire.ToArray());
            Oracle.Same(string.Join('\n', _events), string.Join('\n', read.Events), "the events");
            Oracle.Same(_events.Count, read.Events.Count, "the number of events");
            Oracle.Same(string.Join('\n', _comments), string.Join('\n', read.Comments), "the comments");
            Oracle.Same(_retryMs, read.RetryMs, "the retry");
            Oracle.Holds(read.IsComplete, "the stream ends within an item");
        }

        private static string WithLineFeeds(string text) =>
            text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
    }
}
