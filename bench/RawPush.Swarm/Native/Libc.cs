using System.Net;
using System.Runtime.InteropServices;

namespace RawPush.Swarm.Native;

/// <summary>The system calls that the load generator makes itself, so that nothing sits between its loop and its sockets. Errors are −errno.</summary>
internal static partial class Libc
{
    public const int EAgain = 11;
    public const int EInProgress = 115;
    public const int EpollIn = 0x1;
    public const int EpollOut = 0x4;
    public const int EpollErr = 0x8;
    public const int EpollHup = 0x10;
    public const int EpollRdHup = 0x2000;
    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const int EpollModify = 3;

    private const int AfInet = 2;
    private const int SockStream = 1;
    private const int SockNonBlock = 0x800;
    private const int SockCloseOnExec = 0x80000;
    private const int SolSocket = 1;
    private const int SoReuseAddress = 2;
    private const int SoError = 4;
    private const int SoReceiveBuffer = 8;
    private const int SoLinger = 13;
    private const int IpProtoIp = 0;
    private const int IpBindAddressNoPort = 24;
    private const int IpProtoTcp = 6;
    private const int TcpNoDelay = 1;
    private const int MsgNoSignal = 0x4000;

    /// <summary>A TCP socket that has begun to connect, or −errno.</summary>
    /// <param name="source">The address to come from. Each has its own 64,000 ports.</param>
    /// <param name="target">Where to.</param>
    public static int Connect(uint source, IPEndPoint target)
    {
        int socket = Check(socket_(AfInet, SockStream | SockNonBlock | SockCloseOnExec, 0));
        if (socket < 0)
        {
            return socket;
        }

        int on = 1;
        setsockopt(socket, IpProtoTcp, TcpNoDelay, ref on, sizeof(int));

        // Without it bind would take a port for itself alone, and the whole process could have only one address's worth.
        setsockopt(socket, IpProtoIp, IpBindAddressNoPort, ref on, sizeof(int));
        var from = new SocketAddress4(source, 0);
        var to = new SocketAddress4(AddressOf(target.Address), (ushort)target.Port);
        int result = Check(bind(socket, ref from, Marshal.SizeOf<SocketAddress4>()));
        if (result == 0)
        {
            result = Check(connect(socket, ref to, Marshal.SizeOf<SocketAddress4>()));
        }

        if (result is 0 or -EInProgress)
        {
            return socket;
        }

        Close(socket);
        return result;
    }

    /// <summary>A listening TCP socket on a loopback port, or −errno.</summary>
    public static int Listen(int port, int backlog)
    {
        int socket = socket_(AfInet, SockStream | SockNonBlock | SockCloseOnExec, 0);
        int on = 1;
        setsockopt(socket, SolSocket, SoReuseAddress, ref on, sizeof(int));
        var address = new SocketAddress4(AddressOf(IPAddress.Any), (ushort)port);
        int result = Check(bind(socket, ref address, Marshal.SizeOf<SocketAddress4>()));
        result = result < 0 ? result : Check(listen(socket, backlog));
        return result < 0 ? result : socket;
    }

    /// <summary>Takes a waiting connection, or −errno.</summary>
    public static int Accept(int listener)
    {
        int socket = Check(accept4(listener, 0, 0, SockNonBlock | SockCloseOnExec));
        if (socket >= 0)
        {
            int on = 1;
            setsockopt(socket, IpProtoTcp, TcpNoDelay, ref on, sizeof(int));
        }

        return socket;
    }

    /// <summary>How a connect that was in progress has ended: 0 or −errno.</summary>
    public static int ConnectResult(int socket)
    {
        int error = 0;
        int length = sizeof(int);
        getsockopt(socket, SolSocket, SoError, ref error, ref length);
        return -error;
    }

    public static int Receive(int socket, Span<byte> buffer) => Check((int)recv(socket, ref MemoryMarshal.GetReference(buffer), (nuint)buffer.Length, 0));

    public static int Send(int socket, ReadOnlySpan<byte> bytes) =>
        Check((int)send(socket, ref MemoryMarshal.GetReference(bytes), (nuint)bytes.Length, MsgNoSignal));

    public static void Close(int socket) => _ = close(socket);

    /// <summary>Closes, or breaks the connection with a reset.</summary>
    public static void Close(int socket, bool isReset)
    {
        if (isReset)
        {
            // socket(7): to linger for no time at all is to send a reset.
            var linger = new Linger(isOn: 1, seconds: 0);
            setsockopt(socket, SolSocket, SoLinger, ref linger, Marshal.SizeOf<Linger>());
        }

        Close(socket);
    }

    /// <summary>What the kernel holds for a socket that is not read, at most; it grants twice as much.</summary>
    public static void LimitReceiveBuffer(int socket, int bytes) => setsockopt(socket, SolSocket, SoReceiveBuffer, ref bytes, sizeof(int));

    public static int CreateEpoll() => Check(epoll_create1(SockCloseOnExec));

    public static int Control(int epoll, int operation, int socket, int events)
    {
        var request = new EpollEvent { Events = (uint)events, Socket = socket };
        return Check(epoll_ctl(epoll, operation, socket, ref request));
    }

    public static int Wait(int epoll, Span<EpollEvent> events, int timeoutMs) =>
        Check(epoll_wait(epoll, ref MemoryMarshal.GetReference(events), events.Length, timeoutMs));

    private static uint AddressOf(IPAddress address) => MemoryMarshal.Read<uint>(address.GetAddressBytes());

    private static int Check(int result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int socket_(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int socket, ref SocketAddress4 address, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int socket, ref SocketAddress4 address, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int listen(int socket, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(int socket, nint address, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int socket, int level, int option, ref int value, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int socket, int level, int option, ref Linger value, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(int socket, int level, int option, ref int value, ref int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int socket, ref byte buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int socket, ref byte buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int socket);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int socket, ref EpollEvent request);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, ref EpollEvent events, int count, int timeoutMs);

    [StructLayout(LayoutKind.Sequential)]
    private struct SocketAddress4(uint address, ushort port)
    {
        private readonly ushort _family = AfInet;
        private readonly ushort _port = (ushort)IPAddress.HostToNetworkOrder((short)port);
        private readonly uint _address = address;
        private readonly ulong _padding = 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Linger(int isOn, int seconds)
    {
        private readonly int _isOn = isOn;
        private readonly int _seconds = seconds;
    }
}

/// <summary>An event as the kernel lays it out on x86-64: packed.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct EpollEvent
{
    public uint Events;
    public int Socket;
    private readonly int _unused;
}
