using System.Text;
using RawPush.Protocol.Http;

namespace RawPush.Protocol.Tests.Http;

public sealed class FieldValueTests
{
    [Theory]
    [InlineData("upgrade", true)]
    [InlineData("Upgrade", true)]
    [InlineData("keep-alive, UPGRADE", true)]
    [InlineData("keep-alive,upgrade,x", true)]
    [InlineData(" \t upgrade \t ", true)]
    [InlineData(",, ,upgrade", true)]
    [InlineData("upgrade,", true)]
    [InlineData("", false)]
    [InlineData(",", false)]
    [InlineData("upgrad", false)]
    [InlineData("upgrades", false)]
    [InlineData("xupgrade", false)]
    [InlineData("up grade", false)]
    [InlineData("upgrade x", false)]
    [InlineData("upgrade;q=1", false)]
    [InlineData("upgrade/1", false)]
    [InlineData("\"upgrade\"", false)]
    [InlineData("a=\"b, upgrade, c\"", false)]
    [InlineData("a=\"b, upgrade", false)]
    [InlineData("a=\"\\\", upgrade, \"", false)]
    [InlineData("a=\"b\", upgrade", true)]
    public void ContainsToken_looks_for_a_whole_element_in_any_case(string list, bool expected) =>
        Assert.Equal(expected, FieldValue.ContainsToken(Encoding.Latin1.GetBytes(list), "upgrade"u8));

    [Fact]
    public void ContainsToken_never_finds_the_empty_token() => Assert.False(FieldValue.ContainsToken("a,,b"u8, default));

    [Theory]
    [InlineData("text/event-stream", true)]
    [InlineData("Text/Event-Stream", true)]
    [InlineData("text/html, text/event-stream", true)]
    [InlineData("text/html;q=0.9 , text/event-stream ;q=0.1", true)]
    [InlineData("text/event-stream;q=1", true)]
    [InlineData("text/event-stream;q=1.000", true)]
    [InlineData("text/event-stream;q=0.001", true)]
    [InlineData("text/event-stream; Q=0.5", true)]
    [InlineData("text/event-stream;charset=utf-8", true)]
    [InlineData("text/event-stream;charset=utf-8;q=0.3", true)]
    [InlineData("text/event-stream;x=\";q=0\"", true)]
    [InlineData("text/event-stream;x=\"\\\";q=0\"", true)]
    [InlineData("text/event-stream;q=0, text/event-stream", true)]
    [InlineData("text/event-stream;", true)]
    [InlineData("text/event-stream;q=0", false)]
    [InlineData("text/event-stream;q=0.", false)]
    [InlineData("text/event-stream;q=0.0", false)]
    [InlineData("text/event-stream;q=0.000", false)]
    [InlineData("text/event-stream ; q=0", false)]
    [InlineData("text/event-stream;x=y;q=0", false)]
    [InlineData("text/event-stream;x=\";\";q=0", false)]
    [InlineData("text/event-stream;q=", false)]
    [InlineData("text/event-stream;q=2", false)]
    [InlineData("text/event-stream;q=1.1", false)]
    [InlineData("text/event-stream;q=01", false)]
    [InlineData("text/event-stream;q=0.0001", false)]
    [InlineData("text/event-stream;q=0.a", false)]
    [InlineData("text/event-stream;q=-1", false)]
    [InlineData("text/event-stream;q=.5", false)]
    [InlineData("", false)]
    [InlineData("*/*", false)]
    [InlineData("text/*", false)]
    [InlineData("text/event-streams", false)]
    [InlineData("text/event-stream+x", false)]
    [InlineData("text/plain;x=\"text/event-stream\"", false)]
    [InlineData("text/plain;x=\", text/event-stream\"", false)]
    [InlineData("text/plain;x=\"\\\", text/event-stream\"", false)]
    [InlineData("text/plain;x=\", text/event-stream", false)]
    [InlineData(";text/event-stream", false)]
    public void AcceptsMediaType_wants_the_exact_type_with_a_weight(string accept, bool expected) =>
        Assert.Equal(expected, FieldValue.AcceptsMediaType(Encoding.Latin1.GetBytes(accept), "text/event-stream"u8));
}
