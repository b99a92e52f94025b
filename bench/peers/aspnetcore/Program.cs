// ASP.NET Core's own WebSockets and event streams, as one would write them by hand: a set of subscribers per channel, a message encoded
// once, a loop of sends. Arguments: PORT.

using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.WebSockets;
using AspNetCorePeer;

int port = int.Parse(args[0], CultureInfo.InvariantCulture);
var channels = new ConcurrentDictionary<string, Channel>();

var builder = WebApplication.CreateBuilder();
builder.Logging.ClearProviders();
builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
builder.WebHost.UseSockets(static sockets => sockets.Backlog = 4096);

var app = builder.Build();
app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(30), KeepAliveTimeout = TimeSpan.FromSeconds(30) });

app.MapGet("/ws/{channel}", async (string channel, HttpContext context) =>
{
    using var socket = await context.WebSockets.AcceptWebSocketAsync();
    var subscriber = new WebSocketSubscriber(socket);
    var subscribers = channels.GetOrAdd(channel, static _ => new Channel());
    subscribers.Add(subscriber);
    try
    {
        await ReceiveAsync(socket, echo: false);
    }
    finally
    {
        subscribers.Remove(subscriber);
    }
});

app.MapGet("/echo", static async (HttpContext context) =>
{
    using var socket = await context.WebSockets.AcceptWebSocketAsync();
    await ReceiveAsync(socket, echo: true);
});

app.MapGet("/sse/{channel}", async (string channel, HttpContext context) =>
{
    context.Response.ContentType = "text/event-stream";
    context.Response.Headers.CacheControl = "no-cache";
    await context.Response.Body.FlushAsync();

    var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    using var registration = context.RequestAborted.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), gone);
    var subscriber = new EventStreamSubscriber(context);
    var subscribers = channels.GetOrAdd(channel, static _ => new Channel());
    subscribers.Add(subscriber);
    await gone.Task;
    subscribers.Remove(subscriber);
});

app.MapPost("/pub/{channel}", async (string channel, HttpRequest request) =>
{
    using var body = new MemoryStream();
    await request.Body.CopyToAsync(body);
    if (channels.TryGetValue(channel, out var subscribers))
    {
        subscribers.Send(new Message(body.ToArray()));
    }

    return Results.NoContent();
});

using var heartbeat = new Timer(
    static state =>
    {
        foreach (var (_, channel) in (ConcurrentDictionary<string, Channel>)state!)
        {
            channel.SendHeartbeat();
        }
    },
    channels,
    TimeSpan.FromSeconds(30),
    TimeSpan.FromSeconds(30));

app.Run($"http://127.0.0.1:{port}");

// A receive of no bytes waits without a buffer, so that idle clients hold none.
static async Task ReceiveAsync(WebSocket socket, bool echo)
{
    try
    {
        while (true)
        {
            var arrived = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            if (arrived.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                return;
            }

            byte[] buffer = ArrayPool<byte>.Shared.Rent(4096);
            try
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (echo && received.MessageType != WebSocketMessageType.Close)
                {
                    await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, CancellationToken.None);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
    catch (Exception gone) when (gone is WebSocketException or OperationCanceledException)
    {
        // Clients leave without goodbye.
    }
}
