namespace RawPush.Swarm.Hostile;

/// <summary>Peers that do not say, or do not take, what the other side waits for.</summary>
internal static class Mutes
{
    public static IEnumerable<Act> DeafWebSocket(HostilePeer peer) => [Act.Send(peer.Upgrade()), Act.AwaitHead, Act.StopReading];

    public static IEnumerable<Act> DeafEventStream(HostilePeer peer) => [Act.Send(peer.Request("Accept: text/event-stream\r\n\r\n")), Act.AwaitHead, Act.StopReading];

    public static IEnumerable<Act> HalfAFrame(HostilePeer peer)
    {
        yield return Act.Send(peer.Upgrade());
        yield return Act.AwaitHead;
        byte[] frame = HostileFrame.Short(HostileFrame.Final | HostileFrame.Text, new byte[100]);
        yield return Act.Send(frame[..peer.Random.Next(1, frame.Length)]);
    }
}
