using RawPush.Protocol.WebSockets;

namespace RawPush.Protocol.Tests.WebSockets;

public class FrameHeaderWriterTests
{
    [Theory]
    [InlineData(0L, "8200")]
    [InlineData(1L, "8201")]
    [InlineData(125L, "827D")]
    [InlineData(126L, "827E007E")]
    [InlineData(127L, "827E007F")]
    [InlineData(65535L, "827EFFFF")]
    [InlineData(65536L, "827F0000000000010000")]
    [InlineData(long.MaxValue, "827F7FFFFFFFFFFFFFFF")]
    public void A_length_is_written_in_its_shortest_form(long payloadLength, string wire)
    {
        Span<byte> destination = stackalloc byte[FrameHeaderWriter.BytesMax];
        int length = FrameHeaderWriter.Write(destination, Opcode.Binary, payloadLength);
        Assert.Equal(wire, Convert.ToHexString(destination[..length]));
        Assert.Equal(length, FrameHeaderWriter.GetLength(payloadLength));
    }

    [Theory]
    [InlineData(Opcode.Text, false, "0105")]
    [InlineData(Opcode.Continuation, false, "0005")]
    [InlineData(Opcode.Continuation, true, "8005")]
    [InlineData(Opcode.Ping, true, "8905")]
    public void The_first_byte_holds_the_opcode_and_whether_the_frame_is_the_last(Opcode opcode, bool isFinal, string wire)
    {
        Span<byte> destination = stackalloc byte[2];
        Assert.Equal(2, FrameHeaderWriter.Write(destination, opcode, 5, isFinal));
        Assert.Equal(wire, Convert.ToHexString(destination));
    }

    [Theory]
    [InlineData(125L, 2)]
    [InlineData(126L, 4)]
    [InlineData(65536L, 10)]
    public void A_destination_one_byte_too_short_is_refused_and_the_exact_one_is_enough(long payloadLength, int headerLength)
    {
        Assert.Throws<ArgumentException>(() => FrameHeaderWriter.Write(new byte[headerLength - 1], Opcode.Text, payloadLength));
        Assert.Equal(headerLength, FrameHeaderWriter.Write(new byte[headerLength], Opcode.Text, payloadLength));
    }
}
