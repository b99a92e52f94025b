using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>A server with an echo, for all cases of a class.</summary>
public class EchoHost : IAsyncLifetime
{
    /// <summary>The limit of the second echo, for cases at the limit.</summary>
    public const int SmallMessageBytesMax = 1000;

    /// <summary>What browsers offer.</summary>
    internal const string Offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

    private const string SmallEcho = "/echo/small";

    internal PushHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Host = await PushHost.StartAsync(setup =>
        {
            setup.Options = Configure;
            setup.Handlers.Add((SmallEcho, new EchoHandler(), SmallMessageBytesMax));
        });

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A raw client that has shaken hands with the address that the case is for.</summary>
    internal async Task<RawClient> OpenAsync(WebSocketCase sample)
    {
        var client = await Host.ConnectAsync();
        await client.SendAsync(Heads.Upgrade(sample.Target ?? (sample.MessageBytesMax == SmallMessageBytesMax ? SmallEcho : "/echo"), sample.IsCompressed ? Offer : string.Empty));
        string head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Equal(sample.IsCompressed, RawClient.FieldOf(head, "Sec-WebSocket-Extensions") is not null);
        return client;
    }

    // The suite is a client that sends more than one client may.
    protected virtual void Configure(RawPushOptions options) => options.ClientMessagesPerSecond = options.ClientBytesPerSecond = 0;
}

/// <summary>The same, with compression, and channels that keep what was published.</summary>
public sealed class DeflateHost : EchoHost
{
    protected override void Configure(RawPushOptions options)
    {
        base.Configure(options);
        options.Compression = true;
        options.Namespaces.Add(new NamespaceOptions { Pattern = ">", HistoryEntries = 10 });
    }
}
