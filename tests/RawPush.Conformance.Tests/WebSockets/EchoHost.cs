using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>A server with an echo, for all cases of a class.</summary>
public sealed class EchoHost : IAsyncLifetime
{
    /// <summary>The limit of the second echo, for cases at the limit.</summary>
    public const int SmallMessageBytesMax = 1000;

    private const string SmallEcho = "/echo/small";

    internal PushHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Host = await PushHost.StartAsync(setup =>
        {
            // The suite is a client that sends more than one client may.
            setup.Options = options => options.ClientMessagesPerSecond = options.ClientBytesPerSecond = 0;
            setup.Handlers.Add((SmallEcho, new EchoHandler(), SmallMessageBytesMax));
        });

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    /// <summary>A raw client that has shaken hands with the address that the case is for.</summary>
    internal Task<RawClient> OpenAsync(WebSocketCase sample) =>
        Host.UpgradeAsync(sample.Target ?? (sample.MessageBytesMax == SmallMessageBytesMax ? SmallEcho : "/echo"));
}
