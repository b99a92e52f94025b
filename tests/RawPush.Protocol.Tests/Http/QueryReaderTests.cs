using System.Text;
using RawPush.Protocol.Http;

namespace RawPush.Protocol.Tests.Http;

public sealed class QueryReaderTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("&", "")]
    [InlineData("&&&", "")]
    [InlineData("a", "[a|]")]
    [InlineData("a=", "[a|]")]
    [InlineData("=b", "[|b]")]
    [InlineData("=", "[|]")]
    [InlineData("a=b", "[a|b]")]
    [InlineData("a=b=c", "[a|b=c]")]
    [InlineData("a=b&c=d", "[a|b][c|d]")]
    [InlineData("&a=b&&c&", "[a|b][c|]")]
    [InlineData("a=1&a=2", "[a|1][a|2]")]
    [InlineData("a=%26+;b", "[a|%26+;b]")]
    public void Pairs_are_read_in_order_and_undecoded(string query, string expected)
    {
        var reader = new QueryReader(Encoding.Latin1.GetBytes(query));
        var read = new StringBuilder();
        while (reader.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            read.Append('[').Append(Encoding.Latin1.GetString(name)).Append('|').Append(Encoding.Latin1.GetString(value)).Append(']');
        }

        Assert.Equal(expected, read.ToString());
        Assert.False(reader.TryRead(out _, out _));
    }
}
