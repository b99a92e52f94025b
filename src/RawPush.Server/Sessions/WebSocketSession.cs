using System.Net;
using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Protocol;
using RawPush.Protocol.WebSockets;
using RawPush.Protocol.WebSockets.Deflate;
using RawPush.Server.Connections;
using RawPush.Server.Messages;
using RawPush.Server.Requests;

namespace RawPush.Server.Sessions;

/// <summary>A WebSocket client after its opening handshake (RFC 6455): frames in, entries and replies out, pings, and the closing handshake.</summary>
/// <remarks>
/// Entries wait in their channel's log, at the cursor. What has no log – replies and control frames – waits in <see cref="_waiting"/>, which exists
/// only while the transport is blocked. A connection with a handler reads nothing while its replies wait, so a client that sends and does not read stops
/// itself; one without a handler sends at most control frames, and of those only the last pong is kept (section 5.5.3).
/// </remarks>
internal sealed class WebSocketSession : ClientSession, IClientConnection
{
    private readonly IClientMessageHandler? _handler;
    private MessageReader _reader;
    private WaitingFrames? _waiting;
    private CloseStatus _closeEcho;
    private int _postedBytes;
    private int _waitingBytes;
    private int _heldBytes;
    private uint _pingedMs;     // These two in the low half of the loop's clock.
    private uint _begunMs;      // Since when what is unfinished in the reader has been on its way.
    private bool _awaitsWord;   // Pinged, and nothing has come since. Not told by the times: the answer comes within the same tick of the clock.
    private bool _isHandling;
    private bool _isReadingPaused;
    private bool _ignoresInput;

    public WebSocketSession(SessionServices services, ClientTransport transport, WireFormat format, WebSocketPlan plan)
        : base(services, transport, format)
    {
        _handler = plan.Handler;
        _reader = new MessageReader(plan.MessageBytesMax, plan.MessageFragmentsMax, takesCompressed: plan.Extension is not null);
    }

    public string ConnectionId => Transport.ConnectionId;

    /// <summary>Room for the longest message and as much again, so that any message can be echoed.</summary>
    private int ReplyBytesMax => (int)Math.Min(2L * _reader.MessageBytesMax + FrameHeaderWriter.BytesMax, int.MaxValue);

    public IPAddress? RemoteAddress => Transport.Origin?.Client;

    private static ReadOnlySpan<byte> EmptyPing => [0x89, 0x00];

    public bool TrySend(MessageKind kind, ReadOnlySpan<byte> payload) =>
        Shard.IsCurrent ? TrySendHere(kind, payload) : TryPost(kind, payload);

    // Without a Close frame there was no goodbye.
    public override void OnPeerClosed() => End(ConnectionEndReason.ClientGone);

    public override void OnClosed()
    {
        _reader.Release();
        _waiting?.Release();
        _waiting = null;
        CountHeldBytes();
        base.OnClosed();
    }

    protected override int Write(ReadOnlySpan<byte[]> forms) => _waiting is null ? Transport.Write(forms) : 0;

    // The raw format has no place for a notice: the connection ends, and the client, which has no ids, decides what to do about it.
    protected override bool TakeGap(in GapNotice gap)
    {
        if (!Format.IsRaw())
        {
            return base.TakeGap(gap);
        }

        End(ConnectionEndReason.Missed, $"you missed messages after {gap.From} ({gap.Reason.ToString().ToLowerInvariant()})");
        return true;
    }

    protected override int Receive(Span<byte> bytes)
    {
        _awaitsWord = false;
        if (_ignoresInput)
        {
            return bytes.Length;
        }

        if (_isReadingPaused)
        {
            return 0;
        }

        if (_reader.IsIdle)
        {
            _begunMs = NowMsLow;
        }

        var inbound = new Inbound(this);
        var status = _reader.Read(bytes, ref inbound, out int consumed);
        CountHeldBytes();
        if (!_reader.IsIdle && !HasEnded)
        {
            Transport.Loop.Timers.ScheduleNoLater(Transport, CheckProgress(NowMs));
        }

        switch (status)
        {
            case MessageReadStatus.Violation:
                _ignoresInput = true;
                End(ConnectionEndReasons.OfViolation(_reader.ViolationStatus), _reader.ViolationReason);
                CloseUnlessGoodbyeWaits();
                return bytes.Length;
            case MessageReadStatus.Closed:
                _ignoresInput = true;
                return bytes.Length;
            default:
                return consumed;
        }
    }

    protected override bool TryWritePending()
    {
        if (_waiting is not null)
        {
            var waiting = _waiting;
            _waiting = null;
            Volatile.Write(ref _waitingBytes, 0);
            waiting.WriteTo(Transport);
            if (_awaitsWord)
            {
                // The ping was among it: only now can the client answer.
                _pingedMs = NowMsLow;
            }

            waiting.Release();
            CountHeldBytes();
            if (waiting.HasClose)
            {
                AfterCloseFrame();
            }
        }

        ResumeReadingIfReady();
        return !Transport.IsBlocked;
    }

    protected override long CheckIdle(long nowMs)
    {
        long progressDueMs = CheckProgress(nowMs);
        return HasEnded ? nowMs : Math.Min(progressDueMs, CheckSilence(nowMs));
    }

    /// <summary>Ends a client whose message does not get on, and says when to look again.</summary>
    /// <remarks>Only payload counts, and only the end of a message – or of a control frame outside of one – begins a new count: empty fragments and pings within a message win nothing.
    /// While a handler works nothing is unfinished; time in which the client was throttled is taken out by <see cref="OnPaused"/>.</remarks>
    private long CheckProgress(long nowMs)
    {
        if (IsThrottled || _reader.IsIdle)
        {
            return long.MaxValue;
        }

        uint passedMs = unchecked((uint)nowMs - _begunMs);
        long msMax = Services.Limits.MessageMsMax(_reader.BufferedBytes);
        if (passedMs > msMax)
        {
            End(ConnectionEndReason.MessageTooSlow);
        }

        // Behind the last moment that is allowed, not at it.
        return msMax == long.MaxValue ? long.MaxValue : nowMs + msMax - passedMs + 1;
    }

    private long CheckSilence(long nowMs)
    {
        var timeouts = Timeouts;
        if (nowMs - LastHeardMs < timeouts.PingMs)
        {
            return LastHeardMs + timeouts.PingMs;
        }

        // While a handler works we read nothing, so the silence is ours. The ping keeps proxies content, and finds a client that has gone.
        if (_waiting is not null)
        {
            // What waits says more than a ping whether the client takes anything, and a pong among it must not be replaced.
            return nowMs + timeouts.PingMs;
        }

        if (_isHandling || !_awaitsWord)
        {
            _pingedMs = NowMsLow;
            _awaitsWord = true;
            SendControl(EmptyPing);
        }
        else if (SincePingMs >= timeouts.PeerMs)
        {
            End(ConnectionEndReason.IdleTimeout, "did not answer a ping");
        }

        // Who has answered by then is due for the next ping after the interval, which may be the shorter of the two.
        return nowMs + Math.Min(timeouts.PeerMs - SincePingMs, timeouts.PingMs);
    }

    protected override void OnPaused(long pausedMs) => _begunMs += unchecked((uint)pausedMs);

    protected override void OnUnthrottled()
    {
        if (!_isReadingPaused)
        {
            Transport.ResumeReading();
        }
    }

    protected override void SayGoodbye(ConnectionEndReason reason, string sentence)
    {
        if (reason == ConnectionEndReason.ClientClosed)
        {
            SendClose(_closeEcho, default);
            return;
        }

        Span<byte> text = stackalloc byte[ClosePayload.ReasonBytesMax];
        Encoding.UTF8.TryGetBytes(sentence, text, out int length);
        SendClose(reason.CloseStatus(), text[..length]);
    }

    private void SendClose(CloseStatus status, ReadOnlySpan<byte> reason)
    {
        Span<byte> frame = stackalloc byte[ClosePayload.FrameBytesMax];
        int length = ClosePayload.WriteFrame(frame, status, reason);
        ScheduleTimer(NowMs + Timeouts.CloseMs);
        if (_waiting is null && Transport.TryWrite(frame[..length], default))
        {
            AfterCloseFrame();
        }
        else
        {
            (_waiting ??= new WaitingFrames()).SetClose(frame[..length]);
        }
    }

    /// <summary>Our Close frame is out. Unless the client's is still to come, the stream ends now: the server closes first (section 7.1.1).</summary>
    private void AfterCloseFrame()
    {
        if (_ignoresInput || EndReason.Manner() == EndManner.SayAndClose)
        {
            // Behind a violation there may be more bytes, and nobody reads them; behind a Close frame there are none.
            Transport.Close(lingers: EndReason.Manner() == EndManner.SayAndClose && EndReason != ConnectionEndReason.ClientClosed);
        }
    }

    /// <summary>For a violation that comes while we wait for the client's half of the closing handshake: it will not come any more.</summary>
    private void CloseUnlessGoodbyeWaits()
    {
        if (_waiting is null)
        {
            Transport.Close(lingers: true);
        }
    }

    private long SincePingMs => unchecked(NowMsLow - _pingedMs);

    private uint NowMsLow => unchecked((uint)NowMs);

    /// <summary>A message or control frame is complete. Outside of a message, what follows is a new beginning.</summary>
    private void CountFrame()
    {
        CountMessage();
        if (!_reader.IsInMessage)
        {
            _begunMs = NowMsLow;
        }
    }

    private void CountHeldBytes()
    {
        int held = _reader.BufferedBytes + (_waiting?.ReplyBytes ?? 0);
        Transport.Loop.CountHeldBytes(held - _heldBytes);
        _heldBytes = held;
    }

    private void SendControl(ReadOnlySpan<byte> frame)
    {
        if (HasEnded)
        {
            return;
        }

        if (_waiting is not null || !Transport.TryWrite(frame, default))
        {
            (_waiting ??= new WaitingFrames()).SetControl(frame);
        }
    }

    private bool TrySendHere(MessageKind kind, ReadOnlySpan<byte> payload)
    {
        if (HasEnded)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[FrameHeaderWriter.BytesMax];
        int length = FrameHeaderWriter.Write(header, kind == MessageKind.Text ? Opcode.Text : Opcode.Binary, payload.Length);
        if (_waiting is null && Transport.TryWrite(header[..length], payload))
        {
            return true;
        }

        bool isTaken = (_waiting ??= new WaitingFrames()).TryAdd(header[..length], payload, ReplyBytesMax);
        Volatile.Write(ref _waitingBytes, _waiting.ReplyBytes);
        CountHeldBytes();
        return isTaken;
    }

    private bool TryPost(MessageKind kind, ReadOnlySpan<byte> payload)
    {
        int size = payload.Length + FrameHeaderWriter.BytesMax;
        if (HasEnded)
        {
            return false;
        }

        // What waits for the client counts as well, or we would promise what only the end of the connection can answer for.
        if ((long)Interlocked.Add(ref _postedBytes, size) + Volatile.Read(ref _waitingBytes) > ReplyBytesMax)
        {
            Interlocked.Add(ref _postedBytes, -size);
            return false;
        }

        byte[] copy = payload.ToArray();
        Shard.Post(() =>
        {
            if (!TrySendHere(kind, copy) && !HasEnded)
            {
                // It was promised, and a handler took the room. A client for whom a promise cannot be kept is ended rather than left with a hole.
                End(ConnectionEndReason.SlowConsumer);
            }

            // Last, so that in between it counts twice rather than not at all.
            Interlocked.Add(ref _postedBytes, -size);
        });
        return true;
    }

    private bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload)
    {
        if (HasEnded)
        {
            return true;
        }

        if (_handler is null)
        {
            End(ConnectionEndReason.UnsupportedData);
            return true;
        }

        var handling = CallHandler(_handler, kind, payload);
        if (handling.IsCompletedSuccessfully)
        {
            handling.GetAwaiter().GetResult();
        }
        else
        {
            _isHandling = true;
            _ = HandleAwaited(handling);
        }

        _isReadingPaused = IsBusy;
        return !_isReadingPaused;
    }

    private ValueTask CallHandler(IClientMessageHandler handler, MessageKind kind, ReadOnlySpan<byte> payload)
    {
        try
        {
            return handler.OnMessageAsync(this, kind, payload);
        }
        catch (Exception exception)
        {
            // The same as one that fails later: the bytes behind the message are still to be read, a Close among them.
            return ValueTask.FromException(exception);
        }
    }

    /// <summary>The next message must wait: for the handler, or for the client to take its replies.</summary>
    private bool IsBusy => _isHandling || _waiting is not null || Transport.IsBlocked;

    private async Task HandleAwaited(ValueTask handling)
    {
        Exception? fault = null;
        try
        {
            await handling;
        }
        catch (Exception exception)
        {
            fault = exception;
        }

        await Shard.SwitchTo();
        _isHandling = false;
        CountAsHeard();
        if (fault is not null)
        {
            OnFault(fault);
        }

        ResumeReadingIfReady();
    }

    private void ResumeReadingIfReady()
    {
        if (_isReadingPaused && (HasEnded || !IsBusy))
        {
            _isReadingPaused = false;
            if (!IsThrottled)
            {
                Transport.ResumeReading();
            }
        }
    }

    private void OnPing(ReadOnlySpan<byte> payload)
    {
        Span<byte> frame = stackalloc byte[FrameHeaderWriter.BytesMax + ClosePayload.BytesMax];
        int header = FrameHeaderWriter.Write(frame, Opcode.Pong, payload.Length);
        payload.CopyTo(frame[header..]);
        SendControl(frame[..(header + payload.Length)]);
    }

    private void OnClose(CloseStatus status)
    {
        _ignoresInput = true;
        if (HasEnded)
        {
            // The answer to our Close frame – or, if that is still waiting to be taken, a goodbye that crossed it.
            if (_waiting is null)
            {
                Transport.Close(lingers: false);
            }

            return;
        }

        _closeEcho = status;
        End(ConnectionEndReason.ClientClosed);
    }

    /// <summary>What the reader finds, on its way to the session.</summary>
    private readonly struct Inbound(WebSocketSession session) : IMessageHandler
    {
        public bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload)
        {
            session.CountFrame();
            return session.OnMessage(kind, payload);
        }

        public bool OnPing(ReadOnlySpan<byte> payload)
        {
            session.CountFrame();
            session.OnPing(payload);
            return true;
        }

        public bool OnPong(ReadOnlySpan<byte> payload)
        {
            session.CountFrame();
            return true;
        }

        public void OnClose(CloseStatus status, ReadOnlySpan<byte> reason) => session.OnClose(status);

        public MessageInflater RentInflater() => session.Services.Inflaters.Get();

        public void ReturnInflater(MessageInflater inflater)
        {
            // A few bytes can become many, and it is those that take the time.
            session.CountBytes(inflater.InflatedBytes);
            session.Services.Inflaters.Return(inflater);
        }
    }
}
