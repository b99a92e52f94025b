using RawPush.Fuzz.References;
using RawPush.Protocol;
using RawPush.Protocol.Proxy;

namespace RawPush.Fuzz.Targets;

/// <summary>The first bytes of a connection: <see cref="ProxyHeaderReader"/> decides with the byte at which <see cref="ReferenceProxyHeader"/> does, and as it does, however many
/// follow. With fewer it needs more.</summary>
/// <remarks>Input: the bytes.</remarks>
internal static class ProxyHeaderOracle
{
    // Past every line and past the fixed part of version 2.
    private const int EachCutUpTo = 110;

    public static void Run(byte[] wire)
    {
        var expected = ReferenceProxyHeader.Read(wire);
        foreach (int cut in Cuts(wire.Length, expected.DecidedAt))
        {
            bool isDecided = cut >= expected.DecidedAt;
            var status = ProxyHeaderReader.TryRead(wire.AsSpan(0, cut), out var header);
            Oracle.Same(isDecided ? expected.Status : ReadStatus.NeedMore, status, $"the first {cut} bytes");
            Oracle.Same(isDecided ? expected.Header : default, header, $"the header in the first {cut} bytes");
        }

        Oracle.Holds(expected.Header.Length <= ProxyHeaderReader.BytesMax, "a header longer than the longest");
    }

    private static IEnumerable<int> Cuts(int length, int decidedAt) =>
        [.. Enumerable.Range(0, Math.Min(length, EachCutUpTo) + 1), length, Math.Min(length, decidedAt), Math.Max(Math.Min(length, decidedAt) - 1, 0)];
}
