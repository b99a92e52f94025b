using System.Net;
using System.Net.Sockets;

namespace RawPush.Swarm.Cluster;

/// <summary>A port of the loopback that stays ours, also while the process that listens on it is dead: whoever connects then is refused.</summary>
/// <remarks>It is bound and never listens. Linux lets a socket listen beside it when both allow the reuse of addresses (socket(7)), as our servers do, and gives the port to nobody who asks for any.</remarks>
internal sealed class ReservedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ReservedPort()
    {
        _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Number = ((IPEndPoint)_socket.LocalEndPoint!).Port;
    }

    public int Number { get; }

    public void Dispose() => _socket.Dispose();
}
