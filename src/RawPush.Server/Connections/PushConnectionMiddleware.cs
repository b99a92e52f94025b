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

    private enum HeadOutcome
    {
        /// <summary>A push request, whole and sound.</summary>
        Ours,

        /// <summary>Ours or not, it cannot be served; the refusal says why.</summary>
        Refused,

        /// <summary>Not ours: for the next middleware.</summary>
        Foreign,

        /// <summary>Nobody is there to be answered.</summary>
        Gone,
    }

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

        var request = new PushRequest();
        var (outcome, refusal) = await ReadHeadAsync(transport, request);
        switch (outcome)
        {
            case HeadOutcome.Ours:
                await ServeAsync(transport, request, listener);
                break;
            case HeadOutcome.Refused:
                await RefuseAsync(transport, refusal!);
                break;
            case HeadOutcome.Foreign:
                transport.Leave();

                // Off the shard's turn: what follows is Kestrel's work.
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                await next(connection);
                return;
        }

        transport.LeaveUnderDeadline();
    }

    /// <summary>Reads until the request line says whose it is, and on to the end of the head if it is ours. Ends on the shard.</summary>
    private async ValueTask<(HeadOutcome Outcome, Refusal? Refusal)> ReadHeadAsync(PipeTransport transport, PushRequest request)
    {
        var handler = new PushHeadHandler(request, routes);
        var parser = new RequestHeadParser(_headLimits);
        long examined = 0;
        while (true)
        {
            var (result, isAlive) = await ReadAsync(transport);
            var buffer = result.Buffer;
            if (!isAlive)
            {
                return (HeadOutcome.Gone, null);
            }

            if (transport.IsClosing)
            {
                transport.Input.AdvanceTo(buffer.End);
                return buffer.IsEmpty ? (HeadOutcome.Gone, null) : (HeadOutcome.Refused, LateRefusal);
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
                return (HeadOutcome.Foreign, null);
            }

            return Conclude(transport.Input, status, parser, buffer);
        }
    }

    private Refusal LateRefusal => loops.IsDraining ? Refusal.Draining : Refusal.HeadTooLate;

    private static (HeadOutcome Outcome, Refusal? Refusal) Conclude(
        PipeReader input, HeadStatus status, in RequestHeadParser parser, in System.Buffers.ReadOnlySequence<byte> buffer)
    {
        // After a refused head nothing says where the next byte belongs.
        input.AdvanceTo(status == HeadStatus.Done ? buffer.GetPosition(parser.BytesConsumed) : buffer.End);
        return status switch
        {
            HeadStatus.Done => (HeadOutcome.Ours, null),
            HeadStatus.Refused => (HeadOutcome.Refused, new Refusal(parser.Refusal.StatusCode, parser.Refusal.Reason)),
            _ => (HeadOutcome.Gone, null),
        };
    }

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

    private Task ServeAsync(PipeTransport transport, PushRequest request, PushListener listener)
    {
        var plan = admission.TryAdmit(request, listener.MayPublish, out var refusal);
        if (plan is null)
        {
            return RefuseAsync(transport, refusal!);
        }

        if (loops.IsDraining)
        {
            return RefuseAsync(transport, Refusal.Draining);
        }

        return loops.TryEnter() ? RunAsync(transport, plan) : RefuseAsync(transport, Refusal.TooManyConnections);
    }

    private async Task RunAsync(PipeTransport transport, PushPlan plan)
    {
        try
        {
            // Joined before the head is written, while a refusal is still possible; no entry can come in between, because this is one piece of the shard's work.
            var session = plan.CreateSession(services, transport);
            if (!session.TryJoin(plan.Channels))
            {
                await RefuseAsync(transport, Refusal.TooManyChannels);
                return;
            }

            transport.TryWrite(plan.ToResponseHead(), default);
            await transport.RunAsync(session);
        }
        finally
        {
            loops.Leave();
        }
    }

    private Task RefuseAsync(PipeTransport transport, Refusal refusal)
    {
        Log.Refused(logger, transport.ConnectionId, refusal.StatusCode, refusal.Reason);
        return transport.RefuseAsync(refusal.ToResponse());
    }

    private static partial class Log
    {
        // Debug: what clients do wrong is their business. 100-199 belong to handshakes.
        [LoggerMessage(100, LogLevel.Debug, "Connection {ConnectionId} was refused with {StatusCode}: {Reason}.", EventName = "HandshakeRefused")]
        public static partial void Refused(ILogger logger, string connectionId, int statusCode, string reason);
    }
}
