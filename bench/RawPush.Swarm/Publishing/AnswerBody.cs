using System.Text;
using RawPush.Swarm.Resuming.Reading;

namespace RawPush.Swarm.Publishing;

/// <summary>The body of an answer to a publish, with a length or in chunks.</summary>
internal static class AnswerBody
{
    /// <summary>Reads a whole body; false while there is more to come.</summary>
    /// <param name="head">The head in front of it.</param>
    /// <param name="rest">What has come behind the head.</param>
    /// <param name="body">Its text.</param>
    /// <param name="length">How many bytes of <paramref name="rest"/> it took.</param>
    public static bool TryRead(in HttpHead head, ReadOnlySpan<byte> rest, out string body, out int length) =>
        head.IsChunked ? ChunkedBody.TryRead(rest, out body, out length) : TryReadSized(rest, head.ContentLength, out body, out length);

    private static bool TryReadSized(ReadOnlySpan<byte> bytes, int contentLength, out string body, out int length)
    {
        length = contentLength >= 0 ? contentLength : throw new InvalidOperationException("the answer to a publish does not say its length");
        bool isWhole = bytes.Length >= length;
        body = isWhole ? Encoding.UTF8.GetString(bytes[..length]) : string.Empty;
        return isWhole;
    }
}
