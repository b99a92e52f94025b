namespace RawPush.Swarm.Hostile;

/// <summary>Frames that break RFC 6455, each in one way.</summary>
internal static class Violations
{
    // Overlong, a surrogate, beyond Unicode, a stray continuation, and a character that is cut off (RFC 3629).
    private static readonly byte[][] BadTexts = [[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80], [0x61, 0xE2, 0x82]];

    // Section 7.4: codes that nobody sends, and half of one.
    private static readonly byte[][] BadCloses = [[0, 0], [3, 231], [3, 237], [3, 238], [19, 137], [3]];

    public static IEnumerable<Act> Unmasked(HostilePeer peer) => AfterUpgrade(peer, [HostileFrame.Final | HostileFrame.Text, 5, .. "hello"u8]);

    public static IEnumerable<Act> Reserved(HostilePeer peer)
    {
        int[] firsts = [0x91, 0xA1, 0xB9, 0xC1, 0x83, 0x87, 0x8B, 0x8F];
        return AfterUpgrade(peer, HostileFrame.Short(firsts[peer.Random.Next(firsts.Length)], "hello"u8.ToArray()));
    }

    public static IEnumerable<Act> NotUtf8(HostilePeer peer)
    {
        byte[] text = BadTexts[peer.Random.Next(BadTexts.Length)];
        return AfterUpgrade(peer, peer.Random.Next(2) == 0
            ? HostileFrame.Short(HostileFrame.Final | HostileFrame.Text, text)
            : [.. HostileFrame.Short(HostileFrame.Text, text[..1]), .. HostileFrame.Short(HostileFrame.Final | HostileFrame.Continuation, text[1..])]);
    }

    public static IEnumerable<Act> Oversized(HostilePeer peer)
    {
        ulong[] lengths = [1UL << 40, ulong.MaxValue, 1UL << 63, int.MaxValue, uint.MaxValue];
        int first = peer.Random.Next(4) == 0 ? HostileFrame.Ping : HostileFrame.Binary;
        return AfterUpgrade(peer, HostileFrame.HeaderOf(HostileFrame.Final | first, lengths[peer.Random.Next(lengths.Length)]));
    }

    public static IEnumerable<Act> BadClose(HostilePeer peer) =>
        AfterUpgrade(peer, HostileFrame.Short(HostileFrame.Final | HostileFrame.Close, BadCloses[peer.Random.Next(BadCloses.Length)]));

    private static IEnumerable<Act> AfterUpgrade(HostilePeer peer, byte[] bytes) => [Act.Send(peer.Upgrade()), Act.AwaitHead, Act.Send(bytes)];
}
