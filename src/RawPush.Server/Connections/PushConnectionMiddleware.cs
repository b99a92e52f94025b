using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using RawPush.Protocol.Http;
using RawPush.Server.Hosting;
using RawPush.Server.Requests;
using RawPush.Server.Sessions;

namespace RawPush.Server.Connections;

/// <summary>The front door: reads the head of a connection's first request, serves it if it is a push, and otherwise hands the connection on untouched.</summary>
internal sealed partial class PushConnectionMiddleware(
    ConnectionLoops loops,
    PushRoutes routes,
    Admission admission,
    SessionServices services,
    IOptions<RawPushOptions> options,
    ILogger<PushConnectionMiddleware> logger)
{
    private readonly RequestHeadLimits _headLimits = options.Value.ToHeadLimits();

    public async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate next, PushListener listener)
    {
        connection.Features.Set(listener);
        var loop = loops.Next();
        var transport = new PipeTransport(loop, connection.Transport, connection.ConnectionId, connection.Abort, services.Timeouts);
        await loop.Shard.SwitchTo();
        transport.Open();
        if (loops.IsDraining)
        {
            // Listeners are closed last, and the goodbye to all has passed this one by.
            transport.Drain();
        }

        bool isForeign = await ServeAsync(transport, listener);
        await loop.Shard.SwitchTo();
        if (isForeign)
        {
            transport.Leave();
        }
        else
        {
            transport.LeaveUnderDeadline();
        }

        // Off the shard's turn: what follows is Kestrel's work.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (isForeign)
        {
            await next(connection);
        }
    }

    /// <summary>Serves the connection to its end. True: its request is not ours, and nothing of it was consumed.</summary>
    private async ValueTask<bool> ServeAsync(PipeTransport transport, PushListener listener)
    {
        try
        {
            var decision = await DecideAsync(transport, listener);
            await transport.Loop.Shard.SwitchTo();
            if (decision.Session is not null)
            {
                await RunAsync(transport, decision.Session);
            }
            else if (decision.Refusal is not null)
            {
                await RefuseAsync(transport, decision.Refusal);
            }

            return decision.IsForeign;
        }
        catch (Exception exception)
        {
            // The top of a connection: a bug of ours ends this one, and leaves nothing of it behind.
            Log.Fault(logger, exception, transport.ConnectionId);
            await transport.Loop.Shard.SwitchTo();
            transport.Abort();
            return false;
        }
    }

    /// <summary>Reads until the request line says whose it is, and on to the end of the head if it is ours. What was read is let go of with the decision:
    /// an idle client keeps nothing of its head.</summary>
    private async ValueTask<Decision> DecideAsync(PipeTransport transport, PushListener listener)
    {
        var request = new PushRequest();
        var handler = new PushHeadHandler(request, routes);
        var parser = new RequestHeadParser(_headLimits);
        long examined = 0;
        while (true)
        {
            var (result, isAlive) = await ReadAsync(transport);
            var buffer = result.Buffer;
            if (!isAlive)
            {
                return Decision.Gone;
            }

            if (transport.IsClosing)
            {
                transport.Input.AdvanceTo(buffer.End);
                return buffer.IsEmpty ? Decision.Gone : new Decision(LateRefusal);
            }

            var status = parser.Parse(buffer, ref handler);
            if (status == HeadStatus.NeedMore && !result.IsCompleted)
            {
                transport.Input.AdvanceTo(buffer.Start, buffer.End);
                examined = buffer.Length;
                continue;
            }

            bool isForeign = status == HeadStatus.Declined || (status != HeadStatus.Done && !parser.HasRequestLine && !PushRoutes.LooksOurs(buffer));
            if (isForeign)
            {
                // Nothing consumed, and no more examined than before, so that the next reader gets all of it at once.
                transport.Input.AdvanceTo(buffer.Start, buffer.GetPosition(examined));
                return Decision.Foreign;
            }

            // After a refused head nothing says where the next byte belongs.
            transport.Input.AdvanceTo(status == HeadStatus.Done ? buffer.GetPosition(parser.BytesConsumed) : buffer.End);
            return status switch
            {
                HeadStatus.Done => Admit(transport, request, listener),
                HeadStatus.Refused => new Decision(new Refusal(parser.Refusal.StatusCode, parser.Refusal.Reason) { LeavesBytes = true }),
                _ => Decision.Gone,
            };
        }
    }

    private Refusal LateRefusal => loops.IsDraining ? Refusal.Draining : Refusal.HeadTooLate;

    private static async ValueTask<(ReadResult Result, bool IsAlive)> ReadAsync(PipeTransport transport)
    {
        try
        {
            var result = await transport.Input.ReadAsync();
            await transport.Loop.Shard.SwitchTo();
            return (result, true);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            await transport.Loop.Shard.SwitchTo();
            return (default, false);
        }
    }

    /// <summary>Makes the session, joins its channels and writes the response head. One piece of the shard's work: no entry can come in between.</summary>
    private Decision Admit(PipeTransport transport, PushRequest request, PushListener listener)
    {
        var plan = admission.TryAdmit(request, listener.MayPublish, out var refusal);
        if (plan is null)
        {
            return new Decision(refusal!);
        }

        if (loops.IsDraining)
        {
            return new Decision(Refusal.Draining);
        }

        if (!loops.TryEnter())
        {
            return new Decision(Refusal.TooManyConnections);
        }

        var session = plan.CreateSession(services, transport);
        if (!session.TryJoin(plan.Channels))
        {
            loops.Leave();
            return new Decision(Refusal.TooManyChannels);
        }

        transport.TryWrite(plan.ToResponseHead(), default);
        return new Decision(session);
    }

    private async Task RunAsync(PipeTransport transport, ClientSession session)
    {
        try
        {
            await transport.RunAsync(session);
        }
        finally
        {
            // Ended already, unless something threw; then it must not stay subscribed.
            await transport.Loop.Shard.SwitchTo();
            session.End(ConnectionEndReason.Fault);
            loops.Leave();
        }
    }

    private Task RefuseAsync(PipeTransport transport, Refusal refusal)
    {
        Log.Refused(logger, transport.ConnectionId, refusal.StatusCode, refusal.Reason);
        services.Metrics.HandshakeRefused(refusal.StatusCode);
        return transport.RefuseAsync(refusal.ToResponse(), refusal.LeavesBytes);
    }

    /// <summary>What becomes of a connection: a session, a refusal, the next middleware, or nothing.</summary>
    private readonly record struct Decision(ClientSession? Session, Refusal? Refusal, bool IsForeign)
    {
        public static readonly Decision Foreign = new(null, null, true);

        /// <summary>Nobody is there to be answered.</summary>
        public static readonly Decision Gone = new(null, null, false);

        public Decision(ClientSession session)
            : this(session, null, false)
        {
        }

        public Decision(Refusal refusal)
            : this(null, refusal, false)
        {
        }
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
