using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using RawPush.Protocol.WebSockets;

namespace RawPush.Protocol.Tests.WebSockets;

public class ClosePayloadTests
{
    [Fact]
    public void Exactly_the_statuses_that_may_be_sent_are_read()
    {
        for (int code = 0; code <= ushort.MaxValue; code++)
        {
            bool expected = code is 1000 or 1001 or 1002 or 1003 or 1007 or 1008 or 1009 or 1010 or 1011 or 1012 or 1013 or 1014
                or (>= 3000 and <= 4999);
            byte[] payload = [(byte)(code >> 8), (byte)code];
            Assert.Equal(expected, ClosePayload.TryRead(payload, out var status, out _));
            Assert.Equal(expected ? (CloseStatus)code : CloseStatus.NoStatus, status);
        }
    }

    [Fact]
    public void An_empty_payload_has_no_status()
    {
        Assert.True(ClosePayload.TryRead([], out var status, out var reason));
        Assert.Equal(CloseStatus.NoStatus, status);
        Assert.True(reason.IsEmpty);
    }

    [Fact]
    public void A_reason_is_the_rest_of_the_payload()
    {
        Assert.True(ClosePayload.TryRead([0x03, 0xE9, .. "tschüß"u8], out var status, out var reason));
        Assert.Equal(CloseStatus.GoingAway, status);
        Assert.Equal("tschüß"u8, reason);
    }

    [Theory]
    [InlineData("03")]
    [InlineData("03E8C3")]
    [InlineData("03E8FF")]
    [InlineData("03E8EDA080")]
    public void Half_a_status_or_a_reason_that_is_not_utf8_is_refused(string hex)
    {
        Assert.False(ClosePayload.TryRead(Convert.FromHexString(hex), out _, out var reason));
        Assert.True(reason.IsEmpty);
    }

    [Theory]
    [InlineData("", 2)]
    [InlineData("bye", 5)]
    public void What_is_written_is_read_back(string reason, int length)
    {
        Span<byte> payload = stackalloc byte[ClosePayload.BytesMax];
        Assert.Equal(length, ClosePayload.Write(payload, CloseStatus.SlowConsumer, Encoding.UTF8.GetBytes(reason)));
        Assert.True(ClosePayload.TryRead(payload[..length], out var status, out var readBack));
        Assert.Equal(CloseStatus.SlowConsumer, status);
        Assert.Equal(reason, Encoding.UTF8.GetString(readBack));
    }

    [Theory]
    [InlineData("x", 122, 122)]
    [InlineData("x", 123, 123)]
    [InlineData("x", 124, 123)]
    [InlineData("ü", 62, 122)]
    [InlineData("日", 41, 123)]
    [InlineData("日", 42, 123)]
    [InlineData("😀", 30, 120)]
    [InlineData("😀", 31, 120)]
    public void A_long_reason_is_cut_between_characters(string character, int count, int reasonLength)
    {
        byte[] reason = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(character, count)));
        Span<byte> payload = stackalloc byte[ClosePayload.BytesMax];
        int length = ClosePayload.Write(payload, CloseStatus.Normal, reason);
        Assert.Equal(2 + reasonLength, length);
        Assert.True(Utf8.IsValid(payload[2..length]));
        Assert.True(reason.AsSpan().StartsWith(payload[2..length]));
    }

    [Fact]
    public void No_status_is_written_as_an_empty_payload() => Assert.Equal(0, ClosePayload.Write([], CloseStatus.NoStatus, "unsaid"u8));

    [Theory]
    [InlineData(0)]
    [InlineData(999)]
    [InlineData(1004)]
    [InlineData(1006)]
    [InlineData(1015)]
    [InlineData(2999)]
    [InlineData(5000)]
    public void A_status_that_may_not_be_sent_is_not_written(int status) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ClosePayload.Write(new byte[125], (CloseStatus)status, default));

    [Fact]
    public void A_destination_one_byte_too_short_is_refused()
    {
        Assert.Throws<ArgumentException>(() => ClosePayload.Write(new byte[4], CloseStatus.Normal, "bye"u8));
        Assert.Throws<ArgumentException>(() => ClosePayload.WriteFrame(new byte[6], CloseStatus.Normal, "bye"u8));
        Assert.Throws<ArgumentException>(() => ClosePayload.WriteFrame(new byte[1], CloseStatus.NoStatus, default));
    }

    [Theory]
    [InlineData(CloseStatus.Normal, "", "880203E8")]
    [InlineData(CloseStatus.GoingAway, "bye", "880503E9627965")]
    [InlineData(CloseStatus.NoStatus, "", "8800")]
    public void A_whole_frame_has_its_header_in_front(CloseStatus status, string reason, string wire)
    {
        Span<byte> frame = stackalloc byte[ClosePayload.FrameBytesMax];
        int length = ClosePayload.WriteFrame(frame, status, Encoding.UTF8.GetBytes(reason));
        Assert.Equal(wire, Convert.ToHexString(frame[..length]));
    }

    [Fact]
    public void The_longest_frame_fills_the_room_it_is_said_to_need()
    {
        Span<byte> frame = stackalloc byte[ClosePayload.FrameBytesMax];
        Assert.Equal(ClosePayload.FrameBytesMax, ClosePayload.WriteFrame(frame, CloseStatus.Normal, new byte[1000]));
        Assert.Equal(0x8800 + 125, BinaryPrimitives.ReadUInt16BigEndian(frame));
    }

    [Fact]
    public void Every_violation_has_a_status_that_may_be_sent_and_a_reason_that_is_not_cut()
    {
        Span<byte> payload = stackalloc byte[ClosePayload.BytesMax];
        foreach (var violation in Enum.GetValues<FrameViolation>().Where(violation => violation != FrameViolation.None))
        {
            byte[] reason = Encoding.ASCII.GetBytes(violation.ToReason());
            int length = ClosePayload.Write(payload, violation.ToCloseStatus(), reason);
            Assert.NotEmpty(reason);
            Assert.Equal(2 + reason.Length, length);
        }
    }
}
