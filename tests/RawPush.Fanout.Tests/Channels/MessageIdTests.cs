using System.Text;
using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Channels;

public sealed class MessageIdTests
{
    [Theory]
    [InlineData(0UL, 0L, "0-0")]
    [InlineData(0x19a8c3f2b41e07dUL, 42L, "19a8c3f2b41e07d-42")]
    [InlineData(ulong.MaxValue, long.MaxValue, "ffffffffffffffff-9223372036854775807")]
    public void An_id_is_written_as_epoch_dash_sequence(ulong epoch, long sequence, string expected)
    {
        var id = new MessageId(epoch, sequence);
        Assert.Equal(expected, id.ToString());
        Assert.Equal(expected, Format(id));
        Assert.True(MessageId.TryParse(expected, out var parsed));
        Assert.Equal(id, parsed);
    }

    [Fact]
    public void Every_id_comes_back_as_it_was()
    {
        var random = new Random(1);
        for (int round = 0; round < 10_000; round++)
        {
            // Shifted, so that every length occurs.
            var id = new MessageId((ulong)random.NextInt64() << 1 >> random.Next(64), random.NextInt64() >> random.Next(63));
            Assert.True(MessageId.TryParse(Format(id), out var parsed));
            Assert.Equal(id, parsed);
        }
    }

    [Fact]
    public void The_longest_id_has_the_length_we_say_and_fits_in_nothing_shorter()
    {
        var id = new MessageId(ulong.MaxValue, long.MaxValue);
        Assert.True(id.TryFormat(new byte[MessageId.LengthMax], out int written));
        Assert.Equal(MessageId.LengthMax, written);
        Assert.False(id.TryFormat(new byte[MessageId.LengthMax - 1], out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("1")]
    [InlineData("1-")]
    [InlineData("-1")]
    [InlineData("g-1")]
    [InlineData("0x1-1")]
    [InlineData("1-a")]
    [InlineData("1--1")]
    [InlineData("1-+1")]
    [InlineData("+1-1")]
    [InlineData("1-1-1")]
    [InlineData("1_1")]
    [InlineData(" 1-1")]
    [InlineData("1 -1")]
    [InlineData("1- 1")]
    [InlineData("1-1 ")]
    [InlineData("1-1,000")]
    [InlineData("1-1.0")]
    [InlineData("1-1e3")]
    [InlineData("1-\u0661")]
    [InlineData("\uff11-1")]
    [InlineData("1-1\0")]
    [InlineData("1\0-1")]
    [InlineData("1-9223372036854775808")]
    [InlineData("10000000000000000-1")]
    public void What_is_no_id_is_not_guessed_at(string text)
    {
        Assert.False(MessageId.TryParse(text, out var id));
        Assert.Equal(default, id);
    }

    private static string Format(MessageId id)
    {
        Span<byte> bytes = stackalloc byte[MessageId.LengthMax];
        Assert.True(id.TryFormat(bytes, out int length));
        return Encoding.ASCII.GetString(bytes[..length]);
    }
}
