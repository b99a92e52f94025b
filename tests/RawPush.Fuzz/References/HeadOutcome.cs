using RawPush.Protocol.Http;

namespace RawPush.Fuzz.References;

/// <summary>Everything that can be seen of the reading of a head.</summary>
/// <param name="Status">What was said in the end.</param>
/// <param name="StatusCode">How a refused head is answered, otherwise 0.</param>
/// <param name="BytesConsumed">Length of a head that is done, otherwise 0.</param>
/// <param name="HasRequestLine">Whether the request line was good.</param>
/// <param name="Heard">The lines that the handler was given.</param>
internal sealed record HeadOutcome(HeadStatus Status, int StatusCode, int BytesConsumed, bool HasRequestLine, string Heard)
{
    public static string RequestLine(string method, string target, HttpVersion version) => $"{method}|{target}|{version}\n";

    public static string Field(string name, string value) => $"{name}={value}\n";
}
