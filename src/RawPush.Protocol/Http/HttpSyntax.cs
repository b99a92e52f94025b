using System.Buffers;

namespace RawPush.Protocol.Http;

/// <summary>The small rules of RFC 9110, section 5.6, that everything in this folder is built from.</summary>
internal static class HttpSyntax
{
    // Section 5.6.2: tchar.
    private static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"u8);

    // Section 5.5: what no field value may hold. Every control but HTAB; obs-text (0x80 and above) is let through.
    private static readonly SearchValues<byte> ValueControls = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127]);

    public static bool IsToken(ReadOnlySpan<byte> bytes) => !bytes.IsEmpty && !bytes.ContainsAnyExcept(TokenBytes);

    /// <summary>Bytes of the token at the front; 0 for none.</summary>
    public static int TokenLength(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyExcept(TokenBytes) is int end and >= 0 ? end : bytes.Length;

    public static bool HasValueControl(ReadOnlySpan<byte> bytes) => bytes.ContainsAny(ValueControls);

    public static bool IsVisibleAscii(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E);

    public static bool IsWhitespace(byte value) => value is (byte)' ' or (byte)'\t';

    /// <summary>Removes OWS (section 5.6.3) from both ends.</summary>
    public static ReadOnlySpan<byte> TrimWhitespace(ReadOnlySpan<byte> bytes)
    {
        int start = 0;
        while (start < bytes.Length && IsWhitespace(bytes[start]))
        {
            start++;
        }

        int end = bytes.Length;
        while (end > start && IsWhitespace(bytes[end - 1]))
        {
            end--;
        }

        return bytes[start..end];
    }
}
