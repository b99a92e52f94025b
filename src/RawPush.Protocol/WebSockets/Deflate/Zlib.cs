using System.Runtime.InteropServices;

namespace RawPush.Protocol.WebSockets.Deflate;

/// <summary>The system's zlib, as far as permessage-deflate needs it: raw DEFLATE (RFC 1951) in streams that are used again and again.</summary>
/// <remarks>
/// The base class library's <c>DeflateStream</c> wraps a zlib as well, but cannot start anew: each message would cost a stream of 40 KB (256 KB to compress), and one that
/// goes on into the next message lets a client copy out of what another client has sent. Nor does it say whether a message was whole.
/// Where unsafe code begins and ends: this folder.
/// </remarks>
internal static unsafe partial class Zlib
{
    public const int NoFlush = 0;
    public const int SyncFlush = 2;

    public const int Ok = 0;
    public const int StreamEnd = 1;
    public const int DataError = -3;
    public const int BufferError = -5;

    /// <summary>In <see cref="Stream.DataType"/> after inflating, and nothing else in it: a block has just ended, and no bit is left of its last byte.</summary>
    public const int AtBlockBoundary = 128;

    private const string Library = "libz.so.1";
    private const int Deflated = 8;
    private const int MemoryLevel = 8;
    private const int DefaultStrategy = 0;

    // What zlib.h of every 1.x has: deflateInit2_ and inflateInit2_ compare the first digit, and the size of the structure.
    private static ReadOnlySpan<byte> Version => "1.2.11\0"u8;

    /// <summary>Whether the library is there. It is part of nearly every Linux: package zlib1g in Debian's words.</summary>
    public static bool IsAvailable { get; } = OperatingSystem.IsLinux() && Environment.Is64BitProcess && NativeLibrary.TryLoad(Library, out _);

    /// <summary>A stream that deflates without zlib's own frame around the data.</summary>
    /// <param name="level">1 (fast) to 9 (small).</param>
    /// <param name="windowBits">How far back a match may reach, as a power of two: 9 to 15.</param>
    public static Stream* NewDeflate(int level, int windowBits)
    {
        var stream = NewStream();
        fixed (byte* version = Version)
        {
            Check(DeflateInit(stream, level, Deflated, -windowBits, MemoryLevel, DefaultStrategy, version, sizeof(Stream)));
        }

        return stream;
    }

    /// <summary>A stream that inflates the same, whatever the window.</summary>
    public static Stream* NewInflate()
    {
        var stream = NewStream();
        fixed (byte* version = Version)
        {
            Check(InflateInit(stream, -15, version, sizeof(Stream)));
        }

        return stream;
    }

    public static void Free(Stream* stream, bool deflates)
    {
        _ = deflates ? DeflateEnd(stream) : InflateEnd(stream);
        NativeMemory.Free(stream);
    }

    // Outside of the garbage collector's reach: zlib remembers the address.
    private static Stream* NewStream() => (Stream*)NativeMemory.AllocZeroed((nuint)sizeof(Stream));

    private static void Check(int result)
    {
        if (result != Ok)
        {
            throw new InsufficientMemoryException($"zlib could not start a stream ({result}).");
        }
    }

    [LibraryImport(Library, EntryPoint = "deflateInit2_")]
    private static partial int DeflateInit(Stream* stream, int level, int method, int windowBits, int memoryLevel, int strategy, byte* version, int streamSize);

    [LibraryImport(Library, EntryPoint = "deflate")]
    public static partial int Deflate(Stream* stream, int flush);

    [LibraryImport(Library, EntryPoint = "deflateReset")]
    public static partial int DeflateReset(Stream* stream);

    [LibraryImport(Library, EntryPoint = "deflateEnd")]
    private static partial int DeflateEnd(Stream* stream);

    [LibraryImport(Library, EntryPoint = "inflateInit2_")]
    private static partial int InflateInit(Stream* stream, int windowBits, byte* version, int streamSize);

    [LibraryImport(Library, EntryPoint = "inflate")]
    public static partial int Inflate(Stream* stream, int flush);

    [LibraryImport(Library, EntryPoint = "inflateReset")]
    public static partial int InflateReset(Stream* stream);

    /// <summary>As new, but for the window: what follows may still refer to what came before.</summary>
    [LibraryImport(Library, EntryPoint = "inflateResetKeep")]
    public static partial int InflateResetKeep(Stream* stream);

    [LibraryImport(Library, EntryPoint = "inflateEnd")]
    private static partial int InflateEnd(Stream* stream);

    /// <summary>zlib.h's z_stream on 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Stream
    {
        public byte* Input;
        public uint InputBytes;
        public nuint InputTotal;
        public byte* Output;
        public uint OutputBytes;
        public nuint OutputTotal;
        public nint Message;
        public nint State;
        public nint Allocate;
        public nint Release;
        public nint Opaque;
        public int DataType;
        public nuint Checksum;
        public nuint Reserved;
    }
}
