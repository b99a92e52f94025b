using System.Buffers;
using System.Text;
using RawPush.Protocol.Http;

namespace RawPush.Protocol.Tests.Http;

public sealed class RequestHeadLimitsTests
{
    private const string RequestLine = "GET /0123456789 HTTP/1.0\r\n";

    [Fact]
    public void The_defaults_are_the_documented_ones()
    {
        var limits = new RequestHeadLimits();

        Assert.Equal((32768, 8192, 100), (limits.HeadBytesMax, limits.LineBytesMax, limits.FieldsMax));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(RequestHeadLimits.BytesCeiling + 1)]
    public void A_limit_outside_its_range_throws(int value)
    {
        Assert.Throws<ArgumentOutOfRangeException>(nameof(RequestHeadLimits.HeadBytesMax), () => new RequestHeadLimits { HeadBytesMax = value });
        Assert.Throws<ArgumentOutOfRangeException>(nameof(RequestHeadLimits.LineBytesMax), () => new RequestHeadLimits { LineBytesMax = value });
        Assert.Throws<ArgumentOutOfRangeException>(nameof(RequestHeadLimits.FieldsMax), () => new RequestHeadLimits { FieldsMax = value });
    }

    [Theory]
    [InlineData(1, HeadStatus.Done, 0)]
    [InlineData(0, HeadStatus.Done, 0)]
    [InlineData(-1, HeadStatus.Refused, 414)]
    public void The_request_line_may_be_as_long_as_a_line(int room, HeadStatus expected, int statusCode)
    {
        var limits = new RequestHeadLimits { LineBytesMax = RequestLine.Length + room };

        HeadOutcome outcome = Parse(RequestLine + "\r\n", limits);

        Assert.Equal((expected, statusCode), (outcome.Status, outcome.Refusal.StatusCode));
    }

    [Theory]
    [InlineData(1, HeadStatus.Done, 0)]
    [InlineData(0, HeadStatus.Done, 0)]
    [InlineData(-1, HeadStatus.Refused, 431)]
    public void A_field_may_be_as_long_as_a_line(int room, HeadStatus expected, int statusCode)
    {
        string field = "Accept: " + new string('x', 40) + "\r\n";
        var limits = new RequestHeadLimits { LineBytesMax = field.Length + room };

        HeadOutcome outcome = Parse(RequestLine + field + "\r\n", limits);

        Assert.Equal((expected, statusCode), (outcome.Status, outcome.Refusal.StatusCode));
    }

    [Theory]
    [InlineData(1, HeadStatus.Done, 0)]
    [InlineData(0, HeadStatus.Done, 0)]
    [InlineData(-1, HeadStatus.Refused, 431)]
    public void A_head_may_be_as_long_as_a_head(int room, HeadStatus expected, int statusCode)
    {
        string head = "\r\n" + RequestLine + "A: b\r\n\r\n";
        var limits = new RequestHeadLimits { HeadBytesMax = head.Length + room };

        HeadOutcome outcome = Parse(head, limits);

        Assert.Equal((expected, statusCode), (outcome.Status, outcome.Refusal.StatusCode));
    }

    [Theory]
    [InlineData(2, HeadStatus.Done, 0)]
    [InlineData(3, HeadStatus.Done, 0)]
    [InlineData(4, HeadStatus.Refused, 431)]
    public void A_head_may_have_as_many_fields_as_the_limit(int fields, HeadStatus expected, int statusCode)
    {
        var limits = new RequestHeadLimits { FieldsMax = 3 };

        HeadOutcome outcome = Parse(RequestLine + string.Concat(Enumerable.Repeat("A: b\r\n", fields)) + "\r\n", limits);

        Assert.Equal((expected, statusCode), (outcome.Status, outcome.Refusal.StatusCode));
    }

    [Fact]
    public void Limits_of_every_size_refuse_or_allow_the_same_however_the_head_is_cut()
    {
        string head = RequestLine + "A: b\r\nAccept: 0123456789\r\nBad\nC: d\r\n\r\n";
        for (int max = 1; max <= head.Length + 1; max++)
        {
            Parse(head, new RequestHeadLimits { LineBytesMax = max });
            Parse(head, new RequestHeadLimits { HeadBytesMax = max });
            Parse(head, new RequestHeadLimits { HeadBytesMax = max, LineBytesMax = 20 });
        }
    }

    [Theory]
    [InlineData("", 414)]
    [InlineData(RequestLine, 431)]
    public void A_line_that_never_ends_is_refused_at_the_limit_and_not_later(string before, int statusCode)
    {
        const int LineBytesMax = 100;
        var limits = new RequestHeadLimits { LineBytesMax = LineBytesMax };
        byte[] wire = Encoding.Latin1.GetBytes(before + new string('x', 200));
        var parser = new RequestHeadParser(limits);
        var recorder = new HeadRecorder();

        Assert.Equal(HeadStatus.NeedMore, parser.Parse(new ReadOnlySequence<byte>(wire, 0, before.Length + LineBytesMax - 1), ref recorder));
        Assert.Equal(HeadStatus.Refused, parser.Parse(new ReadOnlySequence<byte>(wire, 0, before.Length + LineBytesMax), ref recorder));
        Assert.Equal(statusCode, parser.Refusal.StatusCode);
    }

    [Fact]
    public void A_head_that_never_ends_is_refused_at_the_limit_and_not_later()
    {
        const int HeadBytesMax = 200;
        var limits = new RequestHeadLimits { HeadBytesMax = HeadBytesMax };
        byte[] wire = Encoding.Latin1.GetBytes(RequestLine + string.Concat(Enumerable.Repeat("A: b\r\n", 90)));
        var parser = new RequestHeadParser(limits);
        var recorder = new HeadRecorder();

        Assert.Equal(HeadStatus.NeedMore, parser.Parse(new ReadOnlySequence<byte>(wire, 0, HeadBytesMax - 1), ref recorder));
        Assert.Equal(HeadStatus.Refused, parser.Parse(new ReadOnlySequence<byte>(wire, 0, HeadBytesMax), ref recorder));
        Assert.Equal(431, parser.Refusal.StatusCode);
    }

    private static HeadOutcome Parse(string head, RequestHeadLimits limits) =>
        HeadCuts.AssertIndifferent(Encoding.Latin1.GetBytes(head), limits);
}
