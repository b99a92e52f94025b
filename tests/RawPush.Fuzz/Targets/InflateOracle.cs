using RawPush.Fuzz.References;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Fuzz.Targets;

/// <summary>A compressed message: <see cref="MessageInflater"/> makes of it what <see cref="ReferenceInflate"/> does, whatever it had before, and no byte more than it may.</summary>
/// <remarks>Input: a byte for the limit, the payload of the message's frames.</remarks>
internal static class InflateOracle
{
    private static readonly int[] Limits = [128 * 1024, 4096, 16, 1];

    private static readonly MessageInflater Inflater = new();

    public static void Run(FuzzInput source)
    {
        int limit = Limits[source.TakeByte() & 3];
        byte[] compressed = source.TakeRest();

        var expected = ReferenceInflate.Read(compressed, limit);
        AssertInflates(expected, compressed, limit, "the message");
        AssertInflates(expected, compressed, limit, "the message, with itself before it");
        int length = expected.Bytes.Length;
        if (expected.Status == InflateStatus.Done && length > 1)
        {
            AssertInflates(expected, compressed, length, "a limit that is just large enough");
            AssertInflates(expected with { Status = InflateStatus.TooBig }, compressed, length - 1, "a limit that is a byte too small");
        }
    }

    private static void AssertInflates(InflateOutcome expected, byte[] compressed, int limit, string what)
    {
        var status = Inflater.Inflate(compressed, limit, out var message);
        Oracle.Same(expected.Status, status, what);
        Oracle.Same(expected.Bytes.Length, Inflater.InflatedBytes, $"{what}: bytes inflated");
        Oracle.SameBytes(status == InflateStatus.Done ? expected.Bytes : [], message, what);
        Inflater.Release();
    }
}
