using System.Text;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.Events;

/// <summary>1. The oracle against the standard: WHATWG HTML, sections 9.2.5 and 9.2.6.</summary>
public sealed class ReferenceParserTests
{
    // "type|id|data" for each event.
    private static readonly (string Number, string Says, string Stream, string[] Events)[] Cases =
    [
        ("1.1", "Lines of data are one event", "data: YHOO\ndata: +2\ndata: 10\n\n", ["message||YHOO\n+2\n10"]),
        ("1.2", "A block that is not ended is not dispatched", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event", ["message|1|first event", "message||second event"]),
        ("1.3", "Two events, of which the last is dropped at the end of the stream", "data\n\ndata\ndata\n\ndata:", ["message||", "message||\n"]),
        ("1.4", "A space behind the colon is ignored", "data:test\n\ndata: test\n\n", ["message||test", "message||test"]),
        ("1.5", "One space and no more", "data:  test\n\n", ["message|| test"]),
        ("1.6", "No tab", "data:\ttest\n\n", ["message||\ttest"]),
        ("1.7", "CR ends a line", "data: a\rdata: b\r\r", ["message||a\nb"]),
        ("1.8", "CR LF ends one line", "data: a\r\ndata: b\r\n\r\n", ["message||a\nb"]),
        ("1.9", "LF CR ends two", "data: a\n\rdata: b\n\r", ["message||a", "message||b"]),
        ("1.10", "One byte order mark before the stream is ignored", "\uFEFFdata: a\n\n", ["message||a"]),
        ("1.11", "A byte order mark elsewhere is text", "data: \uFEFFa\n\n", ["message||\uFEFFa"]),
        ("1.12", "A comment does nothing", ":\n: data: x\n\n:\n\n", []),
        ("1.13", "An event without data is not dispatched", "event: x\nid: 1\n\n", []),
        ("1.14", "A type is for one event", "event: add\ndata: 1\n\ndata: 2\n\n", ["add||1", "message||2"]),
        ("1.15", "A type is forgotten with a block without data", "event: add\n\ndata: 1\n\n", ["message||1"]),
        ("1.16", "An empty type is message", "event:\ndata: 1\n\n", ["message||1"]),
        ("1.17", "The last type counts", "event: a\nevent: b\ndata: 1\n\n", ["b||1"]),
        ("1.18", "An id stays", "id: 1\ndata: a\n\ndata: b\n\n", ["message|1|a", "message|1|b"]),
        ("1.19", "An empty id resets it", "id: 1\ndata: a\n\nid\ndata: b\n\n", ["message|1|a", "message||b"]),
        ("1.20", "An id with NUL is ignored", "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n", ["message|1|a", "message|1|b"]),
        ("1.21", "An id of a block without data is kept for the next", "id: 1\n\ndata: a\n\n", ["message|1|a"]),
        ("1.22", "A colon belongs to the value from the second on", "data: a: b:c\n\n", ["message||a: b:c"]),
        ("1.23", "An empty line of data is one", "data\ndata: a\ndata\n\n", ["message||\na\n"]),
        ("1.24", "Retry is no data", "retry: 1000\n\ndata: a\n\n", ["message||a"]),
        ("1.25", "A line separator of Unicode is text", "data: a\u2028b\u0085c\n\n", ["message||a\u2028b\u0085c"]),
    ];

    public static IEnumerable<TheoryDataRow<string>> Numbers => Cases.Select(row => new TheoryDataRow<string>(row.Number) { TestDisplayName = $"{row.Number} {row.Says}" });

    [Theory]
    [MemberData(nameof(Numbers))]
    public void TheOracleSaysWhatTheStandardSays(string number)
    {
        var (_, _, stream, events) = Cases.Single(row => row.Number == number);
        Assert.Equal(events, SseReferenceParser.Parse(Encoding.UTF8.GetBytes(stream)).Events.Select(item => $"{item.Type}|{item.LastEventId}|{item.Data}"));
    }

    [Theory]
    [InlineData("retry: 10\n", 10)]
    [InlineData("retry: 0010\n", 10)]
    [InlineData("retry: 10\nretry: 20\n", 20)]
    [InlineData("retry: 10\nretry: x\n", 10)]
    [InlineData("retry:\n", null)]
    [InlineData("retry: -1\n", null)]
    [InlineData("retry: +1\n", null)]
    [InlineData("retry: 1.5\n", null)]
    [InlineData("retry: 1 \n", null)]
    [InlineData("retry: \u0661\n", null)]
    public void ARetryIsDigitsAndNothingElse(string stream, int? expected) => Assert.Equal(expected, SseReferenceParser.Parse(Encoding.UTF8.GetBytes(stream)).RetryMs);

    [Theory]
    [InlineData("id: 1\n\n", "1")]
    [InlineData("id: 1\n", "")]
    [InlineData("id: 1\ndata: a\n\nid: 2\ndata: b", "1")]
    [InlineData("id: 1\n\nid\n\n", "")]
    public void ADispatchSetsTheLastEventId(string stream, string expected) => Assert.Equal(expected, SseReferenceParser.Parse(Encoding.UTF8.GetBytes(stream)).LastEventId);

    [Theory]
    [InlineData("", true)]
    [InlineData("data: a\n\n", true)]
    [InlineData(": a\n", true)]
    [InlineData("data: a\n", false)]
    [InlineData("data: a", false)]
    [InlineData("data: a\n\n:", false)]
    public void AStreamIsCompleteWhenNothingIsHalfSaid(string stream, bool expected) => Assert.Equal(expected, SseReferenceParser.Parse(Encoding.UTF8.GetBytes(stream)).IsComplete);

    [Fact]
    public void OurWriterMayNeverProduceWhatABrowserWouldOverlook()
    {
        Assert.Throws<FormatException>(() => SseReferenceParser.Parse("Data: a\n\n"u8));
        Assert.Throws<FormatException>(() => SseReferenceParser.Parse("other: a\n\n"u8));
        Assert.Throws<FormatException>(() => SseReferenceParser.Parse([.. "data: "u8, 0xFF, .. "\n\n"u8]));
    }
}
