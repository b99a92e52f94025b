using System.IO.Compression;
using RawPush.Swarm.Dialects;

namespace RawPush.Swarm.Hostile;

/// <summary>What goes wrong behind permessage-deflate (RFC 7692). A peer whose offer is declined leaves.</summary>
internal static class Deflated
{
    private const int BombBytes = 64 << 20;
    private const int CorruptBytes = 100;

    // 64 KB on the wire. Made once: a bomb is cheap for its owner.
    private static readonly Lazy<byte[]> BombPayload = new(MakeBomb);

    public static IEnumerable<Act> Corrupt(HostilePeer peer)
    {
        byte[] garbage = new byte[CorruptBytes];
        peer.Random.NextBytes(garbage);

        // RFC 1951 section 3.2.3: a last block of the type that does not exist, so that no garbage is data by chance.
        garbage[0] = 0x07;
        return Agreed(peer, HostileFrame.Short(HostileFrame.Final | HostileFrame.Rsv1 | HostileFrame.Text, garbage));
    }

    public static IEnumerable<Act> Bomb(HostilePeer peer) =>
        Agreed(peer, [.. HostileFrame.HeaderOf(HostileFrame.Final | HostileFrame.Rsv1 | HostileFrame.Binary, (ulong)BombPayload.Value.Length), .. BombPayload.Value]);

    private static IEnumerable<Act> Agreed(HostilePeer peer, byte[] bytes)
    {
        yield return Act.Send(peer.Upgrade(DeflateOffer.Field));
        yield return Act.AwaitHead;
        yield return peer.IsDeflateAgreed ? Act.Send(bytes) : Act.Leave;
    }

    private static byte[] MakeBomb()
    {
        using var stream = new MemoryStream();
        using var deflate = new DeflateStream(stream, CompressionLevel.SmallestSize, leaveOpen: true);
        byte[] zeroes = new byte[64 * 1024];
        for (int written = 0; written < BombBytes; written += zeroes.Length)
        {
            deflate.Write(zeroes);
        }

        // A flush ends with the four bytes that are left out on the wire (section 7.2.1).
        deflate.Flush();
        return stream.ToArray()[..^4];
    }
}
