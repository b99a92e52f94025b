using System.Runtime.CompilerServices;
using System.Text;
using RawPush.Protocol.WebSockets;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.WebSockets;

public class MessageReaderTests
{
    private static readonly Dictionary<string, (byte[] Wire, string[] Transcript)> Samples = new()
    {
        ["nothing"] = ([], ["Consumed"]),
        ["text"] = (ClientFrames.Text("Hello"), ["Text 48656C6C6F", "Consumed"]),
        ["the sample of RFC 6455, section 5.7"] = (Convert.FromHexString("818537FA213D7F9F4D5158"), ["Text 48656C6C6F", "Consumed"]),
        ["empty messages"] = ([.. ClientFrames.Text(""), .. ClientFrames.Binary([])], ["Text ", "Binary ", "Consumed"]),
        ["binary that is not text"] = (ClientFrames.Binary([0xFF, 0x00, 0xC0]), ["Binary FF00C0", "Consumed"]),
        ["no mask to speak of"] = (ClientFrames.Frame(Opcode.Text, "a"u8, maskKey: 0), ["Text 61", "Consumed"]),
        ["messages of both kinds"] = (
            [.. ClientFrames.Text("a"), .. ClientFrames.Binary([1, 2]), .. ClientFrames.Text("b")],
            ["Text 61", "Binary 0102", "Text 62", "Consumed"]),
        ["fragments"] = (ClientFrames.Fragments(Opcode.Text, [0x61], [0x62, 0x63], [0x64]), ["Text 61626364", "Consumed"]),
        ["empty fragments"] = (ClientFrames.Fragments(Opcode.Binary, [], [], [1], [], []), ["Binary 01", "Consumed"]),
        ["nothing but empty fragments"] = (ClientFrames.Fragments(Opcode.Text, [], [], []), ["Text ", "Consumed"]),
        ["a character over four fragments"] = (
            ClientFrames.Fragments(Opcode.Text, [0xF0], [0x9F], [0x98], [0x80]),
            ["Text F09F9880", "Consumed"]),
        ["pings and pongs"] = (
            [.. ClientFrames.Ping("a"u8), .. ClientFrames.Pong([]), .. ClientFrames.Ping([])],
            ["Ping 61", "Pong ", "Ping ", "Consumed"]),
        ["control frames between fragments"] = (
            [
                .. ClientFrames.Frame(Opcode.Text, "ab"u8, isFinal: false), .. ClientFrames.Ping("1"u8),
                .. ClientFrames.Pong([]), .. ClientFrames.Ping("23"u8),
                .. ClientFrames.Frame(Opcode.Continuation, "cd"u8, isFinal: false), .. ClientFrames.Pong("4"u8),
                .. ClientFrames.Frame(Opcode.Continuation, "e"u8), .. ClientFrames.Text("f"),
            ],
            ["Ping 31", "Pong ", "Ping 3233", "Pong 34", "Text 6162636465", "Text 66", "Consumed"]),
        ["control frames behind an empty fragment"] = (
            [
                .. ClientFrames.Frame(Opcode.Binary, [], isFinal: false), .. ClientFrames.Ping("12"u8),
                .. ClientFrames.Frame(Opcode.Continuation, "a"u8),
            ],
            ["Ping 3132", "Binary 61", "Consumed"]),
        ["the longest ping"] = (ClientFrames.Ping(new byte[125]), [$"Ping {new string('0', 250)}", "Consumed"]),
        ["close without a status"] = (ClientFrames.Close(), ["Close 1005 ", "Closed"]),
        ["close with a reason"] = (ClientFrames.Close(1001, "tschüß"), ["Close 1001 tschüß", "Closed"]),
        ["close, and what follows is ignored"] = (
            [.. ClientFrames.Text("a"), .. ClientFrames.Close(4999), .. ClientFrames.Text("b"), 0xFF, 0xFF],
            ["Text 61", "Close 4999 ", "Closed"]),
        ["close inside a message"] = (
            [.. ClientFrames.Frame(Opcode.Text, "ab"u8, isFinal: false), .. ClientFrames.Close(1000, "bye")],
            ["Close 1000 bye", "Closed"]),
    };

    // The wire, what it is answered with, and the number of bytes after which the reader knows.
    private static readonly Dictionary<string, (byte[] Wire, CloseStatus Status, int ToldAt)> Violations = new()
    {
        ["a reserved bit"] = ([0xC1], CloseStatus.ProtocolError, 1),
        ["a reserved data opcode"] = ([0x83], CloseStatus.ProtocolError, 1),
        ["a reserved control opcode"] = ([0x8B], CloseStatus.ProtocolError, 1),
        ["a fragmented ping"] = ([0x09], CloseStatus.ProtocolError, 1),
        ["a fragmented close"] = ([0x08], CloseStatus.ProtocolError, 1),
        ["a frame without a mask"] = ([0x81, 0x05], CloseStatus.ProtocolError, 2),
        ["a ping of 126 bytes"] = ([0x89, 0xFE], CloseStatus.ProtocolError, 2),
        ["125 bytes in the 16-bit form"] = ([0x82, 0xFE, 0x00, 0x7D], CloseStatus.ProtocolError, 4),
        ["65,535 bytes in the 64-bit form"] = ([0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], CloseStatus.ProtocolError, 8),
        ["a negative length"] = ([0x82, 0xFF, 0x80], CloseStatus.ProtocolError, 3),
        ["a continuation of nothing"] = (ClientFrames.Frame(Opcode.Continuation, "a"u8), CloseStatus.ProtocolError, 6),
        ["a second continuation after the last"] = (
            [.. ClientFrames.Fragments(Opcode.Text, [0x61], [0x62]), .. ClientFrames.Header(Opcode.Continuation, 0)],
            CloseStatus.ProtocolError, 7 + 7 + 6),
        ["text inside a message"] = (
            [.. ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), .. ClientFrames.Text("b")],
            CloseStatus.ProtocolError, 7 + 6),
        ["binary inside an empty beginning"] = (
            [.. ClientFrames.Frame(Opcode.Binary, [], isFinal: false), .. ClientFrames.Binary([])],
            CloseStatus.ProtocolError, 6 + 6),
        ["a message over the limit"] = (ClientFrames.Header(Opcode.Binary, Reading.LimitBytes + 1), CloseStatus.MessageTooBig, 14),
        ["the longest message there can be"] = (ClientFrames.Header(Opcode.Binary, long.MaxValue), CloseStatus.MessageTooBig, 14),
        ["a fragment that would go over the limit, and past 2^63 if added up"] = (
            [.. ClientFrames.Frame(Opcode.Binary, "ab"u8, isFinal: false), .. ClientFrames.Header(Opcode.Continuation, long.MaxValue)],
            CloseStatus.MessageTooBig, 8 + 14),
        ["text that is not UTF-8"] = (ClientFrames.Frame(Opcode.Text, [0x61, 0xFF, 0x61]), CloseStatus.InvalidPayload, 8),
        ["an overlong form in an unfinished frame"] = (
            [.. ClientFrames.Header(Opcode.Text, 1000), .. ClientFrames.Mask([0x61, 0xE0, 0x80], ClientFrames.SampleMaskKey)],
            CloseStatus.InvalidPayload, 8 + 3),
        ["a surrogate over two fragments"] = (ClientFrames.Fragments(Opcode.Text, [0xED], [0xA0, 0x80]), CloseStatus.InvalidPayload, 7 + 7),
        ["a character that the message cuts"] = (ClientFrames.Frame(Opcode.Text, [0xF0, 0x9F, 0x98]), CloseStatus.InvalidPayload, 9),
        ["a character that the last, empty fragment cuts"] = (
            ClientFrames.Fragments(Opcode.Text, [0xC3], []),
            CloseStatus.InvalidPayload, 7 + 6),
        ["half a close status"] = (ClientFrames.Frame(Opcode.Close, [0x03]), CloseStatus.ProtocolError, 7),
        ["a close status that may not be sent"] = (ClientFrames.Close(1005), CloseStatus.ProtocolError, 8),
        ["a close reason that is not UTF-8"] = (ClientFrames.Frame(Opcode.Close, [0x03, 0xE8, 0xC3]), CloseStatus.InvalidPayload, 9),
    };

    public static TheoryData<string> SampleNames => [.. Samples.Keys];

    public static TheoryData<string> ViolationNames => [.. Violations.Keys];

    [Theory]
    [MemberData(nameof(SampleNames))]
    public void A_sample_tells_the_same_whole_and_cut_anywhere_and_byte_by_byte(string name)
    {
        var (wire, transcript) = Samples[name];
        AssertReadsTheSameInEveryWay(wire, transcript);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(127)]
    [InlineData(65535)]
    [InlineData(65536)]
    public void A_message_of_any_length_form_is_read_in_every_way(int length)
    {
        byte[] payload = new byte[length];
        new Random(6455).NextBytes(payload);
        byte[] text = Encoding.ASCII.GetBytes(new string('x', length));
        byte[] wire = [.. ClientFrames.Binary(payload), .. ClientFrames.Frame(Opcode.Text, text), .. ClientFrames.Ping([])];
        AssertReadsTheSameInEveryWay(wire, [$"Binary {Transcript.Describe(payload)}", $"Text {Transcript.Describe(text)}", "Ping ", "Consumed"]);
    }

    [Fact]
    public void All_samples_behind_one_another_are_read_in_three_pieces_cut_anywhere()
    {
        var open = Samples.Values.Where(sample => sample.Transcript[^1] == "Consumed").ToList();
        byte[] wire = [.. open.SelectMany(sample => sample.Wire)];
        string[] transcript = [.. open.SelectMany(sample => sample.Transcript[..^1]), "Consumed"];
        for (int first = 0; first <= wire.Length; first += 3)
        {
            for (int second = first; second <= wire.Length; second += 7)
            {
                Assert.Equal(transcript, Reading.Parts(wire[..first], wire[first..second], [], wire[second..]));
            }
        }
    }

    [Theory]
    [MemberData(nameof(ViolationNames))]
    public void A_violation_has_its_status_and_is_told_at_the_byte_that_proves_it(string name)
    {
        var (wire, status, toldAt) = Violations[name];
        Assert.NotEqual(MessageReadStatus.Violation, ReadOnce(wire.AsSpan(0, toldAt - 1), out _));
        Assert.Equal(MessageReadStatus.Violation, ReadOnce(wire.AsSpan(0, toldAt), out var told));
        Assert.Equal(status, told);

        var transcript = Reading.Parts(wire);
        Assert.StartsWith($"Violation {(int)status}: ", transcript[^1]);
        AssertReadsTheSameInEveryWay(wire, transcript);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void A_message_may_reach_its_limit_and_not_pass_it(int beyond, bool isViolation)
    {
        const int Limit = 300;
        byte[] payload = new byte[Limit + beyond];
        byte[][] wires =
        [
            ClientFrames.Binary(payload),
            ClientFrames.Fragments(Opcode.Binary, payload[..100], payload[100..]),
            ClientFrames.Fragments(Opcode.Binary, payload[..1], [], payload[1..200], payload[200..], []),
            [.. ClientFrames.Frame(Opcode.Binary, payload.AsSpan(0, 100), isFinal: false), .. ClientFrames.Ping(new byte[125]),
             .. ClientFrames.Frame(Opcode.Continuation, payload.AsSpan(100))],
        ];
        foreach (byte[] wire in wires)
        {
            var reader = new MessageReader(Limit);
            var transcript = new Transcript(stopsEachTime: false);
            var status = reader.Read(wire.ToArray().AsSpan(), ref transcript, out _);
            Assert.Equal(isViolation ? MessageReadStatus.Violation : MessageReadStatus.Consumed, status);
            Assert.Equal(isViolation ? CloseStatus.MessageTooBig : CloseStatus.NoStatus, reader.ViolationStatus);
        }
    }

    [Fact]
    public void The_limit_is_for_each_message_and_not_for_control_frames()
    {
        var reader = new MessageReader(messageBytesMax: 1);
        var transcript = new Transcript(stopsEachTime: false);
        byte[] wire = [.. ClientFrames.Text("a"), .. ClientFrames.Ping("longer than the limit"u8), .. ClientFrames.Text("b")];
        Assert.Equal(MessageReadStatus.Consumed, reader.Read(wire.AsSpan(), ref transcript, out _));
        Assert.Equal(3, transcript.Lines.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(MessageReader.MessageBytesCeiling + 1)]
    public void A_limit_out_of_range_is_refused(int messageBytesMax) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new MessageReader(messageBytesMax));

    [Fact]
    public void Stopping_marks_the_end_of_what_was_delivered_and_reading_goes_on_from_there()
    {
        foreach (var (name, (wire, transcript)) in Samples)
        {
            Assert.Equal((name, string.Join('\n', transcript)), (name, string.Join('\n', ReadStoppingEachTime(wire))));
        }
    }

    [Fact]
    public void Stopping_leaves_the_bytes_behind_untouched()
    {
        byte[] second = ClientFrames.Text("second");
        byte[] wire = [.. ClientFrames.Text("first"), .. second];
        var reader = new MessageReader(Reading.LimitBytes);
        var transcript = new Transcript(stopsEachTime: true);
        Assert.Equal(MessageReadStatus.Stopped, reader.Read(wire.AsSpan(), ref transcript, out int consumed));
        Assert.Equal(wire.Length - second.Length, consumed);
        Assert.Equal(second, wire[consumed..]);
        Assert.True(reader.IsIdle);
    }

    [Fact]
    public void A_close_is_consumed_to_its_end_and_all_later_bytes_are_ignored()
    {
        var reader = new MessageReader(Reading.LimitBytes);
        var transcript = new Transcript(stopsEachTime: false);
        byte[] close = ClientFrames.Close(1000);
        Assert.Equal(MessageReadStatus.Closed, reader.Read([.. close, 0xFF], ref transcript, out int consumed));
        Assert.Equal(close.Length, consumed);
        Assert.Equal(MessageReadStatus.Closed, reader.Read([0xFF, 0xFF], ref transcript, out consumed));
        Assert.Equal(2, consumed);
        Assert.Single(transcript.Lines);
        Assert.True(reader.IsIdle);
        Assert.Equal("", reader.ViolationReason);
    }

    [Fact]
    public void A_whole_message_is_lent_out_of_the_chunk_it_came_in()
    {
        byte[] wire = ClientFrames.Text("Hello");
        var reader = new MessageReader(Reading.LimitBytes);
        var handler = new OverlapHandler { Chunk = wire };
        reader.Read(wire.AsSpan(0, 3), ref handler, out _);   // A header that was cut makes no difference.
        reader.Read(wire.AsSpan(3), ref handler, out _);
        Assert.Equal(6, handler.PayloadOffset);
        Assert.Equal("Hello"u8, wire.AsSpan(6));
    }

    [Fact]
    public void The_reader_is_idle_between_messages_and_only_there()
    {
        byte[] wire = [.. ClientFrames.Fragments(Opcode.Text, "ab"u8.ToArray(), "cd"u8.ToArray()), .. ClientFrames.Ping("e"u8)];
        var reader = new MessageReader(Reading.LimitBytes);
        var transcript = new Transcript(stopsEachTime: false);
        Assert.True(reader.IsIdle);
        for (int i = 0; i < wire.Length; i++)
        {
            reader.Read(wire.AsSpan(i, 1), ref transcript, out _);
            Assert.Equal(i is 15 or 22, reader.IsIdle);
            Assert.True(!reader.IsIdle || reader.BufferedBytes == 0);
        }
    }

    [Fact]
    public void Buffered_bytes_are_those_of_the_message_and_of_an_unfinished_control_frame()
    {
        var reader = new MessageReader(Reading.LimitBytes);
        var transcript = new Transcript(stopsEachTime: false);
        reader.Read(ClientFrames.Frame(Opcode.Binary, new byte[10], isFinal: false).AsSpan(), ref transcript, out _);
        Assert.Equal(10, reader.BufferedBytes);
        byte[] ping = ClientFrames.Ping(new byte[5]);
        reader.Read(ping.AsSpan(0, 9), ref transcript, out _);
        Assert.Equal(13, reader.BufferedBytes);
        reader.Read(ping.AsSpan(9), ref transcript, out _);
        Assert.Equal(10, reader.BufferedBytes);
        reader.Release();
        Assert.Equal(0, reader.BufferedBytes);
        Assert.True(reader.IsIdle);
    }

    [Fact]
    public void Nothing_is_read_after_release_and_a_violation_stays_known()
    {
        var transcript = new Transcript(stopsEachTime: false);
        var reader = new MessageReader(Reading.LimitBytes);
        reader.Release();
        Assert.Equal(MessageReadStatus.Closed, reader.Read(ClientFrames.Text("a").AsSpan(), ref transcript, out _));
        Assert.Empty(transcript.Lines);

        var broken = new MessageReader(Reading.LimitBytes);
        broken.Read([0xFF], ref transcript, out _);
        broken.Release();
        Assert.Equal(CloseStatus.ProtocolError, broken.ViolationStatus);
        Assert.NotEmpty(broken.ViolationReason);
    }

    [Fact]
    public void A_reader_weighs_seventy_two_bytes() => Assert.Equal(72, Unsafe.SizeOf<MessageReader>());

    private static void AssertReadsTheSameInEveryWay(byte[] wire, IReadOnlyList<string> transcript)
    {
        Assert.Equal(transcript, Reading.Parts(wire));
        Assert.Equal(transcript, Reading.ByteByByte(wire));
        foreach (int cut in Reading.Cuts(wire))
        {
            Assert.Equal(transcript, Reading.CutAt(wire, cut));
        }
    }

    private static MessageReadStatus ReadOnce(ReadOnlySpan<byte> wire, out CloseStatus violation)
    {
        var reader = new MessageReader(Reading.LimitBytes);
        var transcript = new Transcript(stopsEachTime: false);
        var status = reader.Read(wire.ToArray().AsSpan(), ref transcript, out _);
        violation = reader.ViolationStatus;
        reader.Release();
        return status;
    }

    private static List<string> ReadStoppingEachTime(byte[] wire)
    {
        var reader = new MessageReader(Reading.LimitBytes);
        var transcript = new Transcript(stopsEachTime: true);
        var rest = wire.ToArray().AsSpan();
        MessageReadStatus status;
        do
        {
            int before = transcript.Lines.Count;
            status = reader.Read(rest, ref transcript, out int consumed);
            Assert.Equal(status == MessageReadStatus.Consumed ? before : before + 1, transcript.Lines.Count);
            rest = rest[consumed..];
        }
        while (status == MessageReadStatus.Stopped);

        transcript.Lines.Add(status.ToString());
        return transcript.Lines;
    }

    private struct OverlapHandler : IMessageHandler
    {
        public byte[] Chunk;
        public int PayloadOffset;

        public bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload)
        {
            Assert.True(new ReadOnlySpan<byte>(Chunk).Overlaps(payload, out PayloadOffset));
            return true;
        }

        public readonly bool OnPing(ReadOnlySpan<byte> payload) => true;

        public readonly bool OnPong(ReadOnlySpan<byte> payload) => true;

        public readonly void OnClose(CloseStatus status, ReadOnlySpan<byte> reason)
        {
        }
    }
}
