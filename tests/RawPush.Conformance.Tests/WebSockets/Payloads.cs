namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>What messages are filled with; the same at every call.</summary>
internal static class Payloads
{
    public static string Letters(int length) => string.Create(length, 0, static (letters, _) =>
    {
        for (int i = 0; i < letters.Length; i++)
        {
            letters[i] = (char)('a' + (i % 26));
        }
    });

    public static byte[] Noise(int length)
    {
        byte[] bytes = new byte[length];
        new Random(6455 + length).NextBytes(bytes);
        return bytes;
    }

    /// <summary>The bytes in pieces; the last may be shorter.</summary>
    public static byte[][] Pieces(byte[] bytes, int length) => [.. bytes.Chunk(length)];
}
