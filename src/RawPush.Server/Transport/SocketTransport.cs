using System.Globalization;
using System.Net;
using System.Text;
using RawPush.Protocol.Http;
using RawPush.Protocol.Proxy;
using RawPush.Server.Connections;
using RawPush.Server.Requests;
using RawPush.Server.Sessions;

namespace RawPush.Server.Transport;

/// <summary>A client on a socket of an event loop, from its first byte to its last. While idle it is this object, its session and its subscriptions.</summary>
/// <remarks>
/// Bytes go from the loop's receive buffer to the session, and encoded entries from the log to the kernel; what the kernel does not take of an entry
/// is remembered as a place in it. The descriptor is closed by <see cref="Finish"/>, once, at the end of a turn.
/// </remarks>
internal sealed class SocketTransport : ClientTransport, IReadinessHandler, IPollTransport
{
    private readonly Acceptor _acceptor;
    private readonly long _number;
    private SocketHead? _head;              // While the request head is being read.
    private ReadOnlyMemory<byte> _rest;     // Taken from the session and not yet by the kernel.
    private Memory<byte> _unread;           // Taken from the kernel and not yet by the session, which has paused.
    private State _state;
    private bool _isReadable;
    private bool _hasPeerClosed;
    private bool _isReadingPaused;
    private bool _isReadQueued;
    private bool _lingers;
    private bool _isLastAnswer;
    private bool _awaitsProxyHeader;

    /// <param name="acceptor">Who accepted it; its loop owns the connection.</param>
    /// <param name="descriptor">The socket, which this object owns from now on.</param>
    /// <param name="number">Its number among the connections of the loop.</param>
    public SocketTransport(Acceptor acceptor, int descriptor, long number)
        : base(acceptor.Loop)
    {
        _acceptor = acceptor;
        _number = number;
        Descriptor = descriptor;
    }

    private enum State : byte
    {
        /// <summary>The request head is being read.</summary>
        Head,

        /// <summary>The request is admitted, and other nodes are being told of its channels.</summary>
        Preparing,

        /// <summary>The session, or a refusal, may write.</summary>
        Open,

        /// <summary>A poll is answered, and the peer has not taken all of it; then comes its next request, or the end.</summary>
        Answering,

        /// <summary>Our last words are written, and the peer has not taken them all.</summary>
        Closing,

        /// <summary>Our half of the stream has ended; what comes is dropped until the peer ends its half.</summary>
        Lingering,

        /// <summary>Over: the descriptor is closed at the end of the turn, or has gone to somebody else.</summary>
        Ended,
    }

    public int Descriptor { get; }

    public override string ConnectionId => string.Create(CultureInfo.InvariantCulture, $"{Loop.Shard.Index}-{_number}");

    /// <summary>What stands behind a request that is not answered yet would have to wait in memory of ours: such a connection ends with the answer.</summary>
    public bool CanGoOn => _unread.IsEmpty && !_hasPeerClosed && !_acceptor.Door.Loops.IsDraining;

    private EventLoop Events => _acceptor.Events;

    public override HostAddress? FindPeer() => Origin?.Proxied is { } proxied ? HostAddress.From(proxied.Address) : Libc.PeerOf(Descriptor);

    /// <summary>Takes its place in the loop, with a deadline for the request head.</summary>
    public void Open()
    {
        _awaitsProxyHeader = _acceptor.Door.ExpectsProxyHeader(_acceptor.Listener, this);
        Loop.Add(this);
        Loop.Timers.Schedule(this, Loop.NowMs + Loop.Timeouts.HandshakeMs);
        if (Events.Watch(Descriptor, this, Libc.EpollIn | Libc.EpollOut | Libc.EpollPeerClosed | Libc.EpollEdge) < 0)
        {
            // The kernel has no memory for it, or the user no more watches (fs.epoll.max_user_watches).
            Abort();
        }
        else if (_acceptor.Door.Loops.IsDraining)
        {
            // Listeners are closed last, and the goodbye to all has passed this one by.
            Drain();
        }
    }

    public void OnReady(uint events)
    {
        if ((events & ~Libc.EpollIn) != 0 && IsBlocked)
        {
            OnKernelTakesMore();
        }

        if ((events & ~Libc.EpollOut) != 0)
        {
            OnReadable(events);
        }
    }

    public void OnLoopEnded()
    {
        _state = State.Ended;
        Finish();
    }

    /// <summary>The turn has come that <see cref="EventLoop.ReadAgain"/> was asked for.</summary>
    public void ReadQueued()
    {
        _isReadQueued = false;
        ReadOn();
    }

    public override int Write(ReadOnlySpan<byte[]> forms)
    {
        if (!CanSend())
        {
            return _state == State.Open ? 0 : forms.Length;
        }

        int sent = forms.Length == 1 ? Libc.Send(Descriptor, forms[0]) : Events.GatheredSend.Send(Descriptor, forms);
        if (!HasSent(ref sent))
        {
            return forms.Length;
        }

        for (int i = 0; i < forms.Length; i++)
        {
            if (sent < forms[i].Length)
            {
                // One of which nothing was taken stays in the log.
                Keep(sent > 0 ? forms[i].AsMemory(sent) : default);
                return sent > 0 ? i + 1 : i;
            }

            sent -= forms[i].Length;
        }

        return forms.Length;
    }

    public override bool TryWrite(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        if (Events.Cork.Owner == this && _state == State.Open && !IsBlocked && Events.Cork.TryAdd(head, body))
        {
            return true;
        }

        if (!CanSend())
        {
            // What is over is taken: nobody will read it.
            return _state != State.Open;
        }

        int sent = Libc.Send(Descriptor, head, body);
        if (HasSent(ref sent) && sent < head.Length + body.Length)
        {
            Keep(sent < head.Length ? (byte[])[.. head[sent..], .. body] : body[(sent - head.Length)..].ToArray());
        }

        return true;
    }

    public override void PauseReading() => _isReadingPaused |= _state == State.Open;

    public override void ResumeReading()
    {
        if (_isReadingPaused)
        {
            _isReadingPaused = false;
            QueueRead();
        }
    }

    public void Answer(PollAnswer answer)
    {
        Span<byte> head = stackalloc byte[PushPlan.HeadBytesMax];
        TryWrite(head[..WriteHead(head, answer, Loop.Date)], answer.Body.Span);
        if (_state != State.Open)
        {
            return;
        }

        _state = State.Answering;
        _isLastAnswer = answer.IsLast;
        _isReadingPaused = true;
        if (!IsBlocked)
        {
            OnAnswerTaken();
        }
    }

    public override void Close(bool lingers, ReadOnlySpan<byte> lastWords = default)
    {
        if (_state != State.Open)
        {
            return;
        }

        if (!lastWords.IsEmpty && !TryWrite(lastWords, default))
        {
            _rest = (byte[])[.. _rest.Span, .. lastWords];
        }

        SendCorked();
        if (_state == State.Ended)
        {
            return;
        }

        _state = State.Closing;
        _lingers = lingers;
        _unread = default;
        Loop.Timers.Schedule(this, Loop.NowMs + (lingers ? Loop.Timeouts.LingerMs : Loop.Timeouts.CloseMs));

        // What is in the socket already makes no further edge.
        _isReadingPaused = false;
        _isReadable = true;
        QueueRead();
        if (!IsBlocked)
        {
            EndSending();
        }
    }

    public override void Abort()
    {
        if (_state != State.Ended)
        {
            _state = State.Ended;
            Events.EndAfterTurn(this);
        }
    }

    public override void Drain()
    {
        if (_state == State.Head)
        {
            GiveUpOnHead();
        }
        else
        {
            Session?.Drain();
        }
    }

    /// <summary>Closes the socket and leaves the loop. Called by the event loop at the end of the turn in which the connection ended.</summary>
    public void Finish()
    {
        if (IsBlocked)
        {
            Libc.DropOnClose(Descriptor);
        }

        Libc.Close(Descriptor);
        LeaveLoop();
        if (Session is null)
        {
            return;
        }

        try
        {
            Session.OnPeerClosed();
            Session.OnClosed();
        }
        catch (Exception exception)
        {
            _acceptor.Door.OnFault(this, exception);
        }

        _acceptor.Door.LetOut(this, Session);
    }

    protected internal override void OnTimer(long nowMs)
    {
        if (_state == State.Head)
        {
            GiveUpOnHead();
        }
        else if (_state == State.Open && Session is not null)
        {
            Session.OnTimer(nowMs);
        }
        else if (_state == State.Answering && nowMs - BlockedSinceMs < Loop.Timeouts.PeerMs)
        {
            // The deadline was the poll's, or one that the peer has met since by taking a piece.
            Loop.Timers.Schedule(this, BlockedSinceMs + Loop.Timeouts.PeerMs);
        }
        else
        {
            Abort();
        }
    }

    private void OnReadable(uint events)
    {
        _isReadable = true;
        _hasPeerClosed |= (events & (Libc.EpollPeerClosed | Libc.EpollHangUp | Libc.EpollError)) != 0;
        if (_isReadingPaused && (events & (Libc.EpollHangUp | Libc.EpollError)) != 0)
        {
            // Both ways are dead: whatever is still to be read, no answer would arrive.
            Abort();
        }
        else if (!_isReadQueued)
        {
            ReadOn();
        }
    }

    /// <summary>Reads what is there, up to the size of the loop's buffer; then others have their turn.</summary>
    private void ReadOn()
    {
        try
        {
            if (_state == State.Head)
            {
                ReadHead();
            }
            else if (_state is not (State.Preparing or State.Ended) && !_isReadingPaused)
            {
                ReadBody();
            }
        }
        catch (Exception exception)
        {
            _acceptor.Door.OnFault(this, exception);
        }

        if (_isReadable && !_isReadingPaused && _state is not (State.Preparing or State.Ended))
        {
            QueueRead();
        }
    }

    // Once, however many events come until then: a fast sender would otherwise have more and more turns.
    private void QueueRead()
    {
        if (!_isReadQueued)
        {
            _isReadQueued = true;
            Events.ReadAgain(this);
        }
    }

    private void LeaveLoop()
    {
        ReturnHead();
        Loop.Timers.Cancel(this);
        Loop.Remove(this);
    }

    private void ReturnHead()
    {
        if (_head is not null)
        {
            _acceptor.ReturnHead(_head);
            _head = null;
        }
    }

    private void ReadHead()
    {
        _isReadable = false;   // A look leaves the bytes where they are; the next ones are the next edge.
        if (_awaitsProxyHeader && !TryTakeProxyHeader())
        {
            return;
        }

        _head ??= _acceptor.RentHead();
        var verdict = _head.Read(Descriptor, Events.ReceiveBuffer, _hasPeerClosed, ref _isReadable);
        switch (verdict)
        {
            case HeadVerdict.NeedMore when _head.IsEmpty:
                ReturnHead();
                break;
            case HeadVerdict.NeedMore:
                Loop.Timers.ScheduleNoLater(this, Loop.NowMs + Loop.Timeouts.HandshakeMs);
                break;
            case HeadVerdict.Ours:
                LetIn();
                break;
            case HeadVerdict.Foreign:
                HandOn();
                break;
            case HeadVerdict.Refused:
                Refuse(_head.Refusal);
                break;
            default:
                Abort();
                break;
        }
    }

    /// <summary>False: it is not there yet, or the connection ends.</summary>
    private bool TryTakeProxyHeader()
    {
        switch (ProxyHeaderTaking.Take(Descriptor, Events.ReceiveBuffer, _hasPeerClosed, out var header))
        {
            case HeadVerdict.Ours:
                _awaitsProxyHeader = false;
                if (header.Source is { } source)
                {
                    Origin = new ClientOrigin { Proxied = new IPEndPoint(source.ToIPAddress(), header.SourcePort) };
                }

                break;
            case HeadVerdict.Refused:
                Refuse(Refusal.BadProxyHeader);
                break;
            case HeadVerdict.Gone:
                Abort();
                break;
        }

        return !_awaitsProxyHeader;
    }

    private void LetIn()
    {
        _state = State.Preparing;
        _unread = _head!.TakeBytesBehind();
        var plan = _acceptor.Door.Admit(this, _head.Request, _acceptor.Listener, out var refusal);
        if (plan is null)
        {
            Refuse(refusal!);
            return;
        }

        var preparation = _acceptor.Door.PrepareAsync(plan);
        if (preparation.IsCompletedSuccessfully)
        {
            LetIn(plan, preparation.Result);
        }
        else
        {
            _ = LetInWhenPreparedAsync(plan, preparation);
        }
    }

    private async Task LetInWhenPreparedAsync(PushPlan plan, ValueTask<Refusal?> preparation)
    {
        try
        {
            var refusal = await preparation;
            await Loop.Shard.SwitchTo();
            LetIn(plan, refusal);
        }
        catch (Exception exception)
        {
            await Loop.Shard.SwitchTo();
            _acceptor.Door.OnFault(this, exception);
        }
    }

    private void LetIn(PushPlan plan, Refusal? refusal)
    {
        if (_state != State.Preparing)
        {
            // It has left, or had to go, before there was a session that could leave.
            _acceptor.Door.Leave(this);
            return;
        }

        if (refusal is not null)
        {
            _acceptor.Door.Leave(this);
            Refuse(refusal);
            return;
        }

        _state = State.Open;
        var session = _acceptor.Door.LetIn(this, plan, out refusal);
        if (session is null)
        {
            Refuse(refusal!);
            return;
        }

        ReturnHead();
        Session = session;
        session.Start();
        _isReadable = true;   // Frames may stand behind the head.
        QueueRead();
    }

    private static int WriteHead(Span<byte> destination, PollAnswer answer, ReadOnlySpan<byte> date)
    {
        var head = new ResponseHeadWriter(destination, answer.StatusCode);
        head.Field("Date"u8, date);
        foreach (var (name, value) in answer.Fields)
        {
            head.Field(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
        }

        if (answer.ContentLength is { } length)
        {
            head.Field("Content-Length"u8, length);
        }

        head.Field("Connection"u8, answer.IsLast ? "close"u8 : "keep-alive"u8);
        return head.End();
    }

    private void OnAnswerTaken()
    {
        if (_isLastAnswer)
        {
            // The client's next request may be on its way, and a reset that it causes must not overtake the answer (RFC 9112 section 9.6).
            _state = State.Open;
            Close(lingers: true);
        }
        else
        {
            AwaitRequest();
        }
    }

    /// <summary>A poll is over. The connection is as it was when it had just been accepted: what comes next may be for anybody.</summary>
    private void AwaitRequest()
    {
        var session = Session!;
        Session = null;
        _state = State.Head;
        _isReadingPaused = false;
        session.OnClosed();
        _acceptor.Door.LetOut(this, session);
        Loop.Timers.Schedule(this, Loop.NowMs + Loop.Timeouts.KeepAliveMs);
        if (_isReadable)
        {
            QueueRead();
        }
    }

    private void Refuse(Refusal refusal)
    {
        _state = State.Open;
        byte[] response = refusal.ToResponse(Loop.Date, isHead: _head is { IsHead: true });
        ReturnHead();
        _acceptor.Door.OnRefused(this, refusal);
        TryWrite(response, default);

        // Whatever the client has sent behind its head is still in the kernel (RFC 9112 section 9.6).
        Close(lingers: true);
    }

    private void HandOn()
    {
        _state = State.Ended;
        Events.Unwatch(Descriptor);
        LeaveLoop();
        _acceptor.HandOn(Descriptor, Origin?.Proxied);
    }

    /// <summary>Its deadline has passed, or the server stops.</summary>
    private void GiveUpOnHead()
    {
        _head ??= _acceptor.RentHead();
        if (_head.DropBytes(Descriptor, Events.ReceiveBuffer))
        {
            Refuse(_acceptor.Door.LateRefusal);
        }
        else
        {
            Abort();
        }
    }

    private void ReadBody()
    {
        if (!_unread.IsEmpty)
        {
            var unread = _unread;
            _unread = default;
            Feed(unread, isOurs: true);
            return;
        }

        var buffer = Events.ReceiveBuffer;
        int count = Libc.Receive(Descriptor, buffer);
        if (count > 0)
        {
            // A short read has emptied the socket, and saves asking again; but for the end of the stream there is no further edge.
            _isReadable = count == buffer.Length || _hasPeerClosed;
            Feed(buffer.AsMemory(0, count), isOurs: false);
        }
        else
        {
            OnNothingReceived(count);
        }
    }

    private void OnNothingReceived(int result)
    {
        _isReadable = false;

        // A peer that has ended its half may still read our last words.
        if (result != Libc.TryAgain && !(result == 0 && _state == State.Closing))
        {
            Abort();
        }
    }

    /// <summary>Gives bytes to the session, and keeps what it leaves. Its answers leave together.</summary>
    private void Feed(Memory<byte> bytes, bool isOurs)
    {
        if (_state != State.Open || Session is null)
        {
            return;
        }

        Events.Cork.Owner = this;
        try
        {
            int taken = Session.OnReceived(bytes.Span);
            if (taken < bytes.Length && _state == State.Open)
            {
                _isReadingPaused = true;
                _unread = isOurs ? bytes[taken..] : bytes[taken..].ToArray();
            }

            SendCorked();
        }
        finally
        {
            // Whatever happened: nothing of this client may be sent to the next.
            Events.Cork.Clear();
            Events.Cork.Owner = null;
        }
    }

    private bool CanSend()
    {
        SendCorked();
        return _state == State.Open && !IsBlocked;
    }

    private void SendCorked()
    {
        var cork = Events.Cork;
        if (cork.Owner != this || cork.Gathered.IsEmpty)
        {
            return;
        }

        int sent = Libc.Send(Descriptor, cork.Gathered);
        if (HasSent(ref sent) && sent < cork.Gathered.Length)
        {
            Keep(cork.Gathered[sent..].ToArray());
        }

        cork.Clear();
    }

    /// <summary>Looks at the answer of a send. False: the connection is broken, and ends.</summary>
    private bool HasSent(ref int sent)
    {
        Events.CountSend();
        if (sent == Libc.TryAgain)
        {
            sent = 0;
        }
        else if (sent < 0)
        {
            Abort();
        }

        return sent >= 0;
    }

    private void Keep(ReadOnlyMemory<byte> rest)
    {
        _rest = rest;
        Block(isOpen: _state == State.Open);
    }

    private void OnKernelTakesMore()
    {
        if (!_rest.IsEmpty)
        {
            int sent = Libc.Send(Descriptor, _rest.Span);
            if (!HasSent(ref sent) || sent == 0)
            {
                return;
            }

            _rest = _rest[sent..];
            if (!_rest.IsEmpty)
            {
                Block(isOpen: _state == State.Open);
                return;
            }
        }

        IsBlocked = false;
        if (_state == State.Closing)
        {
            EndSending();
        }
        else if (_state == State.Answering)
        {
            OnAnswerTaken();
        }
        else if (_state == State.Open)
        {
            Session?.OnWritable();
        }
    }

    /// <summary>Everything was taken. The server closes first (RFC 6455 section 7.1.1).</summary>
    private void EndSending()
    {
        if (_lingers)
        {
            Libc.EndSending(Descriptor);
            _state = State.Lingering;
        }
        else
        {
            Abort();
        }
    }
}
