using System.Text;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Dialects;

namespace RawPush.Swarm.Hostile;

/// <summary>One connection after another, each with a behaviour of its own. Everything about it is touched by its worker's one thread.</summary>
internal sealed class HostilePeer(int number, string host, Func<Random, string> target, int seed)
{
    private readonly StringBuilder _head = new();
    private FrameSkimmer _frames;
    private bool _isUpgraded;

    public int Number { get; } = number;

    /// <summary>Its own, so that its choices do not depend on when others have theirs.</summary>
    public Random Random { get; } = new(seed);

    /// <summary>This connection's request target.</summary>
    public string Target { get; private set; } = string.Empty;

    public Misbehaviour? Misbehaviour { get; private set; }

    public IEnumerator<Act>? Script { get; private set; }

    public int Socket { get; set; } = -1;

    public bool IsConnected { get; set; }

    /// <summary>When it connects again, while it has no connection; when it takes its next step, while it has one.</summary>
    public long ActAt { get; set; }

    public long LeaveAt { get; set; }

    /// <summary>What the kernel would not take; nothing more is sent before it is gone.</summary>
    public byte[] Unsent { get; set; } = [];

    public bool AwaitsHead { get; set; }

    public bool IsDeaf { get; set; }

    public bool IsDeflateAgreed { get; private set; }

    /// <summary>The status of the answer; 0 until its head is there, or for what is none.</summary>
    public int Status { get; private set; }

    /// <summary>The server has sent a Close frame.</summary>
    public bool IsToldToGo { get; private set; }

    public void Begin(Misbehaviour misbehaviour)
    {
        Misbehaviour = misbehaviour;
        Target = target(Random);
        Script = misbehaviour.Script(this).GetEnumerator();
        Unsent = [];
        _head.Clear();
        _frames = default;
        _isUpgraded = IsConnected = AwaitsHead = IsDeaf = IsDeflateAgreed = IsToldToGo = false;
        Status = 0;
    }

    /// <summary>A request whose last fields, and whatever follows them, are given.</summary>
    public byte[] Request(string rest) => Encoding.Latin1.GetBytes($"GET {Target} HTTP/1.1\r\nHost: {host}\r\n{rest}");

    public byte[] Upgrade(string fields = "") => Request(
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: c3dhcm0gb2YgY2xpZW50cw==\r\nSec-WebSocket-Version: 13\r\n" + fields + "\r\n");

    public void Take(ReadOnlySpan<byte> bytes)
    {
        if (_isUpgraded)
        {
            var sink = new CloseFinder(this);
            _frames.Feed(bytes, ref sink);
        }
        else if (Status == 0)
        {
            TakeHead(bytes);
        }
    }

    private void TakeHead(ReadOnlySpan<byte> bytes)
    {
        // A pong may come in the same read as the head, and so may a Close frame.
        _head.Append(Encoding.Latin1.GetString(bytes));
        string head = _head.ToString();
        int end = head.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0 || !head.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) || !int.TryParse(head.AsSpan(9, 3), out int status))
        {
            return;
        }

        Status = status;
        AwaitsHead = false;
        _isUpgraded = status == 101;
        IsDeflateAgreed = DeflateOffer.IsAgreed(Encoding.Latin1.GetBytes(head), isOffered: true, out _);
        Take(Encoding.Latin1.GetBytes(head[(end + 4)..]));
    }

    private readonly struct CloseFinder(HostilePeer peer) : IFrameSink
    {
        public void OnData(ReadOnlySpan<byte> piece)
        {
        }

        public void OnDeflated(ReadOnlySpan<byte> payload)
        {
        }

        public void OnControl(byte opcode, ReadOnlySpan<byte> payload) => peer.IsToldToGo |= opcode == HostileFrame.Close;
    }
}
