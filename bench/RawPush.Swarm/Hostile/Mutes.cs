namespace RawPush.Swarm.Hostile;

/// <summary>Peers that do not say, or do not take, what the other side waits for.</summary>
internal static class Mutes
{
    private const int DeafMs = 3000;

    /// <summary>Talks, and so is not taken for dead. RFC 6455 section 5.5.3: a pong that nobody asked for is legal.</summary>
    public static IEnumerable<Act> DeafWebSocket(HostilePeer peer) => Deaf(peer.Upgrade(), HostileFrame.Short(HostileFrame.Final | HostileFrame.Pong));

    public static IEnumerable<Act> DeafEventStream(HostilePeer peer) => Deaf(peer.Request("Accept: text/event-stream\r\n\r\n"), "\r\n"u8.ToArray());

    public static IEnumerable<Act> HalfAFrame(HostilePeer peer)
    {
        yield return Act.Send(peer.Upgrade());
        yield return Act.AwaitHead;
        byte[] frame = HostileFrame.Short(HostileFrame.Final | HostileFrame.Text, new byte[100]);
        yield return Act.Send(frame[..peer.Random.Next(1, frame.Length)]);
    }

    private static IEnumerable<Act> Deaf(byte[] request, byte[] word)
    {
        yield return Act.Send(request);
        yield return Act.AwaitHead;
        yield return Act.StopReading;
        while (true)
        {
            // The end of the stream stands behind what is not read. Only the answer to a word can say that the other side has gone: a reset.
            yield return Act.Wait(DeafMs);
            yield return Act.Send(word);
        }
    }
}
