using System.Buffers.Text;

namespace RawPush.Swarm.Clients;

/// <summary>What a message of the load says: who published it, to which channel, its number there, and when it was due.</summary>
/// <remarks>
/// Plain text, so that every transport and every peer carries it as it is:
/// <code>
/// @pppp cccccc nnnnnnnn tttttttttttttttt …     (hexadecimal, with dots for the spaces)
/// </code>
/// The time is when the message <em>should</em> have been published: a publisher that is late does not hide it (coordinated omission).
/// </remarks>
internal readonly record struct Payload(int Publisher, int Channel, uint Number, long DueTimestamp)
{
    /// <summary>Bytes before the filling; the shortest message.</summary>
    public const int HeaderLength = 38;

    public const byte Mark = (byte)'@';

    public void WriteTo(Span<byte> destination, Filling filling)
    {
        destination[0] = Mark;
        WriteHex((ulong)Publisher, destination.Slice(1, 4));
        WriteHex((ulong)Channel, destination.Slice(6, 6));
        WriteHex(Number, destination.Slice(13, 8));
        WriteHex((ulong)DueTimestamp, destination.Slice(22, 16));
        destination[5] = destination[12] = destination[21] = (byte)'.';
        filling.Behind(this, destination.Length - HeaderLength).CopyTo(destination[HeaderLength..]);
    }

    public static bool TryRead(ReadOnlySpan<byte> header, out Payload payload)
    {
        bool isRead = TryReadHex(header.Slice(1, 4), out ulong publisher)
            & TryReadHex(header.Slice(6, 6), out ulong channel)
            & TryReadHex(header.Slice(13, 8), out ulong number)
            & TryReadHex(header.Slice(22, 16), out ulong due);
        payload = new Payload((int)publisher, (int)channel, (uint)number, (long)due);
        return isRead && header[5] == '.' && header[12] == '.' && header[21] == '.';
    }

    private static void WriteHex(ulong value, Span<byte> destination)
    {
        for (int i = destination.Length - 1; i >= 0; i--, value >>= 4)
        {
            destination[i] = "0123456789abcdef"u8[(int)(value & 15)];
        }
    }

    private static bool TryReadHex(ReadOnlySpan<byte> digits, out ulong value) =>
        Utf8Parser.TryParse(digits, out value, out int consumed, 'x') && consumed == digits.Length;
}
