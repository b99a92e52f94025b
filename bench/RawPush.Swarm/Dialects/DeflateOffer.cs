using System.Text;
using RawPush.Swarm.Resuming.Reading;

namespace RawPush.Swarm.Dialects;

/// <summary>What a client says of permessage-deflate (RFC 7692 section 7), and what it makes of the answer.</summary>
internal static class DeflateOffer
{
    /// <summary>The request's field, as browsers send it.</summary>
    public const string Field = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

    /// <summary>Whether the head of an answer agrees. Wrong: it says what was not offered, or keeps its window from message to message, which costs each client
    /// 32 KiB and is more than these can follow.</summary>
    /// <param name="answer">The head, whole.</param>
    /// <param name="isOffered">Whether the client has offered it.</param>
    /// <param name="isWrong">The connection is of no use.</param>
    public static bool IsAgreed(ReadOnlySpan<byte> answer, bool isOffered, out bool isWrong)
    {
        var extensions = HttpHead.TryRead(answer, out var head) ? head.Field("Sec-WebSocket-Extensions"u8) : default;
        isWrong = !extensions.IsEmpty && !(isOffered && Encoding.ASCII.GetString(extensions).Split(';', StringSplitOptions.TrimEntries) is
            ["permessage-deflate", .. var parameters] && parameters.Contains("server_no_context_takeover"));
        return !extensions.IsEmpty && !isWrong;
    }
}
