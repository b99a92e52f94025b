using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using RawPush.Protocol.Http;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.Http;

public sealed class RequestHeadParserTests
{
    private static readonly RequestHeadLimits Limits = new();

    // What the handler heard: "method|target|version", then "name=value" for each field.
    public static TheoryData<string, string> GoodHeads => new()
    {
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET|/|Http11\nHost=a\n" },
        { "GET / HTTP/1.0\r\n\r\n", "GET|/|Http10\n" },
        { "GET / HTTP/1.0\r\nhost: a\r\n\r\n", "GET|/|Http10\nhost=a\n" },
        { "\r\nGET / HTTP/1.0\r\n\r\n", "GET|/|Http10\n" },
        { "get /a?b=%20&c#d HTTP/1.0\r\n\r\n", "get|/a?b=%20&c#d|Http10\n" },
        { "!#$%&'*+-.^_`|~09azAZ !~ HTTP/1.0\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ|!~|Http10\n" },
        { "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "OPTIONS|*|Http11\nHost=\n" },
        { "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", "GET|http://a/b|Http11\nHost=a\n" },
        { "GET / HTTP/1.0\r\nA:\r\nB: \t \r\nC:c\r\nD: \td e\tf \t\r\n\r\n", "GET|/|Http10\nA=\nB=\nC=c\nD=d e\tf\n" },
        { "GET / HTTP/1.0\r\nA: \u0080\u00ff\r\n\r\n", "GET|/|Http10\nA=\u0080\u00ff\n" },
        { "GET / HTTP/1.0\r\nA: b:c\r\nA: d\r\n\r\n", "GET|/|Http10\nA=b:c\nA=d\n" },
        { "GET / HTTP/1.1\r\nHOST: example.com:8080\r\n\r\n", "GET|/|Http11\nHOST=example.com:8080\n" },
        { "GET / HTTP/1.1\r\nhost: [::1]:80\r\n\r\n", "GET|/|Http11\nhost=[::1]:80\n" },
        { "GET / HTTP/1.1\r\nhost: a%20b\r\n\r\n", "GET|/|Http11\nhost=a%20b\n" },
        {
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
            "GET|/|Http11\nHost=a\nUpgrade=websocket\nConnection=keep-alive, Upgrade\n"
        },
    };

    public static TheoryData<string, int> BadRequestLines =>
    [
        ("\n", 400),
        ("\r\n\r\n", 400),
        ("\r\n\nGET / HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.1\n", 400),
        ("GET / HTTP/1.1\r\r\n", 400),
        ("GET\r\n", 400),
        ("GET /\r\n", 400),
        ("GET / \r\n", 400),
        (" \r\n", 400),
        ("  \r\n", 400),
        (" / HTTP/1.1\r\n", 400),
        ("GET  HTTP/1.1\r\n", 400),
        ("GET  / HTTP/1.1\r\n", 400),
        ("GET /  HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.1 \r\n", 400),
        ("GET / x HTTP/1.1\r\n", 400),
        (" GET / HTTP/1.1\r\n", 400),
        ("GET\t/\tHTTP/1.1\r\n", 400),
        ("G(T / HTTP/1.1\r\n", 400),
        ("G\0T / HTTP/1.1\r\n", 400),
        ("G\u00e9T / HTTP/1.1\r\n", 400),
        ("GET /\t HTTP/1.1\r\n", 400),
        ("GET /\0 HTTP/1.1\r\n", 400),
        ("GET /\r HTTP/1.1\r\n", 400),
        ("GET /\u007f HTTP/1.1\r\n", 400),
        ("GET /\u0080 HTTP/1.1\r\n", 400),
        ("GET / http/1.1\r\n", 400),
        ("GET / HTTP/1\r\n", 400),
        ("GET / HTTP/11\r\n", 400),
        ("GET / HTTP/1.10\r\n", 400),
        ("GET / HTTP/1,1\r\n", 400),
        ("GET / HTTP/a.1\r\n", 400),
        ("GET / HTTP/1.b\r\n", 400),
        ("GET / HTTPS/1.1\r\n", 400),
        ("GET / ICY\r\n", 400),
        ("GET / HTTP/0.9\r\n", 505),
        ("GET / HTTP/1.2\r\n", 505),
        ("PRI * HTTP/2.0\r\n", 505),
        ("GET / HTTP/3.0\r\n", 505),
    ];

    public static TheoryData<string> BadFieldLines =>
    [
        "A: b\n",
        "A: b\r\r\n",
        "A: b\rc\r\n",
        "A: \0\r\n",
        "A: b\u0001c\r\n",
        "A: b\u000bc\r\n",
        "A: b\u001fc\r\n",
        "A: b\u007fc\r\n",
        " A: b\r\n",
        "\tA: b\r\n",
        " \r\n",
        "\n",
        "A\r\n",
        "A b\r\n",
        ":\r\n",
        ": b\r\n",
        "A : b\r\n",
        "A\t: b\r\n",
        "A b: c\r\n",
        "A\0: c\r\n",
        "A(b): c\r\n",
        "\u00e9: c\r\n",
        "Host: a b\r\n",
        "Host: a,b\r\n",
        "Host: a/b\r\n",
        "Host: a@b\r\n",
        "Host: a?b\r\n",
        "Host: a#b\r\n",
        "Host: a\\b\r\n",
        "Host: a\tb\r\n",
        "Host: \u00e9\r\n",
        "Host: <a>\r\n",
        "Host: :80\r\n",
        "Host: a:b\r\n",
        "Host: a:80:80\r\n",
        "Host: a:-1\r\n",
        "Host: [::1\r\n",
        "Host: []\r\n",
        "Host: [::1]a\r\n",
        "Host: [g::1]\r\n",
        "Host: ::1\r\n",
        "Host: a%2\r\n",
        "Host: a%zz\r\n",
        "Host: a\r\nhost: a\r\n",
        "Host: a\r\nX: y\r\nHOST:\r\n",
        "Host:\r\nHost:\r\n",
    ];

    [Theory]
    [MemberData(nameof(GoodHeads))]
    public void A_good_head_is_done_however_it_is_cut(string head, string heard)
    {
        byte[] wire = Encoding.Latin1.GetBytes(head);

        HeadOutcome outcome = HeadCuts.AssertIndifferent(wire, Limits);

        Assert.Equal(new HeadOutcome(HeadStatus.Done, default, wire.Length, HasRequestLine: true, heard), outcome);
    }

    [Theory]
    [MemberData(nameof(GoodHeads))]
    public void A_good_head_needs_more_until_its_last_byte(string head, string heard)
    {
        byte[] wire = Encoding.Latin1.GetBytes(head);
        var parser = new RequestHeadParser(Limits);
        var recorder = new HeadRecorder();

        for (int length = 0; length < wire.Length; length++)
        {
            Assert.Equal(HeadStatus.NeedMore, parser.Parse(new ReadOnlySequence<byte>(wire, 0, length), ref recorder));
            Assert.Equal(0, parser.BytesConsumed);
        }

        Assert.Equal(HeadStatus.Done, parser.Parse(new ReadOnlySequence<byte>(wire), ref recorder));
        Assert.Equal(heard, recorder.Heard);
    }

    [Theory]
    [MemberData(nameof(GoodHeads))]
    public void What_follows_the_head_is_left_alone(string head, string heard)
    {
        byte[] wire = Encoding.Latin1.GetBytes(head + "\n\0 GET");

        HeadOutcome outcome = HeadCuts.AssertIndifferent(wire, Limits);

        Assert.Equal(new HeadOutcome(HeadStatus.Done, default, head.Length, HasRequestLine: true, heard), outcome);
    }

    [Theory]
    [MemberData(nameof(BadRequestLines))]
    public void A_bad_request_line_is_refused_before_anything_follows_it(string line, int statusCode)
    {
        HeadOutcome outcome = HeadCuts.AssertIndifferent(Encoding.Latin1.GetBytes(line), Limits);

        Assert.Equal(HeadStatus.Refused, outcome.Status);
        Assert.Equal(statusCode, outcome.Refusal.StatusCode);
        Assert.False(outcome.HasRequestLine);
        Assert.Equal("", outcome.Heard);
    }

    [Theory]
    [MemberData(nameof(BadFieldLines))]
    public void A_bad_field_line_is_refused_before_the_head_ends(string lines)
    {
        HeadOutcome outcome = HeadCuts.AssertIndifferent(Encoding.Latin1.GetBytes("GET / HTTP/1.1\r\n" + lines), Limits);

        Assert.Equal(HeadStatus.Refused, outcome.Status);
        Assert.Equal(400, outcome.Refusal.StatusCode);
        Assert.True(outcome.HasRequestLine);
        Assert.Equal(0, outcome.BytesConsumed);
    }

    [Fact]
    public void A_folded_line_is_refused_even_after_a_good_one()
    {
        HeadOutcome outcome = HeadCuts.AssertIndifferent("GET / HTTP/1.0\r\nA: b\r\n c\r\n"u8.ToArray(), Limits);

        Assert.Equal(new HeadRefusal(400, "A header line begins with whitespace."), outcome.Refusal);
        Assert.Equal("GET|/|Http10\nA=b\n", outcome.Heard);
    }

    [Fact]
    public void Host_is_demanded_of_1_1_and_not_of_1_0()
    {
        HeadOutcome newer = HeadCuts.AssertIndifferent("GET / HTTP/1.1\r\nA: b\r\n\r\n"u8.ToArray(), Limits);
        HeadOutcome older = HeadCuts.AssertIndifferent("GET / HTTP/1.0\r\nA: b\r\n\r\n"u8.ToArray(), Limits);

        Assert.Equal(400, newer.Refusal.StatusCode);
        Assert.Equal(HeadStatus.Done, older.Status);
    }

    [Fact]
    public void Every_control_but_tab_is_refused_in_a_value_and_every_other_byte_is_heard()
    {
        for (int value = 0; value <= 0xFF; value++)
        {
            byte[] wire = [.. "GET / HTTP/1.0\r\nA: b"u8, (byte)value, .. "c\r\n\r\n"u8];
            HeadOutcome outcome = HeadOutcome.Of(Limits, declines: false, new ReadOnlySequence<byte>(wire));

            bool isAllowed = value == '\t' || (value >= 0x20 && value != 0x7F);
            Assert.Equal(isAllowed ? HeadStatus.Done : HeadStatus.Refused, outcome.Status);
        }
    }

    [Fact]
    public void Every_byte_that_is_not_a_token_byte_is_refused_in_a_name()
    {
        for (int value = 0; value <= 0xFF; value++)
        {
            byte[] wire = [.. "GET / HTTP/1.0\r\nA"u8, (byte)value, .. "B:\r\n\r\n"u8];
            HeadOutcome outcome = HeadOutcome.Of(Limits, declines: false, new ReadOnlySequence<byte>(wire));

            // A colon is the end of the name rather than a part of it.
            bool isAllowed = value is ':' || (value < 0x80 && (char.IsAsciiLetterOrDigit((char)value) || "!#$%&'*+-.^_`|~".Contains((char)value)));
            Assert.Equal(isAllowed ? HeadStatus.Done : HeadStatus.Refused, outcome.Status);
        }
    }

    [Fact]
    public void A_declined_request_is_left_whole_to_somebody_else()
    {
        byte[] wire = "GET /other HTTP/1.1\r\n: not read\n"u8.ToArray();

        HeadOutcome outcome = HeadCuts.AssertIndifferent(wire, Limits, declines: true);

        Assert.Equal(new HeadOutcome(HeadStatus.Declined, default, 0, HasRequestLine: true, "GET|/other|Http11\n"), outcome);
    }

    [Theory]
    [InlineData("GET / HTTP/1.0\r\n\r\n", false, HeadStatus.Done)]
    [InlineData("GET / HTTP/1.0\r\n", true, HeadStatus.Declined)]
    [InlineData("GET / HTTP/9.0\r\n", false, HeadStatus.Refused)]
    public void A_decision_is_repeated_by_later_calls_and_nothing_more_is_heard(string head, bool declines, HeadStatus expected)
    {
        byte[] wire = Encoding.Latin1.GetBytes(head);
        byte[] longer = [.. wire, .. "A: b\r\n\r\n"u8];
        var parser = new RequestHeadParser(Limits);
        var recorder = new HeadRecorder { Declines = declines };

        Assert.Equal(expected, parser.Parse(new ReadOnlySequence<byte>(wire), ref recorder));
        HeadOutcome first = HeadOutcome.Of(parser, expected, recorder);

        Assert.Equal(expected, parser.Parse(new ReadOnlySequence<byte>(longer), ref recorder));
        Assert.Equal(first, HeadOutcome.Of(parser, expected, recorder));
    }

    [Fact]
    public void The_state_between_reads_is_24_bytes() => Assert.Equal(24, Unsafe.SizeOf<RequestHeadParser>());

    [Fact]
    public void A_parser_without_limits_throws_rather_than_parse_without_them()
    {
        Assert.Throws<ArgumentNullException>(() => new RequestHeadParser(null!));
        Assert.Throws<NullReferenceException>(() =>
        {
            RequestHeadParser parser = default;
            var recorder = new HeadRecorder();
            parser.Parse(new ReadOnlySequence<byte>("GET / HTTP/1.0\r\n\r\n"u8.ToArray()), ref recorder);
        });
    }

    [Fact]
    public void A_ref_struct_can_be_the_handler()
    {
        Span<byte> seen = stackalloc byte[16];
        var handler = new TargetCopier(seen);
        var parser = new RequestHeadParser(Limits);

        Assert.Equal(HeadStatus.Done, parser.Parse(SplitSequence.EveryByte("GET /a HTTP/1.0\r\nB: c\r\n\r\n"u8.ToArray()), ref handler));

        Assert.Equal("/a"u8.ToArray(), seen[..2].ToArray());
    }

    [Fact]
    public void No_byte_is_searched_twice_and_no_line_is_judged_twice()
    {
        // While a line is unfinished, everything received before its newest byte reads as line feeds: a parser that searched it again
        // would find one. When the line is finished it is itself again, but the lines before it stay junk for good.
        byte[] wire = Encoding.Latin1.GetBytes("GET /a HTTP/1.1\r\nHost: a\r\nAccept: " + new string('x', 3000) + "\r\n\r\n");
        byte[] seen = new byte[wire.Length];
        var parser = new RequestHeadParser(Limits);
        var recorder = new HeadRecorder();
        HeadStatus status = HeadStatus.NeedMore;
        int lineStart = 0;

        for (int newest = 0; newest < wire.Length; newest++)
        {
            bool endsLine = wire[newest] == '\n';
            Array.Fill(seen, (byte)'\n', 0, newest);
            seen[newest] = wire[newest];
            if (endsLine)
            {
                wire.AsSpan(lineStart..newest).CopyTo(seen.AsSpan(lineStart));
                lineStart = newest + 1;
            }

            status = parser.Parse(new ReadOnlySequence<byte>(seen, 0, newest + 1), ref recorder);
        }

        Assert.Equal(HeadStatus.Done, status);
        Assert.Equal("GET|/a|Http11\nHost=a\nAccept=" + new string('x', 3000) + "\n", recorder.Heard);
    }

    private ref struct TargetCopier(Span<byte> destination) : IRequestHeadHandler
    {
        private readonly Span<byte> _destination = destination;

        public readonly bool OnRequestLine(scoped ReadOnlySpan<byte> method, scoped ReadOnlySpan<byte> target, HttpVersion version)
        {
            target.CopyTo(_destination);
            return true;
        }

        public readonly void OnField(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
        {
        }
    }
}
