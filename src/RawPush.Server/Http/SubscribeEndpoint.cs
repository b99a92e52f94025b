using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using RawPush.Server.Connections;
using RawPush.Server.Requests;
using RawPush.Server.Sessions;

namespace RawPush.Server.Http;

/// <summary>A subscription that reached Kestrel's HTTP server: the same admission and the same sessions, over the pipes of a request.</summary>
internal sealed class SubscribeEndpoint(ConnectionLoops loops, Admission admission, SessionServices services)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var plan = admission.TryAdmit(ReadRequest(context), context.MayPublish(), out var refusal);
        if (plan is not null && (loops.IsDraining || !loops.TryEnter()))
        {
            plan = null;
            refusal = loops.IsDraining ? Refusal.Draining : Refusal.TooManyConnections;
        }

        if (plan is null)
        {
            await context.RefuseAsync(refusal!);
            return;
        }

        try
        {
            await RunAsync(context, plan);
        }
        finally
        {
            loops.Leave();
        }
    }

    private static PushRequest ReadRequest(HttpContext context)
    {
        var request = new PushRequest();
        bool isHttp10 = HttpProtocol.IsHttp10(context.Request.Protocol);
        request.SetRequestLine(
            Encoding.ASCII.GetBytes(context.Request.Method), context.RawTarget(), isHttp10 ? Protocol.Http.HttpVersion.Http10 : Protocol.Http.HttpVersion.Http11);
        foreach (var (name, values) in context.Request.Headers)
        {
            byte[] nameBytes = Encoding.Latin1.GetBytes(name);
            foreach (string? value in values)
            {
                request.AddField(nameBytes, Encoding.Latin1.GetBytes(value ?? string.Empty));
            }
        }

        return request;
    }

    private async Task RunAsync(HttpContext context, PushPlan plan)
    {
        foreach (var (name, value) in plan.Fields())
        {
            context.Response.Headers[name] = value;
        }

        var pipes = plan.WebSocket is null ? await StartResponseAsync(context) : await UpgradeAsync(context);
        var loop = loops.Next();
        var transport = new PipeTransport(loop, pipes, context.TraceIdentifier, context.Abort, services.Timeouts);
        await loop.Shard.SwitchTo();
        transport.Open();
        var session = plan.CreateSession(services, transport);
        if (!session.TryJoin(plan.Channels))
        {
            session.End(ConnectionEndReason.Overloaded);
        }
        else if (loops.IsDraining)
        {
            // The goodbye to all came while the response was on its way to here.
            session.Drain();
        }

        await transport.RunAsync(session);
        transport.Leave();

        // Off the shard's turn: what follows is Kestrel's work.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
    }

    private static async Task<IDuplexPipe> StartResponseAsync(HttpContext context)
    {
        // Events are rare and late by nature: Kestrel's minimum rates would cut a quiet stream.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        await context.Response.StartAsync();
        await context.Response.BodyWriter.FlushAsync();

        // Not the request's body: it has none, so its reader would say at once that the client has left. The abort says so when it has.
        var input = new Pipe();
        context.RequestAborted.UnsafeRegister(static writer => ((PipeWriter)writer!).Complete(), input.Writer);
        return new DuplexPipe(input.Reader, context.Response.BodyWriter);
    }

    private static async Task<IDuplexPipe> UpgradeAsync(HttpContext context)
    {
        var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        return new DuplexPipe(
            PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true, useZeroByteReads: true)), PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));
    }

    private sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
