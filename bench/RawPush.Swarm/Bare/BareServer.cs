using System.Text;
using RawPush.Swarm.Native;

namespace RawPush.Swarm.Bare;

/// <summary>The least a server can do: accept, answer the upgrade, and send each published message to everybody with one <c>send</c>; or echo.</summary>
/// <remarks>The ceiling for servers that send one message per write, and the proof that the load generator can drive one. With a lie to tell, the
/// proof that truth mode finds it. One thread, one epoll set, no channels, no limits: not a server.</remarks>
internal sealed class BareServer(int port, string? lie)
{
    private static readonly byte[] UpgradeHead = Encoding.ASCII.GetBytes(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: 5B6YtGHhWDhsk+JqwXvmRPSfq1Y=\r\n\r\n");

    private static readonly byte[] EventsHead = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    private static readonly byte[] PublishedHead = Encoding.ASCII.GetBytes("HTTP/1.1 204 No Content\r\n\r\n");

    private readonly int _epoll = Libc.CreateEpoll();
    private readonly EpollEvent[] _events = new EpollEvent[1024];
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly List<Peer?> _peers = [];
    private readonly List<int> _webSockets = [];
    private readonly List<int> _eventStreams = [];
    private long _published;

    private enum Kind
    {
        New,
        WebSocket,
        EventStream,
        Publisher,
    }

    public int Run()
    {
        int listener = Libc.Listen(port, 65_535);
        if (listener < 0)
        {
            Console.Error.WriteLine($"swarm: cannot listen on port {port}: errno {-listener}");
            return 1;
        }

        Libc.Control(_epoll, Libc.EpollAdd, listener, Libc.EpollIn);
        while (true)
        {
            int count = Libc.Wait(_epoll, _events, -1);
            for (int i = 0; i < count; i++)
            {
                if (_events[i].Socket == listener)
                {
                    AcceptAll(listener);
                }
                else
                {
                    Receive(_events[i].Socket);
                }
            }
        }
    }

    private void AcceptAll(int listener)
    {
        for (int socket = Libc.Accept(listener); socket >= 0; socket = Libc.Accept(listener))
        {
            while (_peers.Count <= socket)
            {
                _peers.Add(null);
            }

            _peers[socket] = new Peer();
            Libc.Control(_epoll, Libc.EpollAdd, socket, Libc.EpollIn);
        }
    }

    private void Receive(int socket)
    {
        int count = Libc.Receive(socket, _buffer);
        if (count == -Libc.EAgain)
        {
            return;
        }

        var peer = _peers[socket]!;
        if (count <= 0)
        {
            Leave(socket, peer);
            return;
        }

        var bytes = _buffer.AsSpan(0, count);
        if (peer.Kind == Kind.New)
        {
            Greet(socket, peer, bytes);
        }
        else if (peer.Kind == Kind.WebSocket)
        {
            Echo(socket, bytes);
        }

        if (peer.Kind == Kind.Publisher)
        {
            Publish(socket, peer, bytes);
        }
    }

    private void Greet(int socket, Peer peer, ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("POST"u8))
        {
            peer.Kind = Kind.Publisher;
            return;
        }

        bool isEvents = bytes.IndexOf("text/event-stream"u8) >= 0;
        peer.Kind = isEvents ? Kind.EventStream : Kind.WebSocket;
        var list = isEvents ? _eventStreams : _webSockets;
        peer.Index = list.Count;
        list.Add(socket);
        Libc.Send(socket, isEvents ? EventsHead : UpgradeHead);
    }

    // The swarm masks with zeroes, so a frame becomes ours by taking its mask away.
    private static void Echo(int socket, Span<byte> bytes)
    {
        while (bytes.Length >= 6)
        {
            int length = bytes[1] & 127;
            if ((bytes[0] & 15) < 8 && bytes.Length >= 6 + length)
            {
                bytes[5] = (byte)length;
                bytes[4] = bytes[0];
                Libc.Send(socket, bytes.Slice(4, 2 + length));
            }

            bytes = bytes[Math.Min(6 + length, bytes.Length)..];
        }
    }

    private void Publish(int socket, Peer peer, ReadOnlySpan<byte> bytes)
    {
        peer.Received.AddRange(bytes);
        while (TryTakeBody(peer.Received, out byte[] body))
        {
            Libc.Send(socket, PublishedHead);
            SendToAll(body);
        }
    }

    private static bool TryTakeBody(List<byte> received, out byte[] body)
    {
        body = [];
        byte[] bytes = [.. received];
        int end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        int field = bytes.AsSpan().IndexOf("Content-Length: "u8);
        if (end < 0 || field < 0)
        {
            return false;
        }

        int length = int.Parse(Encoding.ASCII.GetString(bytes, field + 16, bytes.AsSpan(field).IndexOf((byte)'\r') - 16), System.Globalization.CultureInfo.InvariantCulture);
        if (bytes.Length < end + 4 + length)
        {
            return false;
        }

        body = bytes[(end + 4)..(end + 4 + length)];
        received.RemoveRange(0, end + 4 + length);
        return true;
    }

    private void SendToAll(byte[] body)
    {
        byte[] frame = body.Length < 126 ? [0x81, (byte)body.Length, .. body] : [0x81, 126, (byte)(body.Length >> 8), (byte)body.Length, .. body];
        byte[] item = [.. "data: "u8, .. body, .. "\n\n"u8];

        // The lie, once in a hundred messages, to one client.
        bool isLie = lie is not null && ++_published % 100 == 0;
        int victim = _webSockets.Count / 2;
        for (int i = 0; i < _webSockets.Count; i++)
        {
            bool isVictim = isLie && i == victim;
            if (!isVictim || lie == "repeat")
            {
                Libc.Send(_webSockets[i], frame);
            }

            if (isVictim && lie == "repeat")
            {
                Libc.Send(_webSockets[i], frame);
            }
        }

        foreach (int socket in _eventStreams)
        {
            Libc.Send(socket, item);
        }
    }

    private void Leave(int socket, Peer peer)
    {
        var list = peer.Kind switch { Kind.WebSocket => _webSockets, Kind.EventStream => _eventStreams, _ => null };
        if (list is not null)
        {
            list[peer.Index] = list[^1];
            _peers[list[^1]]!.Index = peer.Index;
            list.RemoveAt(list.Count - 1);
        }

        _peers[socket] = null;
        Libc.Close(socket);
    }

    private sealed class Peer
    {
        public Kind Kind { get; set; }

        public int Index { get; set; }

        public List<byte> Received { get; } = [];
    }
}
