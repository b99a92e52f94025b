using System.Buffers;
using BenchmarkDotNet.Attributes;
using RawPush.Protocol.Http;

namespace RawPush.Benchmarks;

/// <summary>One request head, from its first byte to the decision, with a handler that does nothing.</summary>
[MemoryDiagnoser]
public class RequestHeadParserBenchmarks
{
    private static readonly RequestHeadLimits Limits = new();

    private ReadOnlySequence<byte> _small;
    private ReadOnlySequence<byte> _browser;
    private ReadOnlySequence<byte> _browserInSegments;

    [GlobalSetup]
    public void Setup()
    {
        byte[] browser =
        [
            .. "GET /push?channels=news,weather,prices&since=1718000000-42 HTTP/1.1\r\n"u8,
            .. "Host: push.example.com\r\n"u8,
            .. "Connection: Upgrade\r\n"u8,
            .. "Pragma: no-cache\r\n"u8,
            .. "Cache-Control: no-cache\r\n"u8,
            .. "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"u8,
            .. "Upgrade: websocket\r\n"u8,
            .. "Origin: https://www.example.com\r\n"u8,
            .. "Sec-WebSocket-Version: 13\r\n"u8,
            .. "Accept-Encoding: gzip, deflate, br, zstd\r\n"u8,
            .. "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"u8,
            .. "Cookie: session=0123456789abcdef0123456789abcdef0123456789abcdef; theme=dark; consent=1\r\n"u8,
            .. "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"u8,
            .. "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"u8,
            .. "\r\n"u8,
        ];
        _small = new ReadOnlySequence<byte>("GET /healthz HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"u8.ToArray());
        _browser = new ReadOnlySequence<byte>(browser);
        _browserInSegments = InSegments(browser, 128);
    }

    [Benchmark(Baseline = true)]
    public int SmallHead() => Parse(_small);

    [Benchmark]
    public int BrowserHead() => Parse(_browser);

    [Benchmark]
    public int BrowserHeadInSegments() => Parse(_browserInSegments);

    private static int Parse(in ReadOnlySequence<byte> head)
    {
        var parser = new RequestHeadParser(Limits);
        var handler = new Ignorer();
        if (parser.Parse(head, ref handler) != HeadStatus.Done)
        {
            throw new InvalidOperationException("The head must be good for its time to mean anything.");
        }

        return parser.BytesConsumed;
    }

    private static ReadOnlySequence<byte> InSegments(byte[] bytes, int size)
    {
        var first = new Segment(bytes.AsMemory(0, size), 0);
        Segment last = first;
        for (int start = size; start < bytes.Length; start += size)
        {
            last = last.Append(bytes.AsMemory(start, Math.Min(size, bytes.Length - start)));
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private struct Ignorer : IRequestHeadHandler
    {
        public readonly bool OnRequestLine(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, HttpVersion version) => true;

        public readonly void OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
