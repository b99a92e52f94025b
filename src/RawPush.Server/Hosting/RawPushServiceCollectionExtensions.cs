using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.ObjectPool;
using Microsoft.Extensions.Options;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Fanout.Brokers.Nats.JetStream;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;
using RawPush.Fanout.Publishing;
using RawPush.Protocol.WebSockets.Deflate;
using RawPush.Server.Connections;
using RawPush.Server.Health;
using RawPush.Server.Hosting;
using RawPush.Server.Http;
using RawPush.Server.Requests;
using RawPush.Server.Sessions;
using RawPush.Server.Transport;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the push server to a host.</summary>
public static class RawPushServiceCollectionExtensions
{
    /// <summary>Registers the push server, <see cref="IPushPublisher"/> and <see cref="IPresence"/>. What the host has registered before – a <see cref="TimeProvider"/>, an
    /// <see cref="IBroker"/> – is used. Settings come from section <c>RawPush</c> and are checked at start.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Changes to the settings, after the configuration was read.</param>
    public static IServiceCollection AddRawPush(this IServiceCollection services, Action<RawPushOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<RawPushOptions>()
            .BindConfiguration(RawPushOptions.SectionName, binder => binder.ErrorOnUnknownConfiguration = true)
            .ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        // As long a queue of waiting connections as the kernel allows (net.core.somaxconn): after a restart all clients come at once.
        services.Configure<SocketTransportOptions>(transport => transport.Backlog = 65_535);
        // Kestrel's own first, as Kestrel itself would: it is asked last, and takes what ours does not.
        services.TryAddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, LoopListenerFactory>());
        services.AddMetrics();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RawPushOptions>, RawPushOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(CreateBroker);
        services.TryAddSingleton(CreateHub);
        services.TryAddSingleton<IPushPublisher>(provider => new PushPublisher(
            provider.GetRequiredService<ChannelHub>(), provider.GetRequiredService<IOptions<RawPushOptions>>().Value.MessageBytesMax));
        services.TryAddSingleton<IPresence, ClusterPresence>();
        services.TryAddSingleton<RawPushMetrics>();
        services.TryAddSingleton<ConnectionLoops>();
        services.TryAddSingleton<TrustedProxies>();
        services.TryAddSingleton<UserIdentity>();
        services.TryAddSingleton<HandshakeLimits>();
        services.TryAddSingleton<PushRoutes>();
        services.TryAddSingleton<Admission>();
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<RawPushOptions>>().Value.ToTimeouts());
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<RawPushOptions>>().Value.ToClientLimits());
        services.TryAddSingleton(provider => (ObjectPool<MessageInflater>)new DefaultObjectPool<MessageInflater>(new InflaterPolicy(), provider.GetRequiredService<IOptions<RawPushOptions>>().Value.Shards));
        services.TryAddSingleton<SessionServices>();
        services.TryAddSingleton<FrontDoor>();
        services.TryAddSingleton<PushConnectionMiddleware>();
        services.TryAddSingleton<PublishEndpoint>();
        services.TryAddSingleton<BatchPublisher>();
        services.TryAddSingleton<ChannelsEndpoint>();
        services.TryAddSingleton<PresenceEndpoint>();
        services.TryAddSingleton<SubscribeEndpoint>();
        services.AddHealthChecks();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<HealthCheckServiceOptions>, RawPushHealthChecks>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, RawPushLifetime>());
        return services;
    }

    private static IBroker CreateBroker(IServiceProvider provider)
    {
        var settings = provider.GetRequiredService<IOptions<RawPushOptions>>().Value.Nats;
        var time = provider.GetRequiredService<TimeProvider>();
        if (!settings.IsUsed)
        {
            return new InProcessBroker(time);
        }

        var log = new BusLog(provider.GetRequiredService<ILogger<BusBroker>>());
        return settings.JetStream.Use ? new JetStreamBroker(settings, log, time) : new NatsBroker(settings, log, time);
    }

    private static ChannelHub CreateHub(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<RawPushOptions>>().Value;
        var hub = new ChannelHub(options.ToChannelLimits(), provider.GetRequiredService<IBroker>(), options.Shards, provider.GetRequiredService<TimeProvider>());
        hub.Broker.Attach(hub);
        return hub;
    }
}
