using BenchmarkDotNet.Attributes;
using RawPush.Protocol.WebSockets;

namespace RawPush.Benchmarks;

/// <summary>What the vectors of <see cref="FrameMask"/> are worth against the definition in RFC 6455, section 5.3.</summary>
[MemoryDiagnoser]
public class FrameMaskBenchmarks
{
    private const uint MaskKey = 0x3D21FA37;

    private byte[] _payload = [];

    [Params(64, 4 * 1024, 64 * 1024)]
    public int PayloadBytes { get; set; }

    [GlobalSetup]
    public void Setup() => _payload = new byte[PayloadBytes];

    [Benchmark(Baseline = true)]
    public void Scalar()
    {
        var payload = _payload.AsSpan();
        for (int i = 0; i < payload.Length; i++)
        {
            payload[i] ^= (byte)(MaskKey >> ((i & 3) * 8));
        }
    }

    [Benchmark]
    public void Vectorised() => FrameMask.Apply(_payload, MaskKey, maskOffset: 0);

    /// <summary>A frame that goes on in a later chunk, neither aligned to the mask nor to a vector.</summary>
    [Benchmark]
    public void VectorisedFromAnOddOffset() => FrameMask.Apply(_payload.AsSpan(1), MaskKey, maskOffset: 1);
}
