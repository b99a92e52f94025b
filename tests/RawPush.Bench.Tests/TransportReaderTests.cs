using System.Text;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Resuming;
using RawPush.Swarm.Resuming.Reading;
using RawPush.TestKit;

namespace RawPush.Bench.Tests;

/// <summary>What a strict client reads from each transport does not depend on how the bytes are cut, and what is wrong is called so.</summary>
public sealed class TransportReaderTests
{
    private const string First = """{"channel":"news","id":"0a-1","data":"one \u0040 \"1\""}""";
    private const string Second = """{ "id" : "0a-5", "new":{"x":[1,2]}, "data" : "two" , "channel" : "news" }""";
    private const string Gap = """{"channel":"news","from":"0a-1","to":"0a-4","reason":"slow"}""";

    private static readonly string[] All = ["message 0a-1 news: one @ \"1\"", "gap 0a-1 to 0a-4 news: Slow", "message 0a-5 news: two"];

    [Fact]
    public void Frames_are_put_together_to_messages_however_the_stream_is_cut()
    {
        byte[] wire =
        [
            .. Frame(0x81, First), .. Frame(0x89, "hi"), .. Frame(0x01, "{\"gap\":" + Gap[..20]), .. Frame(0x89, ""), .. Frame(0x00, Gap[20..40]), .. Frame(0x80, Gap[40..] + "}"),
            .. Frame(0x81, Second + new string(' ', 200)), .. Frame(0x88, "\u0003"),
        ];

        AssertReads(Transport.WebSocket, wire, [All[0], "ping hi", "ping ", All[1], All[2], "close"]);
    }

    [Fact]
    public void A_frame_may_be_longer_than_65_535_bytes()
    {
        AssertReads(Transport.WebSocket, [.. Frame(0x81, new string(' ', 70_000) + Second), .. Frame(0x81, First)], [All[2], All[0]], step: 997);
    }

    [Fact]
    public void Deflated_frames_are_inflated_however_the_stream_is_cut_where_that_was_agreed()
    {
        string first = Encoding.Latin1.GetString(Compressed.Of(Bytes(First)));
        string second = Encoding.Latin1.GetString(Compressed.Of(Bytes(Second)));
        byte[] wire =
        [
            .. Frame(0xC1, first), .. Frame(0x89, "hi"), .. Frame(0x81, "{\"gap\":" + Gap + "}"), .. Frame(0x41, second[..9]), .. Frame(0x00, ""), .. Frame(0x80, second[9..]),
        ];

        AssertReads(() => new WebSocketReader(new MessageInflater()), wire, [All[0], "ping hi", All[1], All[2]]);
    }

    [Theory]
    [InlineData(0xC1, "\u0007\u0001", true)]
    [InlineData(0xC1, "", false)]
    [InlineData(0xC9, "hi", true)]
    [InlineData(0xA1, "hi", true)]
    [InlineData(0xC0, "hi", true)]
    public void A_deflated_frame_where_none_belongs_or_that_cannot_be_inflated_is_malformed(byte first, string payload, bool isAgreed)
    {
        var sink = new Sink();
        new WebSocketReader(isAgreed ? new MessageInflater() : null).Read(Frame(first, payload), sink);
        Assert.Equal("malformed", Assert.Single(sink.Found));
    }

    [Fact]
    public void Events_are_read_however_the_stream_is_cut()
    {
        string wire = $":\n\nid: 0a-1\ndata: one\ndata:more\n\n:\n\nevent: rawpush.gap\nid: 0a-4\ndata: {Gap}\n\n: x\nid:0a-5\ndata:two\n\nid: 0a-7\n\nretry: 1234\n\n";

        AssertReads(Transport.Sse, Bytes(wire), ["message 0a-1 : one\nmore", All[1], "message 0a-5 : two", "position 0a-7", "retry 1234"]);
    }

    [Fact]
    public void Lines_are_read_however_the_stream_is_cut()
    {
        AssertReads(Transport.Ndjson, Bytes($"{First}\n\n\n{{\"gap\":{Gap}}}\n{Second}\n\n"), All);
    }

    [Theory]
    [InlineData("longpoll")]
    [InlineData("shortpoll")]
    public void Answers_are_read_with_their_gaps_in_place_however_the_stream_is_cut(string transport)
    {
        string wire =
            Answer("200 OK", "0a-5", $$"""{ "messages" : [ {{First}} , {{Second}} ], "gaps" : [ {{Gap}} ], "next" : "0a-5" }""", "ETag: \"x\"\r\n") +
            "HTTP/1.1 204 No Content\r\nrawpush-next: 0a-6\r\n\r\n" +
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\nETag: \"x\"\r\n\r\n" +
            Answer("200 OK", "0a-7", """{"messages":[],"next":"0a-7"}""") +
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: Close\r\n\r\nbusy";

        AssertReads(TransportNames.Read(transport)[0], Bytes(wire),
        [
            .. All, "position 0a-5", "answer 200 \"x\" 2", "position 0a-6", "answer 204  0", "answer 304 \"x\" 0", "position 0a-7", "answer 200  0", "answer 503  0", "close",
        ]);
    }

    [Theory]
    [InlineData("""{"channel":"news","id":"0a-1"}""", true)]
    [InlineData("""{"channel":"news","data":"one"}""", false)]
    [InlineData("""{"id":"0a-1","data":"one"}""", false)]
    [InlineData("""{"channel":"news","id":"0a","data":"one"}""", false)]
    [InlineData("""{"gap":{"channel":"news","from":"0a-1","to":"0a-4","reason":"mood"}}""", false)]
    [InlineData("""{"gap":{"channel":"news","from":"0a-1","reason":"slow"}}""", false)]
    [InlineData("""{"channel":"news","id":"0a-1","data":"one"}{}""", false)]
    [InlineData("""{"channel":"news","id":"0a-1","data":"one""", false)]
    [InlineData("""["channel"]""", false)]
    [InlineData("one", false)]
    public void An_envelope_with_something_wrong_is_malformed(string json, bool isRight)
    {
        var sink = new Sink();
        TransportReader.Of(Transport.Ndjson, isMany: false).Read(Bytes(json + "\n"), sink);
        Assert.Equal(isRight ? "message 0a-1 news: " : "malformed", Assert.Single(sink.Found));
    }

    [Theory]
    [InlineData("sse", "data: one\n\n")]
    [InlineData("sse", "id: zero\ndata: one\n\n")]
    [InlineData("sse", "event: rawpush.gap\nid: 0a-5\ndata: " + Gap + "\n\n")]
    [InlineData("sse", "event: rawpush.gap\nid: 0a-4\ndata: {\n\n")]
    [InlineData("longpoll", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("longpoll", "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("websocket", "\u0001\0\u0001\0")]
    [InlineData("websocket", "\0\0")]
    public void What_a_transport_does_not_allow_is_malformed(string transport, string wire)
    {
        var sink = new Sink();
        TransportReader.Of(TransportNames.Read(transport)[0], isMany: false).Read(Bytes(wire), sink);
        Assert.Equal("malformed", Assert.Single(sink.Found));
    }

    [Theory]
    [InlineData("""{"messages":[],"next":"0a-8"}""")]
    [InlineData("""{"messages":[]}""")]
    [InlineData("""{"next":"0a-7"}""")]
    [InlineData("""{"messages":[{"id":"0a-1"}],"next":"0a-7"}""")]
    [InlineData("""{"messages":[],"gaps":[{}],"next":"0a-7"}""")]
    [InlineData("""{"messages":[""")]
    public void An_answer_with_something_wrong_is_malformed(string body)
    {
        var sink = new Sink();
        TransportReader.Of(Transport.ShortPoll, isMany: false).Read(Bytes(Answer("200 OK", "0a-7", body)), sink);
        Assert.Contains("malformed", sink.Found);
    }

    private static void AssertReads(Transport transport, byte[] wire, string[] expected, int step = 1) =>
        AssertReads(() => TransportReader.Of(transport, isMany: false), wire, expected, step);

    private static void AssertReads(Func<TransportReader> newReader, byte[] wire, string[] expected, int step = 1)
    {
        for (int cut = 0; cut <= wire.Length; cut += step)
        {
            Assert.Equal(expected, ReadCut(newReader(), wire, cut, wire.Length));
        }

        Assert.Equal(expected, ReadCut(newReader(), wire, step));
    }

    /// <summary>Reads in two pieces, or many of the same size.</summary>
    private static List<string> ReadCut(TransportReader reader, byte[] wire, int size, int nextSize = 0)
    {
        var pending = default(PendingBytes);
        var sink = new Sink();
        for (int start = 0, length = size; start < wire.Length; start += length, length = nextSize == 0 ? size : nextSize)
        {
            var bytes = pending.Join(wire.AsSpan(start, Math.Min(length, wire.Length - start)));
            pending.Keep(bytes[reader.Read(bytes, sink)..]);
        }

        return sink.Found;
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private static string Answer(string status, string next, string body, string fields = "") =>
        $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nRawPush-Next: {next}\r\n{fields}Content-Length: {body.Length}\r\n\r\n{body}";

    private static byte[] Frame(byte first, string payload)
    {
        int length = payload.Length;
        byte[] head = length switch
        {
            < 126 => [first, (byte)length],
            <= ushort.MaxValue => [first, 126, (byte)(length >> 8), (byte)length],
            _ => [first, 127, 0, 0, 0, 0, 0, (byte)(length >> 16), (byte)(length >> 8), (byte)length],
        };
        return [.. head, .. Bytes(payload)];
    }

    private sealed class Sink : ITransportSink
    {
        public List<string> Found { get; } = [];

        public void OnMessage(in EntryId id, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> data) => Found.Add($"message {id} {Text(channel)}: {Text(data)}");

        public void OnGap(in Gap gap, in EntryId? resumeAt, ReadOnlySpan<byte> channel) => Found.Add($"gap {gap.From} to {gap.To} {Text(channel)}: {gap.Reason}");

        public void OnPosition(in EntryId next) => Found.Add($"position {next}");

        public void OnPing(ReadOnlySpan<byte> payload) => Found.Add($"ping {Text(payload)}");

        public void OnRetry(int retryMs) => Found.Add($"retry {retryMs}");

        public void OnAnswer(int status, string? etag, int messages) => Found.Add($"answer {status} {etag} {messages}");

        public void OnClose() => Found.Add("close");

        public void OnMalformed(string what) => Found.Add("malformed");

        private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
    }
}
