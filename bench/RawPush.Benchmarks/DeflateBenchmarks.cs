using System.IO.Compression;
using System.Text;
using BenchmarkDotNet.Attributes;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Benchmarks;

/// <summary>What permessage-deflate costs for a message of JSON: once per message to deflate, once per message of a client to inflate.</summary>
/// <remarks>The baseline is the base class library's stream, made anew for each message, as it cannot be used again.</remarks>
[MemoryDiagnoser]
public class DeflateBenchmarks : IDisposable
{
    private readonly MessageDeflater _deflater = new();
    private readonly MessageInflater _inflater = new();
    private byte[] _message = [];
    private byte[] _destination = [];
    private byte[] _compressed = [];

    [Params(256, 1024, 4096, 32 * 1024)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void CreateMessages()
    {
        _message = CreateJson(Bytes);
        _destination = new byte[Bytes];
        _compressed = _destination[.._deflater.Deflate(_message, _destination)];
        Console.WriteLine($"// {Bytes} bytes become {_compressed.Length}");
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _deflater.Dispose();
        _inflater.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public int Deflate() => _deflater.Deflate(_message, _destination);

    [Benchmark(Baseline = true)]
    public long DeflateStream()
    {
        using var output = new MemoryStream(_destination);
        using var stream = new DeflateStream(output, CompressionLevel.Fastest, leaveOpen: true);
        stream.Write(_message);
        stream.Flush();
        return output.Position;
    }

    [Benchmark]
    public int Inflate()
    {
        _inflater.Inflate(_compressed, 1 << 20, out var message);
        int length = message.Length;
        _inflater.Release();
        return length;
    }

    [Benchmark]
    public int InflateStream()
    {
        using var input = new MemoryStream(_compressed);
        using var stream = new DeflateStream(input, CompressionMode.Decompress);
        return stream.ReadAtLeast(_destination, _destination.Length, throwOnEndOfStream: false);
    }

    /// <summary>Trades, as a ticker would send them.</summary>
    private static byte[] CreateJson(int bytes)
    {
        var random = new Random(7692);
        var text = new StringBuilder("{\"trades\":[");
        while (text.Length < bytes)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture,
                $"{{\"symbol\":\"{(char)('A' + random.Next(26))}{(char)('A' + random.Next(26))}X\",\"price\":{random.Next(100, 99999) / 100.0:F2},\"size\":{random.Next(1, 5000)},\"time\":{1764000000 + random.Next(10000)}}},");
        }

        return Encoding.UTF8.GetBytes(text.ToString(0, bytes));
    }
}
