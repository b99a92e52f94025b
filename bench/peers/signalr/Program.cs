// SignalR's JSON protocol over WebSocket, groups as channels. Arguments: PORT.

using System.Globalization;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;

int port = int.Parse(args[0], CultureInfo.InvariantCulture);

var builder = WebApplication.CreateBuilder();
builder.Logging.ClearProviders();
builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
builder.WebHost.UseSockets(static sockets => sockets.Backlog = 4096);
builder.Services.AddSignalR(static hub =>
{
    hub.KeepAliveInterval = TimeSpan.FromSeconds(30);
    hub.ClientTimeoutInterval = TimeSpan.FromSeconds(60); // twice the other, as documented
});

var app = builder.Build();
app.MapHub<PushHub>("/hub", static options => options.Transports = HttpTransportType.WebSockets);
app.MapPost("/pub/{channel}", static async (string channel, HttpRequest request, IHubContext<PushHub> hub) =>
{
    using var reader = new StreamReader(request.Body);
    await hub.Clients.Group(channel).SendAsync("m", await reader.ReadToEndAsync());
    return Results.NoContent();
});
app.Run($"http://127.0.0.1:{port}");

internal sealed class PushHub : Hub
{
    public Task Join(string channel) => Groups.AddToGroupAsync(Context.ConnectionId, channel);

    public Task Echo(string text) => Clients.Caller.SendAsync("m", text);
}
