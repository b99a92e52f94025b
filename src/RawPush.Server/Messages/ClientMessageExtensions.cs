using System.Diagnostics.CodeAnalysis;
using RawPush.Server.Hosting;
using RawPush.Server.Messages;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers handlers for what WebSocket clients send.</summary>
public static class ClientMessageExtensions
{
    /// <summary>Lets a handler answer the messages of WebSocket clients.</summary>
    /// <typeparam name="THandler">Made once, with its dependencies from the container.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <param name="path">Its own address, as <c>/echo</c>, without channels; null for what clients send on the addresses of channels.</param>
    /// <param name="messageBytesMax">Longest message taken, in bytes; 0 for the server's <c>MessageBytesMax</c>; at most 64 MiB.</param>
    /// <exception cref="ArgumentException">The path does not start with a slash.</exception>
    public static IServiceCollection AddClientMessageHandler<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string? path = null, int messageBytesMax = 0)
        where THandler : class, IClientMessageHandler
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentOutOfRangeException.ThrowIfNegative(messageBytesMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(messageBytesMax, RawPushOptions.MessageBytesCeiling);
        if (path is not null && !path.StartsWith('/'))
        {
            throw new ArgumentException("The path of a message handler starts with a slash.", nameof(path));
        }

        return services.AddSingleton(provider =>
            new ClientMessageRoute(path, ActivatorUtilities.CreateInstance<THandler>(provider), messageBytesMax));
    }
}
