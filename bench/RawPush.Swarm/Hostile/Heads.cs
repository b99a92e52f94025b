using System.Text;

namespace RawPush.Swarm.Hostile;

/// <summary>What a server should not take for a request, or not wait for.</summary>
internal static class Heads
{
    private const int LinesPerTurn = 5;

    // A TLS ClientHello's first bytes, the preface of HTTP/2 (RFC 9113 section 3.4), and what other protocols begin with.
    private static readonly string[] Foreign =
    [
        "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "SSH-2.0-x\r\n\r\n", "GET\r\n\r\n",
        "GET /channels/c0\r\n\r\n", "GET /channels/c0 HTTP/9.9\r\nHost: x\r\n\r\n", "\0\0\0\0\r\n\r\n",
    ];

    // RFC 9112 sections 2.2, 5.1, 5.2, 6.1 and 6.3: where two readers may see different requests in the same bytes. {0} is a request of its own.
    private static readonly string[] Shapes =
    [
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{0}",
        "Content-Length: 0\r\nContent-Length: 60\r\n\r\n{0}",
        "Content-Length: 0, 60\r\n\r\n{0}",
        "Content-Length: +5\r\n\r\n{0}",
        "Content-Length : 60\r\n\r\n{0}",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{0}",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{0}",
        "Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n{0}",
        "X: y\r\n Content-Length: 60\r\n\r\n{0}",
        "X: y\nContent-Length: 60\r\n\r\n{0}",
        "X: y\0\r\nContent-Length: 60\r\n\r\n{0}",
        "Host: other\r\n\r\n{0}",
        ": y\r\n\r\n{0}",
    ];

    public static IEnumerable<Act> Slow(HostilePeer peer)
    {
        foreach (byte one in peer.Upgrade())
        {
            yield return Act.Send([one]);
            yield return Act.Wait(1000);
        }
    }

    public static IEnumerable<Act> Endless(HostilePeer peer)
    {
        byte[] head = peer.Upgrade();
        yield return Act.Send(head[..^2]);
        byte[] lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat($"X-More: {new string('y', 100)}\r\n", LinesPerTurn)));
        while (true)
        {
            yield return Act.Send(lines);
            yield return Act.Wait(50);
        }
    }

    public static IEnumerable<Act> Garbage(HostilePeer peer)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(Foreign[peer.Random.Next(Foreign.Length)]);
        if (peer.Random.Next(3) == 0)
        {
            bytes = new byte[peer.Random.Next(1, 2000)];
            peer.Random.NextBytes(bytes);
        }

        yield return Act.Send(bytes);
    }

    public static IEnumerable<Act> EmptyLines(HostilePeer peer)
    {
        while (true)
        {
            yield return Act.Send("\r\n\r\n"u8.ToArray());
            yield return Act.Wait(peer.Random.Next(100, 2000));
        }
    }

    public static IEnumerable<Act> WithBody(HostilePeer peer)
    {
        string body = peer.Random.Next(2) == 0 ? "Content-Length: 5\r\n\r\nhello" : "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        string accept = peer.Random.Next(2) == 0 ? "Accept: text/event-stream\r\n" : string.Empty;
        yield return Act.Send(peer.Request(accept + body));
    }

    public static IEnumerable<Act> Smuggling(HostilePeer peer)
    {
        string hidden = $"POST {peer.Target} HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nhostile";
        string shape = Shapes[peer.Random.Next(Shapes.Length)];
        yield return Act.Send(peer.Request(shape.Replace("{0}", hidden, StringComparison.Ordinal)));
    }
}
