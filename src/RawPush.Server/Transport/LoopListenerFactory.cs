using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using RawPush.Server.Connections;
using RawPush.Server.Hosting;

namespace RawPush.Server.Transport;

/// <summary>Our transport, as Kestrel knows it. It takes the addresses that were given to <c>ListenRawPush</c>; others stay with Kestrel's own.</summary>
/// <remarks>Kestrel asks for it while the host is built. What it needs is looked up at the bind: to make that reads the settings, and a wrong one is for the start
/// to report.</remarks>
internal sealed class LoopListenerFactory(IServiceProvider services) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is PushEndPoint;

    /// <exception cref="AddressInUseException">Somebody else listens there.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var push = (PushEndPoint)endpoint;
        var door = services.GetRequiredService<FrontDoor>();
        var settings = services.GetRequiredService<IOptions<RawPushOptions>>().Value.ToSocketSettings();
        var sockets = Listen(push.Address, door.Loops.All.Count, settings);
        var listener = new LoopListener(sockets, push.Listener, door, services.GetRequiredService<ILoggerFactory>());
        listener.Start();
        return ValueTask.FromResult<IConnectionListener>(listener);
    }

    private static ListeningSockets Listen(EndPoint address, int loops, SocketSettings settings)
    {
        try
        {
            return ListeningSockets.Listen(address, loops, settings);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(exception.Message, exception);
        }
    }
}
