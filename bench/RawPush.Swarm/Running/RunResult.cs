using System.Text.Json.Serialization;
using RawPush.Swarm.Hostile;
using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Running;

/// <summary>What one run has measured. Figures that were not measured are left out.</summary>
internal sealed record RunResult
{
    public required string Name { get; init; }

    public required string Scenario { get; init; }

    public required string Started { get; init; }

    public required string Machine { get; init; }

    public required int Clients { get; init; }

    public required string Transport { get; init; }

    public RampFigures? Ramp { get; set; }

    public IdleFigures? Idle { get; set; }

    public LoadFigures? Load { get; set; }

    public EchoFigures? Echo { get; set; }

    public List<StormFigures> Storms { get; init; } = [];

    /// <summary>The first lie, in truth mode; "kept" if there was none.</summary>
    public string? Truth { get; set; }

    /// <summary>What clients that resume say.</summary>
    public Verdict? Verdict { get; set; }

    /// <summary>What has become of hostile peers, by behaviour; left out if there were none.</summary>
    public SortedDictionary<string, HostileCount>? Hostile { get; set; }

    public string? LastError { get; set; }
}

/// <summary>Opening all connections.</summary>
internal sealed record RampFigures(double Seconds, long Opened, long Failed, double CpuSeconds, double HandshakesPerCpuSecond);

/// <summary>All connections open, nothing published. Kernel bytes are of both ends of each connection.</summary>
internal sealed record IdleFigures(double RssBytesPerClient, double PssBytesPerClient, double KernelBytesPerClient, double Seconds, double CpuPercentOfCore);

/// <summary>Publishing. Busy: CPU time of the server, of the workers and of the whole machine, in per cent of one core.</summary>
internal sealed record LoadFigures
{
    public required long Published { get; init; }

    public required long Expected { get; init; }

    public required long Deliveries { get; init; }

    public required double Seconds { get; init; }

    public required double CpuSeconds { get; init; }

    public required double DeliveriesPerCpuSecond { get; init; }

    public required double MessagesPerRead { get; init; }

    /// <summary>All bytes that clients have received, heads and pings with them, without what is TCP's.</summary>
    public double WireBytesPerDelivery { get; init; }

    /// <summary>Messages that came deflated; left out unless clients offer it.</summary>
    public long? Inflated { get; init; }

    public required double P50Ms { get; init; }

    public required double P90Ms { get; init; }

    public required double P99Ms { get; init; }

    public required double MaxMs { get; init; }

    public required double PublisherLagMs { get; init; }

    public required double ServerBusyPercent { get; init; }

    public required double SwarmBusyPercent { get; init; }

    public required double MachineBusyPercent { get; init; }

    public required string Saturated { get; init; }
}

/// <summary>Each client sends a message, waits for it to come back, and sends the next.</summary>
internal sealed record EchoFigures(
    long RoundTrips, double Seconds, double CpuSeconds, double RoundTripsPerCpuSecond, double P50Ms, double P99Ms, double ServerBusyPercent, double SwarmBusyPercent);

/// <summary>All connections dropped at once, until the last is back.</summary>
internal sealed record StormFigures(double Seconds, double CpuSeconds, long Failed);

/// <summary>Results as JSON.</summary>
[JsonSerializable(typeof(RunResult))]
[JsonSerializable(typeof(List<RunResult>))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class ResultJson : JsonSerializerContext;
