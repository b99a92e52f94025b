namespace RawPush.Server.Sessions;

/// <summary>The whole answer to a poll, or to a HEAD.</summary>
/// <param name="StatusCode">200, 204 or 304.</param>
/// <param name="Fields">The response's fields, but for <c>Date</c>, <c>Connection</c> and <c>Content-Length</c>, which belong to whoever writes the head.</param>
/// <param name="ContentLength">Null where there is none to say.</param>
/// <param name="Body">Empty for a status without a body, and for HEAD.</param>
/// <param name="IsLast">No further request is taken on the connection.</param>
internal sealed record PollAnswer(int StatusCode, IReadOnlyList<(string Name, string Value)> Fields, int? ContentLength, ReadOnlyMemory<byte> Body, bool IsLast);

/// <summary>A transport that gives one answer, then takes the next request.</summary>
internal interface IPollTransport
{
    /// <summary>Another request can follow on the connection.</summary>
    bool CanGoOn { get; }

    /// <summary>Sends the answer. The session has ended; after it the transport reads the next request, or closes.</summary>
    void Answer(PollAnswer answer);
}
