using System.Runtime.CompilerServices;
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

    public static TheoryData<string> SampleNames => [.. Samples.Keys];

    [Theory]
    [MemberData(nameof(SampleNames))]
    public void A_sample_tells_the_same_whole_and_cut_anywhere_and_byte_by_byte(string name)
    {
        var (wire, transcript) = Samples[name];
        AssertReadsTheSameInEveryWay(wire, transcript);
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
