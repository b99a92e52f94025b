using Microsoft.Extensions.Options;
using RawPush.Protocol.Http;
using RawPush.Server.Hosting;
using RawPush.Server.Requests;
using RawPush.Server.Sessions;

namespace RawPush.Server.Connections;

/// <summary>Lets connections in or not, whoever reads their heads: the event loops from their sockets, the middleware from pipes.</summary>
internal sealed partial class FrontDoor(
    ConnectionLoops loops,
    PushRoutes routes,
    Admission admission,
    SessionServices services,
    IOptions<RawPushOptions> options,
    ILogger<FrontDoor> logger)
{
    private readonly RequestHeadLimits _headLimits = options.Value.ToHeadLimits();

    public ConnectionLoops Loops => loops;

    /// <summary>For a head that is not there in time.</summary>
    public Refusal LateRefusal => loops.IsDraining ? Refusal.Draining : Refusal.HeadTooLate;

    public Handshake NewHandshake() => new(routes, _headLimits);

    /// <summary>Makes the session, joins its channels and, unless there is one answer, writes the response head. One piece of the shard's work: no entry can come in between.</summary>
    /// <returns>Null if it is refused. A session that is let in must be let out again with <see cref="LetOut"/>.</returns>
    public ClientSession? LetIn(ClientTransport transport, PushRequest request, PushListener listener, out Refusal? refusal)
    {
        var plan = admission.TryAdmit(request, listener.MayPublish, out refusal);
        if (plan is null)
        {
            return null;
        }

        refusal = TryEnter();
        if (refusal is not null)
        {
            return null;
        }

        var session = plan.CreateSession(services, transport);
        if (!session.TryJoin(plan))
        {
            loops.Leave();
            refusal = Refusal.TooManyChannels;
            return null;
        }

        if (!plan.IsAnsweredOnce)
        {
            Span<byte> head = stackalloc byte[PushPlan.HeadBytesMax];
            transport.TryWrite(head[..plan.WriteResponseHead(head, session.PositionOf(plan), transport.Loop.Date)], default);
        }

        return session;
    }

    /// <summary>Counts a connection in. Null, or why not.</summary>
    public Refusal? TryEnter()
    {
        if (loops.IsDraining)
        {
            return Refusal.Draining;
        }

        if (!loops.TryEnter())
        {
            return Refusal.TooManyConnections;
        }

        if (loops.IsDraining)
        {
            // Meanwhile: whoever waits for all to leave may have counted without us.
            loops.Leave();
            return Refusal.Draining;
        }

        return null;
    }

    /// <summary>The connection of a session is over. Whatever has not ended the session by now was a bug; it must not stay subscribed.</summary>
    public void LetOut(ClientSession session)
    {
        session.End(ConnectionEndReason.Fault);
        loops.Leave();
    }

    public void OnRefused(ClientTransport transport, Refusal refusal)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            Log.Refused(logger, transport.ConnectionId, refusal.StatusCode, refusal.Reason);
        }

        services.Metrics.HandshakeRefused(refusal.StatusCode);
    }

    /// <summary>A bug of ours, at the top of a connection: it ends that one, and leaves nothing of it behind.</summary>
    public void OnFault(ClientTransport transport, Exception exception)
    {
        Log.Fault(logger, exception, transport.ConnectionId);
        transport.Abort();
    }

    private static partial class Log
    {
        // Debug: what clients do wrong is their business. 100-199 belong to handshakes.
        [LoggerMessage(100, LogLevel.Debug, "Connection {ConnectionId} was refused with {StatusCode}: {Reason}.", EventName = "HandshakeRefused")]
        public static partial void Refused(ILogger logger, string connectionId, int statusCode, string reason);

        [LoggerMessage(101, LogLevel.Error, "Connection {ConnectionId} was cut by an unhandled exception.", EventName = "HandshakeFault")]
        public static partial void Fault(ILogger logger, Exception exception, string connectionId);
    }
}
