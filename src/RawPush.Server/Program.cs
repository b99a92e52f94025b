using RawPush.Server.Hosting;
using RawPush.Server.Http;

if (!RawPushCommandLine.TryRead(args, out var settings, out int exitCode))
{
    return exitCode;
}

var builder = WebApplication.CreateSlimBuilder();
builder.Configuration.AddInMemoryCollection(settings);
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);

// Its errors are starts that failed, with a stack trace; RunRawPushAsync says the same in a line. A background service that fails is Critical.
builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);

// Answered to whoever asks, and what is behind it is logged where it happens: not again with each question.
builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
builder.Services.AddSystemd();
builder.Services.AddRawPush();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenRawPush());

var app = builder.Build();
app.MapRawPush();
app.MapRawPushHealth();
app.MapLivePage();
return await app.RunRawPushAsync();
