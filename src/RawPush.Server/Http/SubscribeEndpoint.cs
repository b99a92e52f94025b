using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using RawPush.Fanout.Channels;
using RawPush.Protocol.Http;
using RawPush.Protocol.Proxy;
using RawPush.Server.Connections;
using RawPush.Server.Requests;
using RawPush.Server.Sessions;

namespace RawPush.Server.Http;

/// <summary>A subscription that reached Kestrel's HTTP server: the same admission and the same sessions, over the pipes of a request.</summary>
internal sealed class SubscribeEndpoint(FrontDoor door, Admission admission, SessionServices services)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (!RequestTarget.TryParse(context.RawTarget(), out _))
        {
            // Kestrel is more generous than we are: control characters, fragments.
            await RefuseAsync(context, CreateRequestTransport(context), Refusal.BadTarget);
            return;
        }

        var request = ReadRequest(context);
        var plan = admission.TryAdmit(request, context.MayPublish(), out var refusal);
        if (plan is null)
        {
            await RefuseAsync(context, CreateRequestTransport(context), refusal!);
        }
        else if (!plan.IsAnsweredOnce)
        {
            var transport = new PipeTransport(door.Loops.Next(), context.TraceIdentifier, context.Abort) { Peer = PeerOf(context) };
            await EnterAsync(context, transport, request, plan, entered => RunAsync(context, entered, transport));
        }
        else
        {
            var transport = CreateRequestTransport(context);
            await EnterAsync(context, transport, request, plan, entered => AnswerOnceAsync(context, entered, transport));
        }
    }

    /// <summary>Kestrel, or a middleware of the application, says who it is; a PROXY header has been read before them.</summary>
    private static HostAddress? PeerOf(HttpContext context) => HostAddress.From(context.Connection.RemoteIpAddress);

    private RequestTransport CreateRequestTransport(HttpContext context) => new(door.Loops.Next(), context.TraceIdentifier, PeerOf(context));

    private async Task EnterAsync(HttpContext context, ClientTransport transport, PushRequest request, PushPlan plan, Func<PushPlan, Task> serve)
    {
        if (door.TryEnter(transport, request, ref plan) is { } refusal)
        {
            await RefuseAsync(context, transport, refusal);
            return;
        }

        try
        {
            if (await door.PrepareAsync(plan) is { } unprepared)
            {
                await RefuseAsync(context, transport, unprepared);
            }
            else
            {
                await serve(plan);
            }
        }
        finally
        {
            door.Leave(transport);
        }
    }

    private Task RefuseAsync(HttpContext context, ClientTransport transport, Refusal refusal)
    {
        door.OnRefused(transport, refusal);
        return context.RefuseAsync(refusal);
    }

    private PushRequest ReadRequest(HttpContext context)
    {
        var request = new PushRequest { ForwardedField = door.ForwardedField, UserField = door.UserField };
        bool isHttp10 = HttpProtocol.IsHttp10(context.Request.Protocol);
        request.SetRequestLine(
            Encoding.ASCII.GetBytes(context.Request.Method), context.RawTarget(), isHttp10 ? Protocol.Http.HttpVersion.Http10 : Protocol.Http.HttpVersion.Http11);
        foreach (var (name, values) in context.Request.Headers)
        {
            byte[] nameBytes = Encoding.Latin1.GetBytes(name);
            foreach (string? value in values)
            {
                // Kestrel reads UTF-8 out of them.
                request.AddField(nameBytes, Encoding.UTF8.GetBytes(value ?? string.Empty));
            }
        }

        return request;
    }

    private async Task RunAsync(HttpContext context, PushPlan plan, PipeTransport transport)
    {
        var session = await JoinAsync(transport, plan);
        if (session is null)
        {
            await RefuseAsync(context, transport, Refusal.TooManyChannels);
            return;
        }

        try
        {
            var pipes = await StartAsync(context, plan, session.PositionOf(plan));
            await transport.Loop.Shard.SwitchTo();
            transport.Connect(pipes);
            await transport.RunAsync(session);
        }
        finally
        {
            // Ended already, unless the client left before its response had begun.
            await transport.Loop.Shard.SwitchTo();
            session.End(ConnectionEndReason.ClientGone);
            transport.Leave();

            // Off the shard's turn, also with an exception: what follows is Kestrel's work.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
    }

    /// <summary>Joins before the response begins: who has seen its head gets what is published from then on. Null: the node is at its limit.</summary>
    private async ValueTask<ClientSession?> JoinAsync(PipeTransport transport, PushPlan plan)
    {
        await transport.Loop.Shard.SwitchTo();
        transport.Open();
        var session = plan.CreateSession(services, transport);
        bool hasJoined = session.TryJoin(plan);
        if (!hasJoined)
        {
            transport.Leave();
        }
        else
        {
            transport.Attach(session);
            if (door.Loops.IsDraining)
            {
                // The goodbye to all has passed this one by.
                session.Drain();
            }
        }

        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return hasJoined ? session : null;
    }

    /// <summary>A poll, or a HEAD: parked as a subscriber, like those on sockets of ours, until there is an answer.</summary>
    private async Task AnswerOnceAsync(HttpContext context, PushPlan plan, RequestTransport transport)
    {
        await transport.Loop.Shard.SwitchTo();
        var session = plan.CreateSession(services, transport);
        if (!session.TryJoin(plan))
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await RefuseAsync(context, transport, Refusal.TooManyChannels);
            return;
        }

        PollAnswer? answer;
        using (context.RequestAborted.UnsafeRegister(static transport => ((RequestTransport)transport!).Leave(), transport))
        {
            answer = await transport.RunAsync(session, door.Loops.IsDraining);
        }

        if (answer is not null)
        {
            await AnswerAsync(context, answer);
        }
        else
        {
            context.Abort();
        }
    }

    private static async Task AnswerAsync(HttpContext context, PollAnswer answer)
    {
        context.Response.StatusCode = answer.StatusCode;
        foreach (var (name, value) in answer.Fields)
        {
            context.Response.Headers[name] = value;
        }

        context.Response.ContentLength = answer.ContentLength;
        if (!answer.Body.IsEmpty)
        {
            await context.Response.Body.WriteAsync(answer.Body, context.RequestAborted);
        }
    }

    private static Task<IDuplexPipe> StartAsync(HttpContext context, PushPlan plan, MessageId position)
    {
        foreach (var (name, value) in plan.Fields(position))
        {
            context.Response.Headers[name] = value;
        }

        return plan.WebSocket is null ? StartResponseAsync(context, plan, position) : UpgradeAsync(context);
    }

    private static async Task<IDuplexPipe> StartResponseAsync(HttpContext context, PushPlan plan, MessageId position)
    {
        // Events are rare and late by nature: Kestrel's minimum rates would cut a quiet stream.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        await context.Response.StartAsync();
        var output = context.Response.BodyWriter;
        output.Advance(plan.WriteFirstBytes(output.GetSpan(PushPlan.HeadBytesMax), position));
        await output.FlushAsync();

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
