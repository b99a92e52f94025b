namespace RawPush.Server.Sessions;

/// <summary>The whole answer to a poll.</summary>
/// <param name="StatusCode">200, 204 or 304.</param>
/// <param name="Body">JSON; empty for a status without a body.</param>
/// <param name="Next">Where the next poll goes on.</param>
/// <param name="Tag">The answer's tag; null if it has none.</param>
/// <param name="IsLast">No further request is taken on the connection.</param>
internal sealed record PollAnswer(int StatusCode, ReadOnlyMemory<byte> Body, string Next, string? Tag, bool IsLast)
{
    /// <summary>The response's fields, but for <c>Connection</c> and <c>Content-Length</c>, which belong to whoever writes the head.</summary>
    public IEnumerable<(string Name, string Value)> Fields()
    {
        yield return ("RawPush-Next", Next);
        if (StatusCode == 200)
        {
            yield return ("Content-Type", "application/json");
        }

        // With a tag a cache may keep it, if it asks each time whether it still holds (RFC 9111 section 5.2.2.4).
        yield return ("Cache-Control", Tag is null ? "no-store" : "no-cache");
        if (Tag is not null)
        {
            yield return ("ETag", Tag);
        }
    }
}

/// <summary>A transport that answers polls, one after the other.</summary>
internal interface IPollTransport
{
    /// <summary>Another request can follow on the connection.</summary>
    bool CanGoOn { get; }

    /// <summary>Sends the answer. The session has ended; after it the transport reads the next request, or closes.</summary>
    void Answer(PollAnswer answer);
}
