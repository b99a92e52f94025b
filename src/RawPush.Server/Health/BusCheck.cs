using Microsoft.Extensions.Diagnostics.HealthChecks;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Brokers.Nats;

namespace RawPush.Server.Health;

/// <summary>Messages come from the other nodes and go to them, or the node may do without.</summary>
internal sealed class BusCheck(IBroker broker, BusReadiness readiness) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(broker.Trouble switch
    {
        null => HealthCheckResult.Healthy(),
        var trouble when readiness == BusReadiness.Ignored => HealthCheckResult.Degraded(trouble),
        var trouble => HealthCheckResult.Unhealthy(trouble),
    });
}
