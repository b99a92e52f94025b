using RawPush.Protocol.Proxy;
using RawPush.Server.Sessions;

namespace RawPush.Server.Connections;

/// <summary>One client's byte stream, as its shard sees it. The one thing that differs between our own sockets and pipes.</summary>
/// <remarks>Touched by the shard of its loop alone. It calls its session: <see cref="ClientSession.OnReceived"/> for bytes,
/// <see cref="ClientSession.OnWritable"/> when it is no longer blocked, <see cref="ClientSession.OnPeerClosed"/> at the end of the stream.</remarks>
internal abstract class ClientTransport(ConnectionLoop loop) : TimerEntry
{
    public ConnectionLoop Loop { get; } = loop;

    /// <summary>Its name in the log. Made when it is asked for: most connections are never named.</summary>
    public abstract string ConnectionId { get; }

    /// <summary>Its place in the loop's list of connections.</summary>
    public int LoopIndex { get; set; } = -1;

    /// <summary>What is remembered of where its requests come from; null for nothing.</summary>
    public ClientOrigin? Origin { get; set; }

    /// <summary>The peer has not taken what was written; nothing more is accepted until it has.</summary>
    public bool IsBlocked
    {
        get;
        protected set
        {
            if (field != value)
            {
                field = value;
                Loop.OnBlockedChanged(this);
            }
        }
    }

    /// <summary>Since when, in the loop's time.</summary>
    public long BlockedSinceMs { get; private set; }

    /// <summary>Who speaks over it. Null while the request head is being read.</summary>
    protected ClientSession? Session { get; set; }

    /// <summary>Who connected: the peer, or whom the peer's PROXY header names. Null for a Unix socket. While the connection is open.</summary>
    public abstract HostAddress? FindPeer();

    /// <summary>Takes whole encoded entries and says how many. Fewer than given: it is now blocked. What it has taken, it sends, or the connection ends.</summary>
    public abstract int Write(ReadOnlySpan<byte[]> forms);

    /// <summary>Takes both parts, one after the other, or – while blocked – nothing. The first is short.</summary>
    public abstract bool TryWrite(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body);

    /// <summary>The session takes no bytes for now, though it has taken all that it was given. Nothing once the stream is being closed.</summary>
    public abstract void PauseReading();

    /// <summary>The session takes bytes again, after it had left some unread or had asked for a pause.</summary>
    public abstract void ResumeReading();

    /// <summary>Ends the stream after what was written, and cuts it if the peer does not take that in time.</summary>
    /// <param name="lingers">Keep taking in and dropping bytes for a moment: a socket closed over unread bytes sends a reset, which can overtake our last words.</param>
    /// <param name="lastWords">What else to write, also behind what a blocked peer has not taken yet. Short.</param>
    public abstract void Close(bool lingers, ReadOnlySpan<byte> lastWords = default);

    /// <summary>Cuts the connection.</summary>
    public abstract void Abort();

    /// <summary>The server is stopping: say goodbye, or give up on a head that is not complete.</summary>
    public abstract void Drain();

    /// <summary>The peer takes no more for now. A session that is not ending gives it the peer timeout.</summary>
    protected void Block(bool isOpen)
    {
        IsBlocked = true;
        BlockedSinceMs = Loop.NowMs;
        if (isOpen && Session is not null)
        {
            Loop.Timers.ScheduleNoLater(this, BlockedSinceMs + Loop.Timeouts.PeerMs);
        }
    }
}
