using System.Text;
using RawPush.Protocol.Http;

namespace RawPush.Protocol.Tests.Http;

public sealed class PercentEncodingTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("abc", "abc")]
    [InlineData("a+b", "a+b")]
    [InlineData("a%20b", "a b")]
    [InlineData("%41%4a%4A", "AJJ")]
    [InlineData("%00%ff", "\0\u00ff")]
    [InlineData("%2525", "%25")]
    [InlineData("caf%C3%A9%21", "caf\u00c3\u00a9!")]
    public void Triplets_are_decoded_and_nothing_else_is(string source, string expected)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(source);
        byte[] destination = new byte[bytes.Length];

        Assert.True(PercentEncoding.TryDecode(bytes, destination, out int written));
        Assert.Equal(expected, Encoding.Latin1.GetString(destination, 0, written));

        // In place, as documented.
        Assert.True(PercentEncoding.TryDecode(bytes, bytes, out written));
        Assert.Equal(expected, Encoding.Latin1.GetString(bytes, 0, written));
    }

    [Theory]
    [InlineData("%")]
    [InlineData("%4")]
    [InlineData("a%4")]
    [InlineData("%zz")]
    [InlineData("%4g")]
    [InlineData("% 4")]
    [InlineData("%4 ")]
    [InlineData("%+4")]
    [InlineData("%41%")]
    [InlineData("%%41")]
    public void A_percent_sign_without_two_digits_is_refused(string source)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(source);

        Assert.False(PercentEncoding.TryDecode(bytes, new byte[bytes.Length], out int written));
        Assert.Equal(0, written);
    }

    [Fact]
    public void Every_byte_can_be_written_in_either_case()
    {
        for (int value = 0; value <= 0xFF; value++)
        {
            byte[] destination = new byte[6];
            Assert.True(PercentEncoding.TryDecode(Encoding.ASCII.GetBytes($"%{value:x2}%{value:X2}"), destination, out int written));
            Assert.Equal([(byte)value, (byte)value], destination[..written]);
        }
    }

    [Fact]
    public void A_destination_shorter_than_the_source_is_a_bug_even_when_the_result_would_fit() =>
        Assert.Throws<ArgumentException>("destination", () => PercentEncoding.TryDecode("%41"u8, new byte[2], out _));
}
