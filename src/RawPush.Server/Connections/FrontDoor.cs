using Microsoft.Extensions.Options;
using RawPush.Fanout.Publishing;
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
    HandshakeLimits limits,
    TrustedProxies proxies,
    UserIdentity users,
    SessionServices services,
    IOptions<RawPushOptions> options,
    ILogger<FrontDoor> logger)
{
    private readonly RequestHeadLimits _headLimits = options.Value.ToHeadLimits();
    private readonly bool _takesProxyHeaders = options.Value.ProxyProtocol;

    public ConnectionLoops Loops => loops;

    /// <summary>For a head that is not there in time.</summary>
    public Refusal LateRefusal => loops.IsDraining ? Refusal.Draining : Refusal.HeadTooLate;

    /// <summary>Where proxies say whom they forward for; null if none is believed.</summary>
    public ForwardedField? ForwardedField => proxies.IsEmpty ? null : options.Value.ForwardedField;

    /// <summary>Where proxies say whose request it is; null if none is believed.</summary>
    public byte[]? UserField => users.Field;

    public Handshake NewHandshake() => new(routes, _headLimits, ForwardedField, UserField);

    /// <summary>The connection has to begin with a PROXY header.</summary>
    public bool ExpectsProxyHeader(PushListener listener, ClientTransport transport) =>
        _takesProxyHeaders && listener.TakesProxyHeaders && proxies.Trusts(transport.FindPeer());

    /// <summary>Judges a request, and counts its connection in.</summary>
    /// <returns>Null if it is refused. One that is admitted must be let in with <see cref="LetIn"/>, or leave again with <see cref="Leave"/>.</returns>
    public PushPlan? Admit(ClientTransport transport, PushRequest request, PushListener listener, out Refusal? refusal)
    {
        var plan = admission.TryAdmit(request, listener.MayPublish, out refusal);
        refusal = plan is null ? refusal : TryEnter(transport, request, ref plan);
        return refusal is null ? plan : null;
    }

    /// <summary>Sees to it that what is published from now on reaches this node, whoever publishes it. Ends at once, unless another node has to be told. Null, or why not.</summary>
    public ValueTask<Refusal?> PrepareAsync(PushPlan plan)
    {
        var ready = services.Hub.Broker.PrepareAsync(plan.Channels, plan.Start);
        return ready.IsCompletedSuccessfully ? default : Await(ready);

        static async ValueTask<Refusal?> Await(Task ready)
        {
            try
            {
                await ready;
                return null;
            }
            catch (BusUnavailableException)
            {
                return Refusal.NoBus;
            }
        }
    }

    /// <summary>Makes the session, joins its channels and, unless there is one answer, writes the response head. One piece of the shard's work: no entry can come in between.</summary>
    /// <returns>Null if it is refused; it has left again. A session that is let in must be let out again with <see cref="LetOut"/>.</returns>
    public ClientSession? LetIn(ClientTransport transport, PushPlan plan, out Refusal? refusal)
    {
        ClientSession? session = null;
        refusal = loops.IsDraining ? Refusal.Draining : null;
        try
        {
            session = refusal is null ? Join(transport, plan) : null;
        }
        finally
        {
            if (session is null)
            {
                Leave(transport);
            }
        }

        refusal ??= session is null ? Refusal.TooManyChannels : null;
        return session;
    }

    /// <summary>Counts a connection in, for its client as well. Null, or why not. One that is in must leave again with <see cref="Leave"/>.</summary>
    /// <param name="transport">The connection.</param>
    /// <param name="request">What it asks for.</param>
    /// <param name="plan">How that is served; says afterwards for whom.</param>
    public Refusal? TryEnter(ClientTransport transport, PushRequest request, ref PushPlan plan)
    {
        if (loops.IsDraining)
        {
            return Refusal.Draining;
        }

        if (users.TryIdentify(transport, request, out string? user) is { } unidentified)
        {
            return unidentified;
        }

        plan = user is null ? plan : plan with { User = user };

        // Finding it out is a system call and a look at the list of proxies; remembering it is an object per connection.
        bool isTold = plan.WebSocket?.Handler is not null;
        var client = isTold || limits.Addresses is not null ? proxies.FindClient(transport.FindPeer(), request) : null;
        var refusal = limits.TryEnter(client, out var entry);
        if (isTold || refusal is not null)
        {
            OriginOf(transport).Client = client?.ToIPAddress();
        }

        if (entry is not null)
        {
            OriginOf(transport).Entry = entry;
        }

        refusal ??= TryEnterLoops();
        if (refusal is not null)
        {
            LeaveAddress(transport);
        }

        return refusal;
    }

    /// <summary>Counts it out again. Any thread.</summary>
    public void Leave(ClientTransport transport)
    {
        LeaveAddress(transport);
        loops.Leave();
    }

    private static ClientOrigin OriginOf(ClientTransport transport) => transport.Origin ??= new ClientOrigin();

    private void LeaveAddress(ClientTransport transport)
    {
        if (transport.Origin is { Entry: { } entry } origin)
        {
            origin.Entry = null;
            limits.Leave(entry);
        }
    }

    private ClientSession? Join(ClientTransport transport, PushPlan plan)
    {
        var session = plan.CreateSession(services, transport);
        if (!session.TryJoin(plan))
        {
            return null;
        }

        if (!plan.IsAnsweredOnce)
        {
            Span<byte> head = stackalloc byte[PushPlan.HeadBytesMax];
            transport.TryWrite(head[..plan.WriteResponseHead(head, session.PositionOf(plan), transport.Loop.Date)], default);
        }

        return session;
    }

    private Refusal? TryEnterLoops()
    {
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
    public void LetOut(ClientTransport transport, ClientSession session)
    {
        session.End(ConnectionEndReason.Fault);
        Leave(transport);
    }

    public void OnRefused(ClientTransport transport, Refusal refusal)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            object? client = transport.Origin?.Client ?? (object?)transport.FindPeer();
            Log.Refused(logger, transport.ConnectionId, client ?? TrustedProxies.Unix, refusal.StatusCode, refusal.Reason);
        }

        services.Metrics.HandshakeRefused(refusal);
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
        [LoggerMessage(100, LogLevel.Debug, "Connection {ConnectionId} of {Client} was refused with {StatusCode}: {Reason}.", EventName = "HandshakeRefused")]
        public static partial void Refused(ILogger logger, string connectionId, object client, int statusCode, string reason);

        [LoggerMessage(101, LogLevel.Error, "Connection {ConnectionId} was cut by an unhandled exception.", EventName = "HandshakeFault")]
        public static partial void Fault(ILogger logger, Exception exception, string connectionId);
    }
}
