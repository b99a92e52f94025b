using System.Runtime.CompilerServices;
using RawPush.Protocol.WebSockets;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.WebSockets;

public class FrameHeaderReaderTests
{
    [Theory]
    [InlineData(0L, 6)]
    [InlineData(1L, 6)]
    [InlineData(125L, 6)]
    [InlineData(126L, 8)]
    [InlineData(127L, 8)]
    [InlineData(65535L, 8)]
    [InlineData(65536L, 14)]
    [InlineData(long.MaxValue, 14)]
    public void A_header_is_done_with_its_last_byte_and_not_before(long payloadLength, int headerLength)
    {
        byte[] wire = [.. ClientFrames.Header(Opcode.Binary, payloadLength, isFinal: false, maskKey: 0x44332211), 0xAA];
        for (int cut = 0; cut < headerLength; cut++)
        {
            Assert.Equal(ReadStatus.NeedMore, FrameHeaderReader.TryRead(wire.AsSpan(0, cut), out _));
        }

        Assert.Equal(ReadStatus.Done, FrameHeaderReader.TryRead(wire, out var header));
        Assert.False(header.IsFinal);
        Assert.Equal(Opcode.Binary, header.Opcode);
        Assert.Equal(payloadLength, header.PayloadLength);
        Assert.Equal(0x44332211u, header.MaskKey);
        Assert.Equal(headerLength, header.HeaderLength);
    }

    [Theory]
    [InlineData(Opcode.Continuation)]
    [InlineData(Opcode.Text)]
    [InlineData(Opcode.Binary)]
    [InlineData(Opcode.Close)]
    [InlineData(Opcode.Ping)]
    [InlineData(Opcode.Pong)]
    public void Every_opcode_of_the_rfc_is_read(Opcode opcode)
    {
        Assert.Equal(ReadStatus.Done, FrameHeaderReader.TryRead(ClientFrames.Header(opcode, 125), out var header));
        Assert.Equal(opcode, header.Opcode);
        Assert.True(header.IsFinal);
    }

    [Fact]
    public void The_first_two_bytes_are_judged_as_the_rfc_says_whatever_they_are()
    {
        for (int pair = 0; pair < 0x10000; pair++)
        {
            byte first = (byte)(pair >> 8);
            byte second = (byte)pair;
            bool isControl = (first & 0x08) != 0;
            bool firstIsGood = (first & 0x70) == 0 && (first & 0x0F) is <= 2 or (>= 8 and <= 10) && (!isControl || first >= 0x80);
            bool secondIsGood = second >= 0x80 && (!isControl || second <= 0x80 + 125);

            Assert.Equal(firstIsGood ? ReadStatus.NeedMore : ReadStatus.Violation, FrameHeaderReader.TryRead([first], out _));
            Assert.Equal(
                firstIsGood && secondIsGood ? ReadStatus.NeedMore : ReadStatus.Violation,
                FrameHeaderReader.TryRead([first, second], out _));
        }
    }

    [Theory]
    [InlineData("82FE0000", 4)]
    [InlineData("82FE007D", 4)]
    [InlineData("82FF80", 3)]
    [InlineData("82FFFFFFFFFFFFFFFFFF", 3)]
    [InlineData("82FF000000000000FFFF", 8)]
    [InlineData("82FF0000000000000000", 8)]
    public void A_length_that_is_not_minimal_or_too_large_is_told_with_the_byte_that_proves_it(string wire, int toldAt)
    {
        byte[] bytes = Convert.FromHexString(wire);
        Assert.Equal(ReadStatus.NeedMore, FrameHeaderReader.TryRead(bytes.AsSpan(0, toldAt - 1), out _));
        for (int length = toldAt; length <= bytes.Length; length++)
        {
            Assert.Equal(ReadStatus.Violation, FrameHeaderReader.TryRead(bytes.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void A_header_weighs_sixteen_bytes() => Assert.Equal(16, Unsafe.SizeOf<FrameHeader>());
}
