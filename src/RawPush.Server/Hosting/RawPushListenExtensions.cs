using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using RawPush.Server.Connections;
using RawPush.Server.Hosting;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Puts the push server on Kestrel's listeners.</summary>
public static class RawPushListenExtensions
{
    /// <summary>Makes this endpoint speak RawPush. What is not a push request goes on to the next middleware, untouched.</summary>
    /// <param name="listen">The endpoint. With TLS, call <c>UseHttps</c> before this.</param>
    /// <param name="mayPublish">Whoever reaches this endpoint may publish. Default false.</param>
    public static ListenOptions UseRawPush(this ListenOptions listen, bool mayPublish = false)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var middleware = listen.ApplicationServices.GetRequiredService<PushConnectionMiddleware>();
        var listener = mayPublish ? PushListener.Internal : PushListener.Public;
        listen.Use(next => connection => middleware.OnConnectionAsync(connection, next, listener));
        return listen;
    }

    /// <summary>Listens as the settings say: on <see cref="RawPushOptions.Public"/> for clients and on <see cref="RawPushOptions.Internal"/> for backends.</summary>
    public static KestrelServerOptions ListenRawPush(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        RawPushOptions options;
        try
        {
            options = kestrel.ApplicationServices.GetRequiredService<IOptions<RawPushOptions>>().Value;
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException)
        {
            // We are called while the application is built. The start reads the settings again before it listens, and there the mistake is reported.
            return kestrel;
        }

        Listen(kestrel, options.Public, mayPublish: false);
        Listen(kestrel, options.Internal, mayPublish: true);
        return kestrel;
    }

    private static void Listen(KestrelServerOptions kestrel, string address, bool mayPublish)
    {
        if (ListenAddress.TryParse(address, out var parsed, out string? error))
        {
            parsed.Listen(kestrel, listen => listen.UseRawPush(mayPublish));
        }
        else
        {
            throw new ArgumentException(error, nameof(address));
        }
    }
}
