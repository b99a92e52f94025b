namespace RawPush.Swarm.Hostile;

/// <summary>Frames that are legal one by one, a few hundred a second: many more would measure the machine and not the server.</summary>
internal static class Floods
{
    private const int FramesPerTurn = 20;
    private const int TurnMs = 100;

    public static IEnumerable<Act> Pings(HostilePeer peer) => Flood(peer, [], HostileFrame.Short(HostileFrame.Final | HostileFrame.Ping, new byte[125]));

    /// <summary>A message that never ends, in empty pieces: no limit of bytes is ever reached.</summary>
    public static IEnumerable<Act> Fragments(HostilePeer peer) => Flood(peer, HostileFrame.Short(HostileFrame.Text), HostileFrame.Short(HostileFrame.Continuation));

    private static IEnumerable<Act> Flood(HostilePeer peer, byte[] first, byte[] again)
    {
        yield return Act.Send(peer.Upgrade());
        yield return Act.AwaitHead;
        yield return Act.Send(first);
        byte[] burst = [.. Enumerable.Repeat(again, FramesPerTurn).SelectMany(frame => frame)];
        while (true)
        {
            yield return Act.Send(burst);
            yield return Act.Wait(TurnMs);
        }
    }
}
