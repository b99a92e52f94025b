using RawPush.Swarm.Running;

namespace RawPush.Swarm.Comparing;

/// <summary>A figure of the table: where it comes from and how it is written.</summary>
/// <param name="File">Name of its chart.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Scenario">The scenario it is taken from.</param>
/// <param name="Read">Takes it from a result; null if the result does not have it.</param>
/// <param name="Format">How it is written.</param>
internal sealed record Figure(string File, string Title, string Scenario, Func<RunResult, double?> Read, string Format = "#,##0")
{
    /// <summary>All figures, in the order of the table.</summary>
    public static readonly Figure[] All =
    [
        new("rss-ws", "bytes of RSS per idle WebSocket client", "broadcast-5", result => result.Idle?.RssBytesPerClient),
        new("rss-sse", "bytes of RSS per idle SSE client", "sse-5", result => result.Idle?.RssBytesPerClient),
        new("kernel-ws", "kernel bytes per WebSocket connection, both ends", "broadcast-5", result => result.Idle?.KernelBytesPerClient),
        new("handshakes", "WebSocket handshakes per CPU-second", "broadcast-5", result => result.Ramp?.HandshakesPerCpuSecond),
        new("idle-cpu", "CPU of the idle WebSocket clients, % of a core", "broadcast-5", result => result.Idle?.CpuPercentOfCore, "0.0"),
        new("deliveries-5", "deliveries per CPU-second, 5 msg/s to all", "broadcast-5", result => result.Load?.DeliveriesPerCpuSecond),
        new("p99-5", "p99 of those, ms", "broadcast-5", result => result.Load?.P99Ms, "#,##0.0"),
        new("sse-5", "the same over SSE, deliveries per CPU-second", "sse-5", result => result.Load?.DeliveriesPerCpuSecond),
        new("deliveries-20", "deliveries per CPU-second, 20 msg/s to all", "broadcast-20", result => result.Load?.DeliveriesPerCpuSecond),
        new("p99-20", "p99 of those, ms", "broadcast-20", result => result.Load?.P99Ms, "#,##0.0"),
        new("channels", "deliveries per CPU-second, 1,000 channels", "channels", result => result.Load?.DeliveriesPerCpuSecond),
        new("channels-p99", "p99 of those, ms", "channels", result => result.Load?.P99Ms, "#,##0.0"),
        new("thousand", "deliveries per CPU-second, 100 msg/s to 1,000", "thousand", result => result.Load?.DeliveriesPerCpuSecond),
        new("thousand-p99", "p99 of those, ms", "thousand", result => result.Load?.P99Ms, "#,##0.0"),
        new("echo", "64-byte echoes per CPU-second", "echo", result => result.Echo?.RoundTripsPerCpuSecond),
    ];

    /// <summary>Deliveries per CPU-second, which a server that merges messages flatters.</summary>
    public bool IsOfDelivery => Title.Contains("deliveries", StringComparison.Ordinal);

    /// <summary>The median over the rounds of one server; null if it was not measured.</summary>
    public double? Median(IEnumerable<RunResult> results, string name)
    {
        double[] values = [.. results.Where(result => result.Name == name && result.Scenario == Scenario).Select(Read).OfType<double>().Order()];
        return values.Length == 0 ? null : (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}
