using Microsoft.Extensions.Diagnostics.HealthChecks;
using RawPush.Server.Connections;

namespace RawPush.Server.Health;

/// <summary>The server is not about to stop. It is, from the moment that it is told to: before its clients are said goodbye to, and its listeners closed.</summary>
internal sealed class StopCheck(ConnectionLoops loops, IHostApplicationLifetime lifetime) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(loops.IsDraining || lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("the server is stopping") : HealthCheckResult.Healthy());
}
