using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using RawPush.Server.Connections;
using RawPush.Server.Hosting;
using RawPush.Server.Transport;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Puts the push server on Kestrel's listeners.</summary>
public static class RawPushListenExtensions
{
    /// <summary>Makes this endpoint speak RawPush behind what was put on it before, such as TLS: call <c>UseHttps</c> first. What is not a push request goes on
    /// to the next middleware, untouched.</summary>
    /// <remarks>A client costs what Kestrel's connection costs, several kilobytes. For plain TCP, <see cref="ListenRawPush(KestrelServerOptions, EndPoint, bool)"/>
    /// costs a few hundred bytes.</remarks>
    /// <param name="listen">The endpoint.</param>
    /// <param name="mayPublish">Whoever reaches this endpoint may publish. Default false.</param>
    public static ListenOptions UseRawPush(this ListenOptions listen, bool mayPublish = false)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var middleware = listen.ApplicationServices.GetRequiredService<PushConnectionMiddleware>();
        var listener = PushListener.For(mayPublish);
        listen.Use(next => connection => middleware.OnConnectionAsync(connection, next, listener));
        return listen;
    }

    /// <summary>Listens as the settings say: on <see cref="RawPushOptions.Public"/> for clients and on <see cref="RawPushOptions.Internal"/> for backends.</summary>
    public static KestrelServerOptions ListenRawPush(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        if (TryGetOptions(kestrel) is { } options)
        {
            kestrel.ListenRawPush(ListenAddress.Parse(options.Public), mayPublish: false);
            kestrel.ListenRawPush(ListenAddress.Parse(options.Internal), mayPublish: true);
        }

        return kestrel;
    }

    /// <summary>Listens for push connections over plain TCP or a Unix socket, on the transport of the settings. What is not a push request goes to Kestrel's
    /// HTTP server, untouched, so the application's own routes are served here as well.</summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="address">An <see cref="IPEndPoint"/> or a <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>.</param>
    /// <param name="mayPublish">Whoever reaches this address may publish. Default false.</param>
    public static KestrelServerOptions ListenRawPush(this KestrelServerOptions kestrel, EndPoint address, bool mayPublish = false)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        ArgumentNullException.ThrowIfNull(address);
        switch (TryGetOptions(kestrel)?.Transport)
        {
            case PushTransport.Epoll:
                kestrel.Listen(new PushEndPoint(address, PushListener.For(mayPublish)), static _ => { });
                break;
            case PushTransport.Sockets:
                Listen(kestrel, address, listen => listen.UseRawPush(mayPublish));
                break;
        }

        return kestrel;
    }

    /// <summary>Null: a setting is wrong. We are called while the application is built; the start reads the settings again before it listens, and there the
    /// mistake is reported.</summary>
    private static RawPushOptions? TryGetOptions(KestrelServerOptions kestrel)
    {
        try
        {
            return kestrel.ApplicationServices.GetRequiredService<IOptions<RawPushOptions>>().Value;
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException)
        {
            return null;
        }
    }

    private static void Listen(KestrelServerOptions kestrel, EndPoint address, Action<ListenOptions> configure)
    {
        if (address is IPEndPoint { Address: var ip, Port: int port } && ip.Equals(IPAddress.IPv6Any))
        {
            // Which makes do with IPv4 where there is nothing else.
            kestrel.ListenAnyIP(port, configure);
        }
        else
        {
            kestrel.Listen(address, configure);
        }
    }
}
