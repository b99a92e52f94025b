using System.Text;
using RawPush.Protocol.Http;

namespace RawPush.Protocol.Tests.Http;

public sealed class ResponseHeadWriterTests
{
    [Fact]
    public void A_head_is_a_status_line_fields_and_an_empty_line()
    {
        byte[] destination = new byte[256];
        var writer = new ResponseHeadWriter(destination, 101);
        writer.Field("Upgrade"u8, "websocket"u8);
        writer.Field("Empty"u8, ""u8);
        writer.Field("Tab"u8, "a\tb"u8);
        writer.Field("Content-Length"u8, 0);
        writer.Field("Least"u8, int.MinValue);

        int written = writer.End();

        Assert.Equal(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nEmpty: \r\nTab: a\tb\r\nContent-Length: 0\r\nLeast: -2147483648\r\n\r\n",
            Encoding.Latin1.GetString(destination, 0, written));
    }

    [Theory]
    [InlineData(101, "Switching Protocols")]
    [InlineData(200, "OK")]
    [InlineData(204, "No Content")]
    [InlineData(304, "Not Modified")]
    [InlineData(400, "Bad Request")]
    [InlineData(401, "Unauthorized")]
    [InlineData(403, "Forbidden")]
    [InlineData(404, "Not Found")]
    [InlineData(405, "Method Not Allowed")]
    [InlineData(406, "Not Acceptable")]
    [InlineData(408, "Request Timeout")]
    [InlineData(413, "Content Too Large")]
    [InlineData(414, "URI Too Long")]
    [InlineData(426, "Upgrade Required")]
    [InlineData(429, "Too Many Requests")]
    [InlineData(431, "Request Header Fields Too Large")]
    [InlineData(500, "Internal Server Error")]
    [InlineData(503, "Service Unavailable")]
    [InlineData(505, "HTTP Version Not Supported")]
    public void Every_status_line_has_its_reason_phrase(int statusCode, string phrase)
    {
        byte[] destination = new byte[64];

        int written = new ResponseHeadWriter(destination, statusCode).End();

        Assert.Equal($"HTTP/1.1 {statusCode} {phrase}\r\n\r\n", Encoding.Latin1.GetString(destination, 0, written));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(418)]
    [InlineData(-200)]
    public void A_status_code_without_a_line_is_a_bug(int statusCode) =>
        Assert.Throws<ArgumentOutOfRangeException>(nameof(statusCode), () => new ResponseHeadWriter(new byte[64], statusCode).End());

    [Theory]
    [InlineData("a\r\nSet-Cookie: b")]
    [InlineData("a\r")]
    [InlineData("\n")]
    [InlineData("a\0b")]
    [InlineData("a\u007fb")]
    public void A_value_with_a_control_character_is_a_bug(string value) =>
        Assert.Throws<ArgumentException>(nameof(value), () => new ResponseHeadWriter(new byte[256], 200).Field("A"u8, Encoding.Latin1.GetBytes(value)));

    [Theory]
    [InlineData("")]
    [InlineData("A B")]
    [InlineData("A:")]
    [InlineData("A\r\n")]
    public void A_name_that_is_not_a_token_is_a_bug(string name) =>
        Assert.Throws<ArgumentException>(nameof(name), () => new ResponseHeadWriter(new byte[256], 200).Field(Encoding.Latin1.GetBytes(name), "b"u8));

    [Fact]
    public void A_head_fits_in_exactly_its_length_and_in_nothing_shorter()
    {
        int length = Write(new byte[256]);

        Assert.Equal(length, Write(new byte[length]));
        for (int shorter = 0; shorter < length; shorter++)
        {
            Assert.Throws<ArgumentException>(() => Write(new byte[shorter]));
        }
    }

    private static int Write(byte[] destination)
    {
        var writer = new ResponseHeadWriter(destination, 200);
        writer.Field("Content-Type"u8, "text/event-stream"u8);
        return writer.End();
    }
}
