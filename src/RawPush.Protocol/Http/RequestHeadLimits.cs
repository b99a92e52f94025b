using System.Runtime.CompilerServices;

namespace RawPush.Protocol.Http;

/// <summary>How large a request head may be. Immutable; one instance serves every connection.</summary>
/// <remarks>Every property throws <see cref="ArgumentOutOfRangeException"/> outside its range, so a limit is never clamped in silence.</remarks>
public sealed record RequestHeadLimits
{
    /// <summary>The largest number of bytes a limit may be set to, 1 MiB.</summary>
    public const int BytesCeiling = 1024 * 1024;

    /// <summary>Bytes of the whole head, the final empty line included. Default 32,768; from 1 to <see cref="BytesCeiling"/>. Beyond it: 431.</summary>
    /// <remarks>The price is memory: a client that dribbles its head holds up to this much for as long as it is allowed to take.</remarks>
    public int HeadBytesMax
    {
        get;
        init => field = InRange(value, BytesCeiling);
    } = 32768;

    /// <summary>Bytes of one line with its CRLF. Default 8,192; from 1 to <see cref="BytesCeiling"/>. Beyond it: 414, or 431 for a field.</summary>
    /// <remarks>RFC 9112, section 3, asks for at least 8,000. Smaller is safe when targets and cookies are known to be short.</remarks>
    public int LineBytesMax
    {
        get;
        init => field = InRange(value, BytesCeiling);
    } = 8192;

    /// <summary>Field lines in one head. Default 100; from 1 to 65,535. Beyond it: 431.</summary>
    public int FieldsMax
    {
        get;
        init => field = InRange(value, ushort.MaxValue);
    } = 100;

    private static int InRange(int value, int max, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, max, name);
        return value;
    }
}
