using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using RawPush.Protocol;
using RawPush.Protocol.Proxy;
using RawPush.Server.Requests;
using RawPush.Server.Sessions;

namespace RawPush.Server.Connections;

/// <summary>The way in behind other middleware, such as TLS, and on transports other than our own: reads the head of a connection's first request from
/// its pipes, serves it if it is a push, and otherwise hands the connection on untouched. Polls go on as well: over pipes, Kestrel's HTTP server keeps their
/// connections better than we would.</summary>
internal sealed class PushConnectionMiddleware(FrontDoor door)
{
    public async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate next, PushListener listener)
    {
        connection.Features.Set(listener);
        var loop = door.Loops.Next();
        var transport = new PipeTransport(loop, connection.ConnectionId, connection.Abort) { Peer = HostAddress.From((connection.RemoteEndPoint as IPEndPoint)?.Address) };
        await loop.Shard.SwitchTo();
        transport.Open();
        transport.Connect(connection.Transport);
        if (door.Loops.IsDraining)
        {
            // Listeners are closed last, and the goodbye to all has passed this one by.
            transport.Drain();
        }

        bool isForeign = await ServeAsync(connection, transport, listener);
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
    private async ValueTask<bool> ServeAsync(ConnectionContext connection, PipeTransport transport, PushListener listener)
    {
        try
        {
            // Behind TLS the header would have come before it.
            bool awaitsHeader = door.ExpectsProxyHeader(listener, transport) && connection.Features.Get<ITlsHandshakeFeature>() is null;
            var decision = (awaitsHeader ? await TakeProxyHeaderAsync(connection, transport) : null) ?? await DecideAsync(transport, listener);
            await transport.Loop.Shard.SwitchTo();
            if (decision.Session is not null)
            {
                await RunAsync(transport, decision.Session);
            }
            else if (decision.Refusal is not null)
            {
                door.OnRefused(transport, decision.Refusal);
                await transport.RefuseAsync(decision.Refusal.ToResponse(transport.Loop.Date, decision.IsHead), decision.Refusal.LeavesBytes);
            }

            return decision.IsForeign;
        }
        catch (Exception exception)
        {
            await transport.Loop.Shard.SwitchTo();
            door.OnFault(transport, exception);
            return false;
        }
    }

    /// <summary>Reads the PROXY header and makes the connection come from whom it names, for the next middleware as well. Null: it is done.</summary>
    private async ValueTask<Decision?> TakeProxyHeaderAsync(ConnectionContext connection, PipeTransport transport)
    {
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
                return buffer.IsEmpty ? Decision.Gone : new Decision(door.LateRefusal, isHead: false);
            }

            switch (TryReadHeader(buffer, out var header))
            {
                case ReadStatus.Done:
                    transport.Input.AdvanceTo(buffer.GetPosition(header.Length));
                    SetPeer(connection, transport, header);
                    return null;
                case ReadStatus.NeedMore when !result.IsCompleted:
                    transport.Input.AdvanceTo(buffer.Start, buffer.End);
                    break;
                case ReadStatus.NeedMore:
                    transport.Input.AdvanceTo(buffer.End);
                    return Decision.Gone;
                default:
                    transport.Input.AdvanceTo(buffer.End);
                    return new Decision(Refusal.BadProxyHeader, isHead: false);
            }
        }
    }

    private static ReadStatus TryReadHeader(in ReadOnlySequence<byte> buffer, out ProxyHeader header)
    {
        if (buffer.IsSingleSegment)
        {
            return ProxyHeaderReader.TryRead(buffer.FirstSpan, out header);
        }

        Span<byte> bytes = stackalloc byte[(int)Math.Min(buffer.Length, ProxyHeaderReader.BytesMax)];
        buffer.Slice(0, bytes.Length).CopyTo(bytes);
        return ProxyHeaderReader.TryRead(bytes, out header);
    }

    private static void SetPeer(ConnectionContext connection, PipeTransport transport, ProxyHeader header)
    {
        if (header.Source is { } source)
        {
            transport.Peer = source;
            connection.RemoteEndPoint = new IPEndPoint(source.ToIPAddress(), header.SourcePort);
        }
    }

    /// <summary>Reads until the request line says whose it is, and on to the end of the head if it is ours. What was read is let go of with the decision:
    /// an idle client keeps nothing of its head.</summary>
    private async ValueTask<Decision> DecideAsync(PipeTransport transport, PushListener listener)
    {
        var handshake = door.NewHandshake();
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
                return buffer.IsEmpty ? Decision.Gone : new Decision(door.LateRefusal, handshake.IsHead);
            }

            switch (handshake.Judge(buffer, result.IsCompleted))
            {
                case HeadVerdict.NeedMore:
                    transport.Input.AdvanceTo(buffer.Start, buffer.End);
                    examined = buffer.Length;
                    break;
                case HeadVerdict.Ours when handshake.Request.IsAnsweredOnce && handshake.Request.IsChannel:
                case HeadVerdict.Foreign:
                    // Nothing consumed, and no more examined than before, so that the next reader gets all of it at once.
                    transport.Input.AdvanceTo(buffer.Start, buffer.GetPosition(examined));
                    return Decision.Foreign;
                case HeadVerdict.Ours:
                    transport.Input.AdvanceTo(buffer.GetPosition(handshake.HeadBytes));
                    return await LetInAsync(transport, handshake, listener);
                case HeadVerdict.Refused:
                    transport.Input.AdvanceTo(buffer.End);
                    return new Decision(handshake.Refusal, handshake.IsHead);
                default:
                    transport.Input.AdvanceTo(buffer.End);
                    return Decision.Gone;
            }
        }
    }

    private async ValueTask<Decision> LetInAsync(PipeTransport transport, Handshake handshake, PushListener listener)
    {
        var plan = door.Admit(transport, handshake.Request, listener, out var refusal);
        if (plan is null)
        {
            return new Decision(refusal!, handshake.IsHead);
        }

        refusal = await door.PrepareAsync(plan);
        await transport.Loop.Shard.SwitchTo();
        if (refusal is not null)
        {
            door.Leave(transport);
            return new Decision(refusal, handshake.IsHead);
        }

        var session = door.LetIn(transport, plan, out refusal);
        return session is null ? new Decision(refusal!, handshake.IsHead) : new Decision(session);
    }

    private static async ValueTask<(ReadResult Result, bool IsAlive)> ReadAsync(PipeTransport transport)
    {
        try
        {
            var result = await transport.Input.ReadAsync();
            await transport.Loop.Shard.SwitchTo();
            return (result, true);
        }
        catch (Exception exception) when (PipeTransport.IsOfTheEdge(exception))
        {
            await transport.Loop.Shard.SwitchTo();
            return (default, false);
        }
    }

    private async Task RunAsync(PipeTransport transport, ClientSession session)
    {
        try
        {
            await transport.RunAsync(session);
        }
        finally
        {
            await transport.Loop.Shard.SwitchTo();
            door.LetOut(transport, session);
        }
    }

    /// <summary>What becomes of a connection: a session, a refusal, the next middleware, or nothing.</summary>
    private readonly record struct Decision(ClientSession? Session, Refusal? Refusal, bool IsHead, bool IsForeign)
    {
        public static readonly Decision Foreign = new(null, null, false, true);

        /// <summary>Nobody is there to be answered.</summary>
        public static readonly Decision Gone = new(null, null, false, false);

        public Decision(ClientSession session)
            : this(session, null, false, false)
        {
        }

        public Decision(Refusal refusal, bool isHead)
            : this(null, refusal, isHead, false)
        {
        }
    }
}
