using System.Diagnostics;
using System.Net;
using RawPush.Swarm.Native;

namespace RawPush.Swarm.Hostile;

/// <summary>All hostile peers of one worker, on its one thread and an epoll set of their own. What becomes of them is counted and judged by nobody.</summary>
/// <param name="server">Where to.</param>
/// <param name="target">Chooses a request target.</param>
/// <param name="peers">How many at a time.</param>
/// <param name="sourceAddresses">127.0.0.2 and on, as the honest clients have.</param>
/// <param name="seed">Where chance begins.</param>
internal sealed class HostileSwarm(IPEndPoint server, Func<Random, string> target, int peers, int sourceAddresses, int seed)
{
    private const int TurnMs = 20;
    private const int PauseSecondsMax = 1;

    // The least that the kernel grants: a peer that reads nothing shall be felt soon.
    private const int DeafReceiveBytes = 2304;

    private readonly HostilePeer[] _peers = [.. Enumerable.Range(0, peers).Select(number => new HostilePeer(number, server.ToString(), target, seed + number))];
    private readonly SortedDictionary<string, HostileCount> _counts = new(StringComparer.Ordinal);
    private readonly List<HostilePeer?> _bySocket = [];
    private readonly int _epoll = Libc.CreateEpoll();
    private readonly EpollEvent[] _events = new EpollEvent[256];
    private readonly byte[] _buffer = new byte[64 * 1024];
    private long _lastTurn;

    /// <summary>Chooses what the next connection of a peer does.</summary>
    public Func<HostilePeer, Misbehaviour> Choose { get; init; } = peer => Misbehaviour.All[peer.Random.Next(Misbehaviour.All.Length)];

    /// <summary>Seconds that a connection lasts at most. Most are short; one in ten outlives what a server by default waits for, a handshake or a pong.</summary>
    public Func<Random, double> Lifetime { get; init; } = random => random.Next(10) == 0 ? 6 + (54 * random.NextDouble()) : 1 + (5 * random.NextDouble());

    /// <summary>What has become of them, by behaviour.</summary>
    public SortedDictionary<string, HostileCount> Counts => new(_counts, StringComparer.Ordinal);

    /// <summary>Does what is due, if it is time for that, and waits for nothing.</summary>
    public void RunOnce()
    {
        if (Stopwatch.GetElapsedTime(_lastTurn).TotalMilliseconds < TurnMs)
        {
            return;
        }

        _lastTurn = Stopwatch.GetTimestamp();
        int count = Libc.Wait(_epoll, _events, 0);
        for (int i = 0; i < count; i++)
        {
            if (_bySocket[_events[i].Socket] is { } peer)
            {
                OnEvent(peer, _events[i].Events);
            }
        }

        foreach (var peer in _peers)
        {
            Turn(peer, _lastTurn);
        }
    }

    /// <summary>All go, and come back if there is another turn.</summary>
    public void Leave()
    {
        foreach (var peer in _peers.Where(peer => peer.Socket >= 0))
        {
            Close(peer, isReset: true);
        }
    }

    private void Turn(HostilePeer peer, long now)
    {
        if (peer.Socket < 0)
        {
            if (peer.ActAt <= now)
            {
                Connect(peer);
            }
        }
        else if (peer.LeaveAt <= now)
        {
            Close(peer, isReset: peer.Random.Next(2) == 0);
        }
        else if (peer.IsConnected && !peer.AwaitsHead && peer.ActAt <= now)
        {
            Act(peer, now);
        }
    }

    private void Connect(HostilePeer peer)
    {
        uint source = 127u | (uint)(2 + (peer.Number % sourceAddresses)) << 24;
        int socket = Libc.Connect(source, server);
        if (socket < 0)
        {
            peer.ActAt = After(PauseSecondsMax);
            return;
        }

        while (_bySocket.Count <= socket)
        {
            _bySocket.Add(null);
        }

        _bySocket[socket] = peer;
        peer.Begin(Choose(peer));
        peer.Socket = socket;
        peer.LeaveAt = After(Lifetime(peer.Random));
        Count(peer, new HostileCount(1, 0, 0));
        Libc.Control(_epoll, Libc.EpollAdd, socket, Libc.EpollOut);
    }

    private void OnEvent(HostilePeer peer, uint events)
    {
        if (!peer.IsConnected)
        {
            OnConnected(peer);
        }
        else if (peer.IsDeaf)
        {
            OnEnded(peer);
        }
        else
        {
            Receive(peer, events);
        }
    }

    private void OnConnected(HostilePeer peer)
    {
        if (Libc.ConnectResult(peer.Socket) < 0)
        {
            Close(peer, isReset: false);
            return;
        }

        peer.IsConnected = true;
        Libc.Control(_epoll, Libc.EpollModify, peer.Socket, Libc.EpollIn);
        Act(peer, Stopwatch.GetTimestamp());
    }

    private void Receive(HostilePeer peer, uint events)
    {
        int count = Libc.Receive(peer.Socket, _buffer);
        if (count == -Libc.EAgain && (events & (Libc.EpollHup | Libc.EpollErr)) == 0)
        {
            return;
        }

        if (count <= 0)
        {
            OnEnded(peer);
            return;
        }

        bool wasToldToGo = peer.IsToldToGo;
        peer.Take(_buffer.AsSpan(0, count));
        if (peer.Status >= 400)
        {
            Count(peer, new HostileCount(0, 1, 0));
            Close(peer, isReset: peer.Random.Next(2) == 0);
        }
        else if (peer.IsToldToGo && !wasToldToGo)
        {
            Count(peer, new HostileCount(0, 0, 1));
        }
    }

    /// <summary>Takes steps until one has to wait.</summary>
    private void Act(HostilePeer peer, long now)
    {
        if (peer.Unsent.Length > 0)
        {
            Send(peer, peer.Unsent);
        }

        while (peer.Socket >= 0 && peer.Unsent.Length == 0 && !peer.AwaitsHead && peer.ActAt <= now)
        {
            if (!peer.Script!.MoveNext())
            {
                peer.ActAt = long.MaxValue;
                return;
            }

            Act(peer, peer.Script.Current);
        }
    }

    private void Act(HostilePeer peer, Act act)
    {
        switch (act.Kind)
        {
            case ActKind.Send:
                Send(peer, act.Bytes!);
                break;
            case ActKind.Wait:
                peer.ActAt = After(act.Ms / 1000.0);
                break;
            case ActKind.AwaitHead:
                peer.AwaitsHead = peer.Status == 0;
                break;
            case ActKind.StopReading:
                peer.IsDeaf = true;
                Libc.LimitReceiveBuffer(peer.Socket, DeafReceiveBytes);
                Libc.Control(_epoll, Libc.EpollModify, peer.Socket, Libc.EpollRdHup);
                break;
            default:
                Close(peer, isReset: act.Kind == ActKind.LeaveWithReset);
                break;
        }
    }

    private void Send(HostilePeer peer, byte[] bytes)
    {
        int sent = bytes.Length == 0 ? 0 : Libc.Send(peer.Socket, bytes);
        if (sent < 0 && sent != -Libc.EAgain)
        {
            OnEnded(peer);
            return;
        }

        peer.Unsent = bytes[Math.Max(sent, 0)..];
    }

    private void OnEnded(HostilePeer peer)
    {
        Count(peer, new HostileCount(0, 0, peer.IsToldToGo ? 0 : 1));
        Close(peer, isReset: false);
    }

    private void Close(HostilePeer peer, bool isReset)
    {
        _bySocket[peer.Socket] = null;
        Libc.Close(peer.Socket, isReset);
        peer.Socket = -1;
        peer.ActAt = After(PauseSecondsMax * peer.Random.NextDouble());
    }

    private void Count(HostilePeer peer, HostileCount one)
    {
        string name = peer.Misbehaviour!.Name;
        _counts[name] = _counts.GetValueOrDefault(name, HostileCount.None) + one;
    }

    private static long After(double seconds) => Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
}
