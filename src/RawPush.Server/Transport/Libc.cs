using System.Buffers.Binary;
using System.Runtime.InteropServices;
using RawPush.Protocol.Proxy;

namespace RawPush.Server.Transport;

/// <summary>The system calls of the event loops, made directly: .NET's sockets reach two thirds of their rate. None of them waits, but for <see cref="Wait"/>.</summary>
/// <remarks>A result below zero is −errno: full, reset and out of descriptors are everyday answers here, and not exceptions.</remarks>
internal static unsafe partial class Libc
{
    public const int TryAgain = -11;
    public const int OutOfMemory = -12;
    public const int TooManyFilesInSystem = -23;
    public const int TooManyFiles = -24;
    public const int NoBuffers = -105;

    public const uint EpollIn = 0x1;
    public const uint EpollOut = 0x4;
    public const uint EpollError = 0x8;
    public const uint EpollHangUp = 0x10;
    public const uint EpollPeerClosed = 0x2000;
    public const uint EpollExclusive = 1u << 28;
    public const uint EpollEdge = 1u << 31;

    private const int SocketLevel = 1;
    private const int LingerOption = 13;
    private const int EpollCloseOnExec = 0x80000;
    private const int EventNonBlocking = 0x800;
    private const int EventCloseOnExec = 0x80000;
    private const int SocketNonBlocking = 0x800;
    private const int SocketCloseOnExec = 0x80000;
    private const int MessagePeek = 0x2;
    private const int MessageDoNotWait = 0x40;
    private const int MessageNoSignal = 0x4000;
    private const int ShutdownWrite = 1;
    private const int FamilyIPv4 = 2;
    private const int FamilyIPv6 = 10;
    private const int OpenFilesLimit = 7;
    private const int DuplicateCloseOnExec = 1030;

    private enum EpollOperation
    {
        Add = 1,
        Delete = 2,
    }

    /// <summary>Takes a waiting connection, non-blocking.</summary>
    public static int Accept(int listener) => Check(accept4(listener, null, null, SocketNonBlocking | SocketCloseOnExec));

    /// <summary>The address at the other end. Null for a Unix socket; <c>::</c>, which nobody has, if the peer is gone.</summary>
    public static HostAddress? PeerOf(int socket)
    {
        // struct sockaddr_in: family 2, port 2, address 4. sockaddr_in6: family 2, port 2, flow 4, address 16. A path is longer, and cut off.
        Span<byte> name = stackalloc byte[28];
        int length = name.Length;
        fixed (byte* start = name)
        {
            if (getpeername(socket, start, &length) < 0)
            {
                return default(HostAddress);
            }
        }

        return BinaryPrimitives.ReadUInt16LittleEndian(name) switch
        {
            FamilyIPv4 => HostAddress.FromIPv4(name[4..]),
            FamilyIPv6 => HostAddress.FromIPv6(name[8..24]),
            _ => null,
        };
    }

    /// <summary>Receives what is there; 0 is the end of the stream.</summary>
    public static int Receive(int socket, Span<byte> buffer) => Receive(socket, buffer, MessageDoNotWait);

    /// <summary>Looks at what is there and leaves it.</summary>
    public static int Peek(int socket, Span<byte> buffer) => Receive(socket, buffer, MessageDoNotWait | MessagePeek);

    /// <summary>Sends as much as the kernel takes.</summary>
    public static int Send(int socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return Check(send(socket, start, (nuint)bytes.Length, MessageDoNotWait | MessageNoSignal));
        }
    }

    /// <summary>Sends both, one after the other, in one call.</summary>
    public static int Send(int socket, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        fixed (byte* headStart = head, bodyStart = body)
        {
            var vectors = stackalloc IoVector[2];
            vectors[0] = new IoVector { Start = headStart, Length = (nuint)head.Length };
            vectors[1] = new IoVector { Start = bodyStart, Length = (nuint)body.Length };
            return Send(socket, vectors, 2);
        }
    }

    /// <summary>Sends what the vectors point at, in one call. The memory must not move meanwhile.</summary>
    public static int Send(int socket, IoVector* vectors, int count)
    {
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        return Check(sendmsg(socket, &message, MessageDoNotWait | MessageNoSignal));
    }

    /// <summary>Ends our half of the stream; the peer's goes on.</summary>
    public static void EndSending(int socket) => _ = shutdown(socket, ShutdownWrite);

    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>Makes the close drop what the peer has not taken, and say so with a reset. The kernel would otherwise keep and retry it for as long as it has patience.</summary>
    public static void DropOnClose(int socket)
    {
        var linger = new Linger { IsOn = 1 };
        _ = setsockopt(socket, SocketLevel, LingerOption, &linger, sizeof(Linger));
    }

    /// <summary>How many descriptors the process may have (RLIMIT_NOFILE), so that the highest number is one less.</summary>
    public static long DescriptorsMax()
    {
        ResourceLimit limit;
        return getrlimit(OpenFilesLimit, &limit) == 0 ? (long)Math.Min(limit.Current, long.MaxValue) : long.MaxValue;
    }

    /// <summary>The number that the next descriptor will get: the kernel gives the lowest that is free. Below zero if there is none.</summary>
    /// <param name="any">A descriptor that is open.</param>
    public static int NextDescriptor(int any)
    {
        int next = Check(fcntl(any, DuplicateCloseOnExec, 0));
        if (next >= 0)
        {
            Close(next);
        }

        return next;
    }

    public static int CreateEpoll() => Check(epoll_create1(EpollCloseOnExec));

    /// <summary>A counter that makes an epoll set wake up.</summary>
    public static int CreateEvent() => Check(eventfd(0, EventNonBlocking | EventCloseOnExec));

    public static void Signal(int counter)
    {
        ulong one = 1;
        _ = write(counter, &one, sizeof(ulong));
    }

    public static void ClearSignal(int counter)
    {
        ulong count;
        _ = read(counter, &count, sizeof(ulong));
    }

    public static int EpollAdd(int epoll, int descriptor, uint events) => Control(epoll, EpollOperation.Add, descriptor, events);

    public static int EpollDelete(int epoll, int descriptor) => Control(epoll, EpollOperation.Delete, descriptor, 0);

    /// <summary>Waits for events: 0 ms looks once, −1 waits for ever.</summary>
    public static int Wait(int epoll, EpollEvent[] events, int timeoutMs)
    {
        fixed (EpollEvent* first = events)
        {
            return Check(epoll_wait(epoll, first, events.Length, timeoutMs));
        }
    }

    private static int Receive(int socket, Span<byte> buffer, int flags)
    {
        fixed (byte* start = buffer)
        {
            return Check(recv(socket, start, (nuint)buffer.Length, flags));
        }
    }

    private static int Control(int epoll, EpollOperation operation, int descriptor, uint events)
    {
        var request = new EpollEvent { Events = events, Descriptor = descriptor };
        return Check(epoll_ctl(epoll, (int)operation, descriptor, &request));
    }

    private static int Check(nint result) => result >= 0 ? (int)result : -Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int accept4(int socket, void* address, int* length, int flags);

    [LibraryImport("libc")]
    private static partial int getpeername(int socket, void* address, int* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int socket, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int socket, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int socket, MessageHeader* message, int flags);

    [LibraryImport("libc")]
    private static partial int shutdown(int socket, int how);

    [LibraryImport("libc")]
    private static partial int setsockopt(int socket, int level, int option, void* value, int length);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, ResourceLimit* limit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int descriptor, EpollEvent* request);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, EpollEvent* events, int count, int timeoutMs);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint count, int flags);

    [LibraryImport("libc")]
    private static partial nint read(int descriptor, ulong* count, nuint length);

    [LibraryImport("libc")]
    private static partial nint write(int descriptor, ulong* count, nuint length);

    private struct Linger
    {
        public int IsOn;
        public int Seconds;
    }

    private struct ResourceLimit
    {
        public ulong Current;
        public ulong Maximum;
    }

    // struct msghdr of x86-64 Linux.
    private struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}

/// <summary>A piece of memory for a gathered send: <c>struct iovec</c>.</summary>
internal unsafe struct IoVector
{
    public byte* Start;
    public nuint Length;
}

/// <summary>An event as the kernel lays it out on x86-64: packed, 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct EpollEvent
{
    public uint Events;
    public int Descriptor;
    private readonly int _unused;
}
