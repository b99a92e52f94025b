namespace RawPush.Swarm.Hostile;

/// <summary>Frames that a client may not send, and some that it may (RFC 6455 section 5.2). Masked with zeroes where they are masked.</summary>
internal static class HostileFrame
{
    public const byte Final = 0x80;
    public const byte Rsv1 = 0x40;
    public const byte Continuation = 0;
    public const byte Text = 1;
    public const byte Binary = 2;
    public const byte Close = 8;
    public const byte Ping = 9;
    public const byte Pong = 10;

    private const byte Masked = 0x80;

    /// <summary>A frame of at most 125 bytes with any first byte.</summary>
    public static byte[] Short(int first, params byte[] payload) => [(byte)first, (byte)(Masked | payload.Length), 0, 0, 0, 0, .. payload];

    /// <summary>A header that says any length, in 64 bits, and nothing behind it.</summary>
    public static byte[] HeaderOf(int first, ulong length) =>
    [
        (byte)first, Masked | 127, (byte)(length >> 56), (byte)(length >> 48), (byte)(length >> 40), (byte)(length >> 32), (byte)(length >> 24), (byte)(length >> 16),
        (byte)(length >> 8), (byte)length, 0, 0, 0, 0,
    ];
}
