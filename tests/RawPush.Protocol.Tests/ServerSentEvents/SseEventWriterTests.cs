using System.Net.ServerSentEvents;
using System.Text;
using RawPush.Protocol.ServerSentEvents;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.ServerSentEvents;

public sealed class SseEventWriterTests
{
    public static TheoryData<string> Payloads =>
    [
        "",
        " ",
        "  two",
        "hello",
        "{\"a\": 1}",
        ":",
        ": not a comment",
        "data: not a field",
        "id: 7",
        "retry: 1",
        "\n",
        "\r",
        "\r\n",
        "\n\r",
        "\r\r",
        "\n\n",
        "\r\n\r\n",
        "\r\r\n\n",
        "a\nb",
        "a\rb",
        "a\r\nb",
        "a\n\rb",
        "a\n",
        "a\r",
        "a\r\n",
        "\na",
        "\ra",
        "\r\na",
        " a\n  b\r\tc\r\n d",
        "a\n\nevent: x\n\ndata: y\n\n",
        "\uFEFF",
        "\uFEFFa\n\uFEFFb",
        "caf\u00e9 \u4e2d\u6587 \U0001F600",
        "a\0b",
        "\u2028\u0085\v\f",
    ];

    [Theory]
    [MemberData(nameof(Payloads))]
    public void Data_is_dispatched_as_it_was_with_each_line_end_as_LF(string data) => AssertRoundTrip("", "", data);

    [Theory]
    [InlineData("1", "")]
    [InlineData("", "price")]
    [InlineData("e9-42", "price")]
    [InlineData(" 1", "  price")]
    [InlineData(":", ":")]
    [InlineData("\uFEFF", "caf\u00e9")]
    public void An_id_and_a_name_reach_the_client(string id, string name)
    {
        AssertRoundTrip(id, name, "");
        AssertRoundTrip(id, name, " a\r\nb");
    }

    [Fact]
    public void Every_mix_of_line_ends_and_text_round_trips()
    {
        // All strings of up to six characters over the four that matter: every state of the line splitter, and every way it can end.
        const string Alphabet = "\r\n a";
        for (int length = 0; length <= 6; length++)
        {
            int count = (int)Math.Pow(Alphabet.Length, length);
            for (int number = 0; number < count; number++)
            {
                AssertRoundTrip("", "", string.Create(length, number, static (text, rest) =>
                {
                    for (int i = 0; i < text.Length; i++)
                    {
                        text[i] = Alphabet[rest % Alphabet.Length];
                        rest /= Alphabet.Length;
                    }
                }));
            }
        }
    }

    [Theory]
    [InlineData(1 << 20, false)]
    [InlineData(100_000, true)]
    public void Large_data_round_trips(int length, bool isAllLines) =>
        AssertRoundTrip("1", "big", isAllLines ? new string('\n', length) : new string('x', length));

    [Fact]
    public void Data_is_written_one_line_each_after_the_fields_that_have_a_value()
    {
        Assert.Equal("data: a\n\n", Event("", "", "a"));
        Assert.Equal("data: \n\n", Event("", "", ""));
        Assert.Equal("id: 1\nevent: e\ndata: a\ndata:  b\ndata: \n\n", Event("1", "e", "a\r\n b\r"));
    }

    [Fact]
    public void Events_of_a_stream_do_not_leak_into_each_other()
    {
        byte[] stream = [.. Write("1", "a", "x"), .. Write("", "", "y"), .. Write("2", "", "z\n")];

        SseReferenceResult result = SseReferenceParser.Parse(stream);

        Assert.Equal(
            [new SseReferenceEvent("1", "a", "x"), new SseReferenceEvent("1", "message", "y"), new SseReferenceEvent("2", "message", "z\n")],
            result.Events);
    }

    [Theory]
    [InlineData("\r")]
    [InlineData("\n")]
    [InlineData("\0")]
    [InlineData("1\r\ndata: forged")]
    [InlineData("1\ndata: forged\n\n")]
    public void An_id_or_a_name_that_is_not_one_line_is_a_bug(string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);

        Assert.Throws<ArgumentException>("id", () => SseEventWriter.WriteEvent(new byte[256], bytes, default, default));
        Assert.Throws<ArgumentException>("eventName", () => SseEventWriter.WriteEvent(new byte[256], default, bytes, default));
    }

    [Fact]
    public void An_event_fits_in_exactly_its_length_and_in_nothing_shorter()
    {
        int length = SseEventWriter.GetEventLength("1"u8, "e"u8, "a\r\nb\n"u8);

        Assert.Equal(length, SseEventWriter.WriteEvent(new byte[length + 1], "1"u8, "e"u8, "a\r\nb\n"u8));
        for (int shorter = 0; shorter < length; shorter++)
        {
            Assert.Throws<ArgumentException>("destination", () => SseEventWriter.WriteEvent(new byte[shorter], "1"u8, "e"u8, "a\r\nb\n"u8));
        }
    }

    [Theory]
    [InlineData("", new[] { " " })]
    [InlineData("still here", new[] { " still here" })]
    [InlineData("a\r\ndata: b\n\nc", new[] { " a", " data: b", " ", " c" })]
    public void A_comment_is_never_anything_else(string comment, string[] lines)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(comment);
        byte[] written = new byte[SseEventWriter.GetCommentLength(bytes)];

        Assert.Equal(written.Length, SseEventWriter.WriteComment(written, bytes));

        SseReferenceResult result = SseReferenceParser.Parse(written);
        Assert.Equal(lines, result.Comments);
        Assert.Empty(result.Events);
        Assert.True(result.IsComplete);
        Assert.Throws<ArgumentException>("destination", () => SseEventWriter.WriteComment(new byte[written.Length - 1], bytes));
    }

    [Theory]
    [InlineData(0, "retry: 0\n")]
    [InlineData(3000, "retry: 3000\n")]
    [InlineData(int.MaxValue, "retry: 2147483647\n")]
    public void A_retry_sets_the_reconnection_time(int milliseconds, string expected)
    {
        byte[] destination = new byte[SseEventWriter.RetryBytesMax];

        int written = SseEventWriter.WriteRetry(destination, milliseconds);

        Assert.Equal(expected, Encoding.ASCII.GetString(destination, 0, written));
        Assert.Equal(milliseconds, SseReferenceParser.Parse(destination.AsSpan(0, written)).RetryMs);
        Assert.Throws<ArgumentException>("destination", () => SseEventWriter.WriteRetry(new byte[written - 1], milliseconds));
    }

    [Fact]
    public void A_negative_retry_is_a_bug() =>
        Assert.Throws<ArgumentOutOfRangeException>("milliseconds", () => SseEventWriter.WriteRetry(new byte[64], -1));

    [Fact]
    public void Writing_allocates_nothing()
    {
        byte[] destination = new byte[256];
        Assert.NotEqual(0, WriteMany(destination));   // warm-up

        long before = GC.GetAllocatedBytesForCurrentThread();
        WriteMany(destination);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int WriteMany(Span<byte> destination)
    {
        int sum = 0;
        for (int i = 0; i < 2_000; i++)
        {
            sum += SseEventWriter.GetEventLength("42"u8, "price"u8, "first\r\nsecond\n"u8);
            sum += SseEventWriter.WriteEvent(destination, "42"u8, "price"u8, "first\r\nsecond\n"u8);
            sum += SseEventWriter.GetCommentLength("a\nb"u8);
            sum += SseEventWriter.WriteComment(destination, "a\nb"u8);
            sum += SseEventWriter.WriteRetry(destination, i);
        }

        return sum;
    }

    private static void AssertRoundTrip(string id, string name, string data)
    {
        byte[] written = Write(id, name, data);
        string type = name.Length == 0 ? "message" : name;
        string seen = data.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');

        SseReferenceResult reference = SseReferenceParser.Parse(written);
        Assert.Equal(new SseReferenceEvent(id, type, seen), Assert.Single(reference.Events));
        Assert.Empty(reference.Comments);
        Assert.Null(reference.RetryMs);
        Assert.True(reference.IsComplete);

        SseItem<string> item = Assert.Single(SseParser.Create(new MemoryStream(written)).Enumerate());
        Assert.Equal((type, seen), (item.EventType, item.Data));
        Assert.Equal(id, item.EventId ?? "");
    }

    private static string Event(string id, string name, string data) => Encoding.UTF8.GetString(Write(id, name, data));

    /// <summary>Writes into an array of exactly the length foretold.</summary>
    private static byte[] Write(string id, string name, string data)
    {
        byte[] idBytes = Encoding.UTF8.GetBytes(id);
        byte[] nameBytes = Encoding.UTF8.GetBytes(name);
        byte[] dataBytes = Encoding.UTF8.GetBytes(data);
        byte[] destination = new byte[SseEventWriter.GetEventLength(idBytes, nameBytes, dataBytes)];
        Assert.Equal(destination.Length, SseEventWriter.WriteEvent(destination, idBytes, nameBytes, dataBytes));
        return destination;
    }
}
