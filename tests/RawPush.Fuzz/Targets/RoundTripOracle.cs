using RawPush.Fuzz.References;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Fuzz.Targets;

/// <summary>What <see cref="MessageDeflater"/> makes of a message, <see cref="ReferenceInflate"/> makes the message of, and so does <see cref="MessageInflater"/>.</summary>
/// <remarks>Input: a byte of which the lower half says how often the rest comes again, the message.</remarks>
internal static class RoundTripOracle
{
    private const byte Untouched = 0xA5;
    private const int Margin = 16;

    private static readonly MessageDeflater Deflater = new();
    private static readonly MessageInflater Inflater = new();

    public static void Run(FuzzInput source)
    {
        int times = 1 + (source.TakeByte() & 15);
        byte[] part = source.TakeRest();
        byte[] message = [.. Enumerable.Repeat(part, times).SelectMany(bytes => bytes)];

        byte[] deflated = Deflate(message, message.Length);
        Oracle.Holds(deflated.Length > 0 || times < 4 || part.Length is < 32 or > 2048, "what is all repetition does not become shorter");
        Oracle.SameBytes(deflated, Deflate(message, message.Length + Margin), "the same message again, with more room");
        Oracle.Same(0, Deflate(message, deflated.Length).Length, "bytes written where there is no room for the end");
        if (deflated.Length > 0)
        {
            AssertInflates(message, deflated);
        }
    }

    private static byte[] Deflate(byte[] message, int room)
    {
        byte[] destination = new byte[message.Length + (2 * Margin)];
        Array.Fill(destination, Untouched);
        int written = Deflater.Deflate(message, destination.AsSpan(0, room));
        Oracle.Holds(!destination.AsSpan(room).ContainsAnyExcept(Untouched), "bytes written behind the destination");
        Oracle.Holds(written == 0 || written < message.Length, "deflated, and not shorter");
        return destination[..written];
    }

    private static void AssertInflates(byte[] message, byte[] deflated)
    {
        var inflated = ReferenceInflate.Read(deflated, message.Length);
        Oracle.Same(InflateStatus.Done, inflated.Status, "what was deflated");
        Oracle.SameBytes(message, inflated.Bytes, "deflated and inflated");
        Oracle.Holds(inflated.Reach <= 1 << PermessageDeflate.WindowBits, "a match reaches back further than was agreed");

        Oracle.Same(InflateStatus.Done, Inflater.Inflate(deflated, message.Length, out var back), "what was deflated, inflated by the server");
        Oracle.SameBytes(message, back, "deflated and inflated by the server");
        Inflater.Release();
    }
}
