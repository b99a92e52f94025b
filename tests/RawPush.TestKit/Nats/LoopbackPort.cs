using System.Net;
using System.Net.Sockets;

namespace RawPush.TestKit.Nats;

/// <summary>A free port of the loopback that stays ours, also while nobody listens on it: whoever connects then is refused.</summary>
/// <remarks>It is bound and never listens. Linux lets another socket listen beside it when both allow the reuse of addresses, as Go's listeners do (socket(7)),
/// and gives the port to nobody who asks for any.</remarks>
internal sealed class LoopbackPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public LoopbackPort()
    {
        _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Number = ((IPEndPoint)_socket.LocalEndPoint!).Port;
    }

    public int Number { get; }

    public void Dispose() => _socket.Dispose();
}
