using BenchmarkDotNet.Attributes;
using RawPush.Protocol.ServerSentEvents;

namespace RawPush.Benchmarks;

/// <summary>One event, measured and then written into memory that is already there, as the fan-out does once per message.</summary>
[MemoryDiagnoser]
public class SseEventWriterBenchmarks
{
    private readonly byte[] _line = new byte[128];
    private readonly byte[] _lines = new byte[4096];
    private readonly byte[] _destination = new byte[8192];

    [GlobalSetup]
    public void Setup()
    {
        Array.Fill(_line, (byte)'x');
        Array.Fill(_lines, (byte)'x');
        for (int line = 1; line < 40; line++)
        {
            _lines[line * _lines.Length / 40] = (byte)'\n';
        }
    }

    [Benchmark(Baseline = true)]
    public int OneLineOf128Bytes() => Write(_line);

    [Benchmark]
    public int FortyLinesOf4KiB() => Write(_lines);

    private int Write(ReadOnlySpan<byte> data)
    {
        int length = SseEventWriter.GetEventLength("1718000000-42"u8, "price"u8, data);
        return SseEventWriter.WriteEvent(_destination.AsSpan(0, length), "1718000000-42"u8, "price"u8, data);
    }
}
