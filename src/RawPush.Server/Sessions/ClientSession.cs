using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Formats;
using RawPush.Server.Connections;
using RawPush.Server.Requests;

namespace RawPush.Server.Sessions;

/// <summary>A client after its request was accepted: what it speaks, when it is pinged, and how it ends. Touched by its shard alone.</summary>
/// <remarks>It is its own subscriber, so that an idle client is two objects and its subscriptions.</remarks>
internal abstract partial class ClientSession : Subscriber
{
    private ReceiveBudget _budget;
    private bool _hasStayed;   // It is no poll, of which one follows the other.

    protected ClientSession(SessionServices services, ClientTransport transport, WireFormat format)
        : base(transport.Loop.Shard, format)
    {
        Services = services;
        Transport = transport;
        _budget = new ReceiveBudget(NowMs);
    }

    public ConnectionEndReason EndReason { get; private set; }

    protected bool HasEnded => EndReason != ConnectionEndReason.None;

    /// <summary>The client has sent more than it may, and is not read from until its time has paid for that.</summary>
    protected bool IsThrottled { get; private set; }

    protected SessionServices Services { get; }

    protected ClientTransport Transport { get; }

    protected ConnectionTimeouts Timeouts => Transport.Loop.Timeouts;

    protected long NowMs => Transport.Loop.NowMs;

    /// <summary>Subscribes to what the client asked for. False: the node is at its limit, and nothing was joined.</summary>
    public bool TryJoin(PushPlan plan) => plan.Channels.Length == 0 || TrySubscribe(Services.Hub, plan.Channels, plan.Start, plan.User);

    /// <summary>Where the client stands; nowhere if it subscribes to nothing.</summary>
    public MessageId PositionOf(PushPlan plan) => plan.Channels.Length == 0 ? default : Position;

    /// <summary>The response head has been written; from now on the session speaks.</summary>
    public void Start()
    {
        Services.Metrics.SessionStarted();

        // One that ended before it started has the deadline of its goodbye already.
        if (!HasEnded)
        {
            Begin();
        }
    }

    /// <summary>Takes bytes from the client and says how many; fewer than given means that it wants no more until it asks.</summary>
    public int OnReceived(Span<byte> bytes)
    {
        try
        {
            bool hadEnded = HasEnded;
            CountAsHeard();
            int taken = Receive(bytes);
            _budget.SpendBytes(taken);
            if (HasEnded && !hadEnded)
            {
                // What was read when the goodbye was said, and what it has inflated to, came before the goodbye, and that has forgiven it.
                _budget.ForgiveBytes();
            }

            ThrottleIfInDebt();
            return taken;
        }
        catch (Exception exception)
        {
            OnFault(exception);
            return bytes.Length;
        }
    }

    /// <summary>The transport is no longer blocked.</summary>
    public void OnWritable()
    {
        try
        {
            if (TryWritePending())
            {
                Resume();
            }
        }
        catch (Exception exception)
        {
            OnFault(exception);
        }
    }

    /// <summary>The time that <see cref="ScheduleTimer"/> was given has come.</summary>
    public void OnTimer(long nowMs)
    {
        try
        {
            if (HasEnded)
            {
                // The goodbye was not answered in time.
                Transport.Abort();
            }
            else if (Transport.IsBlocked && nowMs - Transport.BlockedSinceMs >= Timeouts.PeerMs)
            {
                End(ConnectionEndReason.IdleTimeout, "took nothing of what was sent");
            }
            else
            {
                ReadOnIfPaid(nowMs);
                KeepAlive(nowMs);
            }
        }
        catch (Exception exception)
        {
            OnFault(exception);
        }
    }

    /// <summary>The server is stopping. What publishers were promised before that goes out first.</summary>
    public void Drain()
    {
        try
        {
            DeliverNow();
            End(ConnectionEndReason.ServerDraining);
        }
        catch (Exception exception)
        {
            OnFault(exception);
        }
    }

    /// <summary>The stream has ended, or broke.</summary>
    public abstract void OnPeerClosed();

    /// <summary>The connection is gone; nothing follows. Called once, after <see cref="OnPeerClosed"/>.</summary>
    public virtual void OnClosed()
    {
        Services.Metrics.SessionEnded(EndReason);
        if (_hasStayed)
        {
            Transport.Loop.CountChange();
        }
    }

    /// <summary>Ends the session. The first reason wins; later ones change nothing.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="detail">The case at hand, as a sentence a client may read; null for the reason's own.</param>
    public void End(ConnectionEndReason reason, string? detail = null)
    {
        if (HasEnded)
        {
            return;
        }

        EndReason = reason;
        Unsubscribe();
        if (Services.Logger.IsEnabled(LogLevel.Debug))
        {
            Log.Ended(Services.Logger, Transport.ConnectionId, reason, detail ?? reason.Sentence());
        }

        if (reason.Manner() == EndManner.Cut)
        {
            Transport.Abort();
        }
        else
        {
            // The answer to the goodbye may stand behind what the client was to wait with. It gets another second's worth for that, and no more: the timer is the goodbye's now.
            _budget.Forgive();
            ReadOn();
            SayGoodbye(reason, detail ?? reason.Sentence());
        }
    }

    protected sealed override void OnLagged(ChannelFilter filter) => End(ConnectionEndReason.SlowConsumer);

    protected sealed override bool WriteGap(in GapNotice gap)
    {
        bool isTaken = TakeGap(gap);
        if (isTaken)
        {
            Services.Metrics.GapAnnounced(gap.Reason);
        }

        return isTaken;
    }

    /// <summary>Tells the client of a gap. False: blocked.</summary>
    protected virtual bool TakeGap(in GapNotice gap) => base.WriteGap(gap);

    /// <summary>The first things to do: a deadline, and what is to be sent from the past.</summary>
    protected virtual void Begin()
    {
        _hasStayed = true;
        Transport.Loop.CountChange();
        ScheduleTimer(NowMs + Timeouts.PingMs);
        BeginDelivery();
    }

    protected sealed override void OnFault(Exception exception)
    {
        Log.Fault(Services.Logger, exception, Transport.ConnectionId);
        try
        {
            End(ConnectionEndReason.Fault);
        }
        catch (Exception second)
        {
            // Whoever cannot even say goodbye must not take the loop with it.
            Log.Fault(Services.Logger, second, Transport.ConnectionId);
            Transport.Abort();
        }
    }

    private void KeepAlive(long nowMs)
    {
        long dueMs = CheckIdle(nowMs);
        if (HasEnded)
        {
            // The timer is the goodbye's now, or of the next request on the connection.
            return;
        }

        ScheduleTimer(dueMs);
        if (IsThrottled)
        {
            Transport.Loop.Timers.ScheduleNoLater(Transport, nowMs + _budget.DebtMs(Services.Limits));
        }

        if (Transport.IsBlocked)
        {
            Transport.Loop.Timers.ScheduleNoLater(Transport, Transport.BlockedSinceMs + Timeouts.PeerMs);
        }
    }

    /// <summary>A message or a control frame has come.</summary>
    protected void CountMessage() => _budget.SpendMessage();

    /// <summary>Bytes beyond those that were received, which the client is to pay for as well.</summary>
    protected void CountBytes(int count) => _budget.SpendBytes(count);

    /// <summary>When the client was last heard, or last had to be silent because it was not read from.</summary>
    protected long LastHeardMs => _budget.RefilledMs;

    /// <summary>Up to now the client could not be heard.</summary>
    protected void CountAsHeard() => _budget.Refill(NowMs, Services.Limits);

    /// <summary>The client was not read from for so long, because it has sent too much.</summary>
    protected virtual void OnPaused(long pausedMs)
    {
    }

    /// <summary>The client may send again.</summary>
    protected virtual void OnUnthrottled() => Transport.ResumeReading();

    private void ThrottleIfInDebt()
    {
        var exceeded = _budget.Exceeded(Services.Limits);
        if (exceeded == ClientLimit.None || IsThrottled)
        {
            return;
        }

        IsThrottled = true;
        Transport.PauseReading();
        Services.Metrics.ClientThrottled(exceeded);
        if (!HasEnded)
        {
            Transport.Loop.Timers.ScheduleNoLater(Transport, NowMs + _budget.DebtMs(Services.Limits));
        }
    }

    private void ReadOnIfPaid(long nowMs)
    {
        if (IsThrottled)
        {
            OnPaused(_budget.Refill(nowMs, Services.Limits));
            if (_budget.Exceeded(Services.Limits) == ClientLimit.None)
            {
                ReadOn();
            }
        }
    }

    private void ReadOn()
    {
        if (IsThrottled)
        {
            IsThrottled = false;
            OnUnthrottled();
        }
    }

    protected void ScheduleTimer(long dueMs) => Transport.Loop.Timers.Schedule(Transport, dueMs);

    protected abstract int Receive(Span<byte> bytes);

    /// <summary>Writes what waited for the transport. False: it is blocked again.</summary>
    protected abstract bool TryWritePending();

    /// <summary>Pings if the client was silent for long, ends it if it was silent for too long, and says when to look again.</summary>
    protected abstract long CheckIdle(long nowMs);

    /// <summary>Tells the client why, as its transport can, and closes.</summary>
    protected abstract void SayGoodbye(ConnectionEndReason reason, string sentence);

    private static partial class Log
    {
        // Debug: clients come and go all day long. 200-299 belong to sessions.
        [LoggerMessage(200, LogLevel.Debug, "Connection {ConnectionId} ended: {Reason} ({Detail}).", EventName = "SessionEnded")]
        public static partial void Ended(ILogger logger, string connectionId, ConnectionEndReason reason, string detail);

        [LoggerMessage(201, LogLevel.Error, "Connection {ConnectionId} was ended by an unhandled exception.", EventName = "SessionFault")]
        public static partial void Fault(ILogger logger, Exception exception, string connectionId);
    }
}
