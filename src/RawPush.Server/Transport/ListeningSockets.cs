using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace RawPush.Server.Transport;

/// <summary>The sockets of one address: one per loop that share its port, between which the kernel spreads connections; or one for all where the address is a path.</summary>
/// <remarks>Options are set here: accepted TCP connections inherit them, which costs them no system call.</remarks>
internal sealed class ListeningSockets : IDisposable
{
    private const int SolSocket = 1;
    private const int SoReusePort = 15;
    private const int IpProtoTcp = 6;
    private const int TcpUserTimeout = 18;
    private const int TcpNotSentLowAt = 25;

    // As long a queue of waiting connections as the kernel allows (net.core.somaxconn): after a restart all clients come at once.
    private const int Backlog = 65_535;

    private readonly Socket[] _sockets;

    private ListeningSockets(Socket[] sockets)
    {
        _sockets = sockets;
        EndPoint = sockets[0].LocalEndPoint!;
    }

    /// <summary>Where they listen; a port 0 has become a number.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>Listens. All IPv6 addresses include the IPv4 ones; on a machine without IPv6 it is all IPv4 addresses.</summary>
    /// <exception cref="SocketException">The address is in use, is not one of this machine, or may not be used.</exception>
    public static ListeningSockets Listen(EndPoint address, int loops, SocketSettings settings)
    {
        try
        {
            return ListenOn(address, loops, settings);
        }
        catch (SocketException exception) when (
            address is IPEndPoint { Address: var ip, Port: int port } && ip.Equals(IPAddress.IPv6Any) && IsWithoutIPv6(exception.SocketErrorCode))
        {
            return ListenOn(new IPEndPoint(IPAddress.Any, port), loops, settings);
        }
    }

    /// <summary>Takes back what was set for push clients, from a connection that is going to be Kestrel's.</summary>
    public static void Restore(Socket accepted)
    {
        if (accepted.AddressFamily != AddressFamily.Unix)
        {
            SetOption(accepted, IpProtoTcp, TcpNotSentLowAt, 0);
            SetOption(accepted, IpProtoTcp, TcpUserTimeout, 0);
        }
    }

    public int DescriptorFor(int loop) => (int)_sockets[loop % _sockets.Length].Handle;

    public void Dispose()
    {
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }
    }

    private static bool IsWithoutIPv6(SocketError error) =>
        error is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable or SocketError.ProtocolFamilyNotSupported;

    private static ListeningSockets ListenOn(EndPoint address, int loops, SocketSettings settings)
    {
        var sockets = new List<Socket>();
        try
        {
            var first = Create(address, settings);
            sockets.Add(first);

            // The first binds without sharing, so that a port which somebody else listens on is an error and not half of the connections.
            first.Bind(address);
            if (address is IPEndPoint)
            {
                SetOption(first, SolSocket, SoReusePort, 1);
                for (int i = 1; i < loops; i++)
                {
                    var further = Create(address, settings);
                    sockets.Add(further);
                    SetOption(further, SolSocket, SoReusePort, 1);
                    further.Bind(first.LocalEndPoint!);
                }
            }

            sockets.ForEach(socket => socket.Listen(Backlog));
            return new ListeningSockets([.. sockets]);
        }
        catch
        {
            sockets.ForEach(socket => socket.Dispose());
            throw;
        }
    }

    private static Socket Create(EndPoint address, SocketSettings settings)
    {
        bool isPath = address.AddressFamily == AddressFamily.Unix;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, isPath ? ProtocolType.Unspecified : ProtocolType.Tcp) { Blocking = false };
        if (isPath)
        {
            // Nothing of what follows is inherited there, and the kernel's own sizes are small.
            return socket;
        }

        if (settings.ReceiveBytes > 0)
        {
            socket.ReceiveBufferSize = settings.ReceiveBytes;
        }

        if (settings.SendBytes > 0)
        {
            socket.SendBufferSize = settings.SendBytes;
        }

        socket.NoDelay = true;
        SetOption(socket, IpProtoTcp, TcpNotSentLowAt, settings.UnsentBytesMax);
        SetOption(socket, IpProtoTcp, TcpUserTimeout, settings.UserTimeoutMs);
        if (address is IPEndPoint { Address: var ip } && ip.Equals(IPAddress.IPv6Any))
        {
            socket.DualMode = true;
        }

        return socket;
    }

    private static void SetOption(Socket socket, int level, int name, int value) => socket.SetRawSocketOption(level, name, MemoryMarshal.AsBytes([value]));
}
