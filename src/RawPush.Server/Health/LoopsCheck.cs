using Microsoft.Extensions.Diagnostics.HealthChecks;
using RawPush.Server.Connections;

namespace RawPush.Server.Health;

/// <summary>Every loop turns: it has answered what it is asked every second.</summary>
internal sealed class LoopsCheck(ConnectionLoops loops) : IHealthCheck
{
    // Far beyond any turn; a process that is starved for so long is of no use to its clients either.
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(10);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(Check());

    private HealthCheckResult Check()
    {
        var silent = loops.All.MaxBy(loop => loop.Silence)!;
        var silence = silent.Silence;
        return silence < SilenceMax
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy($"event loop {silent.Shard.Index} has not turned for {(long)silence.TotalSeconds} s");
    }
}
