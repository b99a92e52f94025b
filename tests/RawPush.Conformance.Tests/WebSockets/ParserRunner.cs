using RawPush.Protocol;
using RawPush.Protocol.WebSockets;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>Plays a case against the parser alone: as it is said, at once, cut anywhere, and a byte at a time.</summary>
internal static class ParserRunner
{
    // A cut costs the whole wire. The longest are cut but once.
    private const int BytesMaxForEveryCut = 1000;
    private const int BytesMaxForEveryByte = 2 * 1024 * 1024;
    private const int CutsAtEachEnd = 20;

    // One for all parsers of a thread, one message at a time, as for all connections of a server.
    [ThreadStatic]
    private static MessageInflater? _inflater;

    public static void Run(WebSocketCase sample)
    {
        sample = sample.WithGoodbye();
        AssertAnswersEachExchange(sample);

        byte[] wire = sample.Wire;
        string[] replies = [.. sample.Replies];
        Assert.Equal(replies, Read(sample, [wire]));
        if (wire.Length <= BytesMaxForEveryByte)
        {
            Assert.Equal(replies, Read(sample, Enumerable.Range(0, wire.Length).Select(i => wire.AsMemory(i, 1))));
        }

        foreach (int cut in Cuts(wire.Length))
        {
            Assert.Equal(replies, Read(sample, [wire.AsMemory(0, cut), wire.AsMemory(cut)]));
        }
    }

    private static void AssertAnswersEachExchange(WebSocketCase sample)
    {
        var parser = new EchoParser(sample);
        foreach (var exchange in sample.Exchanges)
        {
            int before = parser.Replies.Count;
            parser.Read(exchange.Sent);
            Assert.Equal(exchange.Replies, parser.Replies[before..]);
        }

        parser.AssertKeepsNothing();
    }

    private static List<string> Read(WebSocketCase sample, IEnumerable<Memory<byte>> parts)
    {
        var parser = new EchoParser(sample);
        foreach (var part in parts)
        {
            parser.Read(part.Span);
        }

        parser.AssertKeepsNothing();

        return parser.Replies;
    }

    private static IEnumerable<int> Cuts(int length) => length switch
    {
        <= BytesMaxForEveryCut => Enumerable.Range(1, length - 1),
        <= BytesMaxForEveryByte => [.. Enumerable.Range(1, CutsAtEachEnd), length / 2, .. Enumerable.Range(length - CutsAtEachEnd, CutsAtEachEnd)],
        _ => [length / 2],
    };

    /// <summary>What a server would be without a socket: a reader, and the answers to what it reads.</summary>
    private sealed class EchoParser(WebSocketCase sample)
    {
        private MessageReader _reader = new(sample.MessageBytesMax, takesCompressed: sample.IsCompressed);
        private Echo _echo = new([]);
        private bool _isBroken;

        public List<string> Replies => _echo.Replies;

        public void Read(ReadOnlySpan<byte> bytes)
        {
            // After a violation nothing is read; after a close frame the reader ignores what comes.
            if (_isBroken)
            {
                return;
            }

            // A copy, since reading unmasks in place.
            var status = _reader.Read(bytes.ToArray().AsSpan(), ref _echo, out int consumed);
            if (status == MessageReadStatus.Violation)
            {
                _isBroken = true;
                Assert.NotEmpty(_reader.ViolationReason);
                Replies.Add(Reply.Refusal((int)_reader.ViolationStatus));
            }
            else if (status == MessageReadStatus.Consumed)
            {
                Assert.Equal(bytes.Length, consumed);
            }
        }

        public void AssertKeepsNothing()
        {
            // Every case ends with a close or a violation, and nothing unfinished is kept behind either.
            Assert.True(_reader.IsIdle);
            Assert.Equal(0, _reader.BufferedBytes);
        }
    }

    private readonly struct Echo(List<string> replies) : IMessageHandler
    {
        public List<string> Replies => replies;

        public bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload) => Add(kind == MessageKind.Text ? Opcode.Text : Opcode.Binary, payload);

        public bool OnPing(ReadOnlySpan<byte> payload) => Add(Opcode.Pong, payload);

        public bool OnPong(ReadOnlySpan<byte> payload) => true;

        public void OnClose(CloseStatus status, ReadOnlySpan<byte> reason) =>
            replies.Add(status == CloseStatus.NoStatus ? Reply.EmptyClose : Reply.Close((int)status));

        public MessageInflater RentInflater() => _inflater ??= new MessageInflater();

        private bool Add(Opcode opcode, ReadOnlySpan<byte> payload)
        {
            replies.Add(Reply.Of(opcode, payload));
            return true;
        }
    }
}
