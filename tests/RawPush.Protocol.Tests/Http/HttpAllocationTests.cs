using System.Buffers;
using System.Text;
using RawPush.Protocol.Http;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.Http;

public sealed class HttpAllocationTests
{
    private static readonly RequestHeadLimits Limits = new();

    private static readonly byte[] Head =
        Encoding.Latin1.GetBytes("GET /a?b=c HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nCookie: " + new string('x', 2000) + "\r\n\r\n");

    [Fact]
    public void Parsing_a_head_in_one_segment_allocates_nothing() =>
        AssertAllocatesNothing(static head => Parse(head), new ReadOnlySequence<byte>(Head));

    // The cookie is longer than the stack buffer, so this also proves that what is rented comes back: a pool that is never refilled allocates.
    [Fact]
    public void Parsing_a_head_in_many_segments_allocates_nothing() =>
        AssertAllocatesNothing(static head => Parse(head), SplitSequence.Every(100, Head));

    [Fact]
    public void Rented_memory_comes_back_even_when_the_handler_throws()
    {
        ReadOnlySequence<byte> head = SplitSequence.Every(100, Head);
        byte[] rented = ArrayPool<byte>.Shared.Rent(2000);
        ArrayPool<byte>.Shared.Return(rented);

        Assert.Throws<InvalidOperationException>(() =>
        {
            var parser = new RequestHeadParser(Limits);
            var handler = new CookieThrower();
            parser.Parse(head, ref handler);
        });

        Assert.Same(rented, ArrayPool<byte>.Shared.Rent(2000));
        ArrayPool<byte>.Shared.Return(rented);
    }

    [Fact]
    public void Refusing_a_head_allocates_nothing() =>
        AssertAllocatesNothing(
            static head =>
            {
                var parser = new RequestHeadParser(Limits);
                var handler = new Ignorer();
                return parser.Parse(head, ref handler) == HeadStatus.Refused ? parser.Refusal.StatusCode : 0;
            },
            new ReadOnlySequence<byte>("GET / HTTP/1.1\r\nA : b\r\n"u8.ToArray()));

    [Fact]
    public void Reading_targets_queries_and_lists_allocates_nothing() =>
        AssertAllocatesNothing(
            static _ =>
            {
                Assert.True(RequestTarget.TryParse("https://h/a%20b?c=d&e"u8, out RequestTarget target));
                Span<byte> decoded = stackalloc byte[16];
                Assert.True(PercentEncoding.TryDecode(target.Path, decoded, out int sum));
                var query = new QueryReader(target.Query);
                while (query.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
                {
                    sum += name.Length + value.Length;
                }

                sum += FieldValue.ContainsToken("keep-alive, Upgrade"u8, "upgrade"u8) ? 1 : 0;
                return sum + (FieldValue.AcceptsMediaType("text/html;x=\"y\", text/event-stream;q=0.5"u8, "text/event-stream"u8) ? 1 : 0);
            },
            default);

    [Fact]
    public void Writing_a_response_head_allocates_nothing() =>
        AssertAllocatesNothing(
            static _ =>
            {
                Span<byte> destination = stackalloc byte[256];
                var writer = new ResponseHeadWriter(destination, 200);
                writer.Field("Content-Type"u8, "text/event-stream"u8);
                writer.Field("Content-Length"u8, 12345);
                return writer.End();
            },
            default);

    private static int Parse(in ReadOnlySequence<byte> head)
    {
        var parser = new RequestHeadParser(Limits);
        var handler = new Ignorer();
        return parser.Parse(head, ref handler) == HeadStatus.Done ? parser.BytesConsumed : 0;
    }

    private static void AssertAllocatesNothing(Func<ReadOnlySequence<byte>, int> act, ReadOnlySequence<byte> head)
    {
        Assert.NotEqual(0, Repeat(act, head));   // warm-up: static data, the pool's first array

        long before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(act, head);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int Repeat(Func<ReadOnlySequence<byte>, int> act, in ReadOnlySequence<byte> head)
    {
        int sum = 0;
        for (int i = 0; i < 2_000; i++)
        {
            sum |= act(head);
        }

        return sum;
    }

    private struct Ignorer : IRequestHeadHandler
    {
        public readonly bool OnRequestLine(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, HttpVersion version) => true;

        public readonly void OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
        }
    }

    private struct CookieThrower : IRequestHeadHandler
    {
        public readonly bool OnRequestLine(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, HttpVersion version) => true;

        public readonly void OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            if (name.SequenceEqual("Cookie"u8))
            {
                throw new InvalidOperationException();
            }
        }
    }
}
