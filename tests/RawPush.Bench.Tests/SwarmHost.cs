using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RawPush.Fanout.Publishing;
using RawPush.Server.Connections;
using RawPush.Server.Hosting;
using RawPush.Swarm.Clients;

namespace RawPush.Bench.Tests;

/// <summary>A push server in this process, whose tables and metrics a test can see, under a load from others.</summary>
internal sealed class SwarmHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly MeterListener _ends = new();
    private readonly Dictionary<string, long> _endsByReason = [];

    private SwarmHost(WebApplication app)
    {
        _app = app;
        var meters = app.Services.GetRequiredService<IMeterFactory>();
        _ends.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "rawpush.connections.ended" && instrument.Meter.Scope == meters)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _ends.SetMeasurementEventCallback<long>((_, value, tags, _) => Add(value, tags[0].Value!.ToString()!));
        _ends.Start();
    }

    public ConnectionLoops Loops => _app.Services.GetRequiredService<ConnectionLoops>();

    /// <summary>The public port and the internal one.</summary>
    public int[] Ports => [.. _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(address => new Uri(address).Port)];

    public long Ended(string? reason = null)
    {
        lock (_endsByReason)
        {
            return reason is null ? _endsByReason.Values.Sum() : _endsByReason.GetValueOrDefault(reason);
        }
    }

    public static async Task<SwarmHost> StartAsync(Action<RawPushOptions>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRawPush(options =>
        {
            options.Public = options.Internal = "127.0.0.1:0";
            configure?.Invoke(options);
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenRawPush());
        var app = builder.Build();
        app.MapRawPush();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new SwarmHost(app);
    }

    /// <summary>Runs a load in truth mode, which must be kept, and waits until the last client has left. Returns its result.</summary>
    public async Task<string> RunAsync(string load)
    {
        int[] ports = Ports;
        string[] arguments =
        [
            typeof(Payload).Assembly.Location, "run", "--port", Text(ports[0]), "--publish-port", Text(ports[1]), "--truth", "--settle", "0", "--no-warm-up", .. load.Split(' '),
        ];
        using var run = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string result = await run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(run.ExitCode == 0, result + await errors);
        Assert.Contains("\"truth\": \"kept\"", result, StringComparison.Ordinal);
        while (Loops.Count > 0)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        return result;
    }

    public Task PublishAsync(string channel, string text) => _app.Services.GetRequiredService<IPushPublisher>().PublishAsync(channel, text).AsTask();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _ends.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Add(long value, string reason)
    {
        lock (_endsByReason)
        {
            _endsByReason[reason] = _endsByReason.GetValueOrDefault(reason) + value;
        }
    }
}
