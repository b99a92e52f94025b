using RawPush.Sample.Backend;
using RawPush.Server.Hosting;

// A backend with the push server inside: its own HTTP API, its own publisher, and an answer to what clients send.
if (!RawPushCommandLine.TryRead(args, out var settings, out int exitCode))
{
    return exitCode;
}

var builder = WebApplication.CreateSlimBuilder();
builder.Configuration.AddInMemoryCollection(settings);
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);

// Its errors are starts that failed, with a stack trace; RunRawPushAsync says the same in a line. A background service that fails is Critical.
builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
builder.Services.AddRawPush();
builder.Services.AddClientMessageHandler<EchoHandler>("/echo", messageBytesMax: 16 * 1024 * 1024);
builder.Services.AddHostedService<ClockPublisher>();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenRawPush());

var app = builder.Build();
app.MapRawPush();
app.MapGet("/hello", context => context.Response.WriteAsync("hello from ASP.NET Core\n"));
return await app.RunRawPushAsync();
