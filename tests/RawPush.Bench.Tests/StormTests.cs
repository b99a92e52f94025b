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
using RawPush.Server.Connections;
using RawPush.Swarm.Clients;

namespace RawPush.Bench.Tests;

/// <summary>A full process whose clients are all dropped at once and come back, again and again: nothing of them stays behind.</summary>
[Collection(nameof(TheWholeHeap))]
public sealed class StormTests
{
    private const int Clients = 18_000;
    private const int Storms = 5;

    [Fact]
    public async Task Storms_leave_no_descriptor_no_memory_and_one_reason_each()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRawPush(options => options.Public = options.Internal = "127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenRawPush());
        await using var app = builder.Build();
        app.MapRawPush();
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var ends = new EndCounter(app.Services.GetRequiredService<IMeterFactory>());
        var loops = app.Services.GetRequiredService<ConnectionLoops>();
        int[] ports = [.. app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(address => new Uri(address).Port)];

        await RunAsync(ports, storms: 0);
        var (descriptors, heap) = await MeasureAsync(loops);
        await RunAsync(ports, Storms);
        var (descriptorsAfter, heapAfter) = await MeasureAsync(loops);

        Assert.Equal((1 + 1 + Storms) * Clients, ends.InAll);
        Assert.Equal(ends.InAll, ends.ByReason.Values.Sum());
        Assert.All(loops.All, loop => Assert.Equal(0, loop.Count));

        // The runtime's own come and go: timers, a connection of Kestrel's. A leak of one in a thousand clients would be more.
        Assert.InRange(descriptorsAfter - descriptors, int.MinValue, Clients / 1000);
        Assert.InRange(heapAfter - heap, long.MinValue, 100_000);
    }

    private static async Task RunAsync(int[] ports, int storms)
    {
        string[] arguments =
        [
            typeof(Payload).Assembly.Location, "run", "--port", Text(ports[0]), "--publish-port", Text(ports[1]), "--clients", Text(Clients), "--processes", "2",
            "--rate", "1", "--load", "1", "--truth", "--storms", Text(storms), "--settle", "0", "--no-warm-up",
        ];
        using var run = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string result = await run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(run.ExitCode == 0, result + await errors);
        Assert.Contains("\"truth\": \"kept\"", result, StringComparison.Ordinal);
    }

    /// <summary>Descriptors and heap, when the last client has left.</summary>
    private static async Task<(int Descriptors, long HeapBytes)> MeasureAsync(ConnectionLoops loops)
    {
        while (loops.Count > 0)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        return (Directory.GetFiles("/proc/self/fd").Length, IdleConnectionTests.LiveBytes());
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class EndCounter : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Lock _lock = new();

        public EndCounter(IMeterFactory meters)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "rawpush.connections.ended" && instrument.Meter.Scope == meters)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) => Add(value, tags[0].Value!.ToString()!));
            _listener.Start();
        }

        public long InAll { get; private set; }

        public Dictionary<string, long> ByReason { get; } = [];

        public void Dispose() => _listener.Dispose();

        private void Add(long value, string reason)
        {
            lock (_lock)
            {
                InAll += value;
                ByReason[reason] = ByReason.GetValueOrDefault(reason) + value;
            }
        }
    }
}
