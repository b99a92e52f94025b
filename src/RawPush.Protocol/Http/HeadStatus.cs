namespace RawPush.Protocol.Http;

/// <summary>What <see cref="RequestHeadParser"/> says of the bytes it was given.</summary>
public enum HeadStatus
{
    /// <summary>The head is whole and sound; <see cref="RequestHeadParser.BytesConsumed"/> is its length.</summary>
    Done,

    /// <summary>Nothing is wrong so far. Call again with the same bytes and more.</summary>
    NeedMore,

    /// <summary>The head is malformed or too large; <see cref="RequestHeadParser.Refusal"/> says how to answer. Final.</summary>
    Refused,

    /// <summary>The handler left the request to somebody else after its request line. Final; no byte was taken.</summary>
    Declined,
}
