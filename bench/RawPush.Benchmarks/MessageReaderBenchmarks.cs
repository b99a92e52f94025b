using BenchmarkDotNet.Attributes;
using RawPush.Protocol;
using RawPush.Protocol.WebSockets;

namespace RawPush.Benchmarks;

/// <summary>What it costs to turn a client's bytes into one message.</summary>
/// <remarks>Reading unmasks in place and the wire is used again: binary messages do not mind that the payload is masked anew every other time.</remarks>
[MemoryDiagnoser]
public class MessageReaderBenchmarks
{
    private readonly byte[] _small = BinaryFrame(64);
    private readonly byte[] _large = BinaryFrame(64 * 1024);
    private MessageReader _reader = new(messageBytesMax: 1 << 20);

    /// <summary>The usual case: a subscription or a short message that lies whole in the receive buffer.</summary>
    [Benchmark(Baseline = true)]
    public int Small() => Read(_small, _small.Length);

    /// <summary>The end of the first chunk cuts the payload, so it goes through a pooled buffer.</summary>
    [Benchmark]
    public int SmallInTwoChunks() => Read(_small, _small.Length / 2);

    [Benchmark]
    public int Large() => Read(_large, _large.Length);

    /// <summary>Chunks of 4 KiB, the size of a receive block.</summary>
    [Benchmark]
    public int LargeInManyChunks() => Read(_large, 4096);

    private int Read(byte[] wire, int chunkLength)
    {
        var handler = new ByteCounter();
        for (int start = 0; start < wire.Length; start += chunkLength)
        {
            _reader.Read(wire.AsSpan(start, Math.Min(chunkLength, wire.Length - start)), ref handler, out _);
        }

        return handler.Bytes;
    }

    // A server's header with the mask bit set and a mask behind it is a client's header (RFC 6455, section 5.2).
    private static byte[] BinaryFrame(int payloadLength)
    {
        Span<byte> header = stackalloc byte[FrameHeaderWriter.BytesMax];
        int headerLength = FrameHeaderWriter.Write(header, Opcode.Binary, payloadLength);
        header[1] |= 0x80;
        return [.. header[..headerLength], 0x37, 0xFA, 0x21, 0x3D, .. new byte[payloadLength]];
    }

    private struct ByteCounter : IMessageHandler
    {
        public int Bytes;

        public bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload) => Add(payload);

        public bool OnPing(ReadOnlySpan<byte> payload) => Add(payload);

        public bool OnPong(ReadOnlySpan<byte> payload) => Add(payload);

        public void OnClose(CloseStatus status, ReadOnlySpan<byte> reason) => Add(reason);

        private bool Add(ReadOnlySpan<byte> payload)
        {
            Bytes += payload.Length;
            return true;
        }
    }
}
