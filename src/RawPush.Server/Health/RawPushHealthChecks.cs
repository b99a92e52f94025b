using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using RawPush.Fanout.Brokers;
using RawPush.Server.Connections;
using RawPush.Server.Hosting;

namespace RawPush.Server.Health;

/// <summary>Adds the push server's checks to those of the application. Once, however often the push server is added.</summary>
internal sealed class RawPushHealthChecks : IConfigureOptions<HealthCheckServiceOptions>
{
    /// <summary>The tag of checks that a process fails only if it has to be restarted.</summary>
    public const string LiveTag = "live";

    public void Configure(HealthCheckServiceOptions options)
    {
        Add(options, "rawpush.loops", static services => new LoopsCheck(services.GetRequiredService<ConnectionLoops>()), LiveTag);
        Add(options, "rawpush.bus", static services => new BusCheck(
            services.GetRequiredService<IBroker>(), services.GetRequiredService<IOptions<RawPushOptions>>().Value.Nats.Readiness));
        Add(options, "rawpush.stop", static services => new StopCheck(services.GetRequiredService<ConnectionLoops>(), services.GetRequiredService<IHostApplicationLifetime>()));
    }

    private static void Add(HealthCheckServiceOptions options, string name, Func<IServiceProvider, IHealthCheck> create, params string[] tags) =>
        options.Registrations.Add(new HealthCheckRegistration(name, create, failureStatus: null, tags));
}
