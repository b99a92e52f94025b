using System.Text;
using System.Text.Unicode;
using RawPush.Fanout.Channels;
using RawPush.Protocol.Http;

namespace RawPush.Server.Requests;

/// <summary>Reads channels as they stand in a URL.</summary>
internal static class ChannelAddress
{
    // Three bytes of percent-encoding may stand for one of the name.
    private const int EncodedBytesMax = 3 * ChannelName.BytesMax;

    /// <summary>One name. False: it is not valid, and <paramref name="error"/> says why.</summary>
    public static bool TryReadName(ReadOnlySpan<byte> encoded, out ChannelName name, out string error)
    {
        name = default;
        Span<byte> decoded = stackalloc byte[EncodedBytesMax];
        if (!TryDecode(encoded, decoded, out int length, out error))
        {
            return false;
        }

        bool isValid = ChannelName.TryParse(decoded[..length], out name, out string? fault);
        error = fault ?? string.Empty;
        return isValid;
    }

    /// <summary>One name or pattern.</summary>
    public static bool TryReadFilter(ReadOnlySpan<byte> encoded, out ChannelFilter filter, out string error)
    {
        filter = default;
        Span<byte> decoded = stackalloc byte[EncodedBytesMax];
        if (!TryDecode(encoded, decoded, out int length, out error))
        {
            return false;
        }

        if (!Utf8.IsValid(decoded[..length]))
        {
            error = "a channel name must be UTF-8";
            return false;
        }

        bool isValid = ChannelFilter.TryParse(Encoding.UTF8.GetString(decoded[..length]), out filter, out string? fault);
        error = fault ?? string.Empty;
        return isValid;
    }

    private static bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> decoded, out int length, out string error)
    {
        length = 0;
        if (encoded.Length > EncodedBytesMax)
        {
            error = $"a channel name is at most {ChannelName.BytesMax} bytes long";
            return false;
        }

        error = "the channel name's percent-encoding is broken";
        return PercentEncoding.TryDecode(encoded, decoded, out length);
    }
}
