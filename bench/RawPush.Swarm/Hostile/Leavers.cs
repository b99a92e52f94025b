namespace RawPush.Swarm.Hostile;

/// <summary>Peers that are gone before anybody has understood what they want.</summary>
internal static class Leavers
{
    /// <summary>At once, or behind a whole request that nobody waits for.</summary>
    public static IEnumerable<Act> Reset(HostilePeer peer) => peer.Random.Next(2) == 0 ? [Act.LeaveWithReset] : [Act.Send(peer.Upgrade()), Act.LeaveWithReset];

    public static IEnumerable<Act> CutInAFrame(HostilePeer peer)
    {
        yield return Act.Send(peer.Upgrade());
        yield return Act.AwaitHead;
        byte[] frame = HostileFrame.Short(HostileFrame.Final | HostileFrame.Ping, new byte[100]);
        yield return Act.Send(frame[..peer.Random.Next(1, frame.Length)]);
        yield return peer.Random.Next(2) == 0 ? Act.Leave : Act.LeaveWithReset;
    }
}
