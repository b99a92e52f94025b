namespace RawPush.Protocol.Http;

/// <summary>How to answer a head that was refused.</summary>
/// <param name="StatusCode">The HTTP status code: 400, 414, 431 or 505.</param>
/// <param name="Reason">One line of plain text for the response body and the log. A constant: it never repeats what the client sent.</param>
public readonly record struct HeadRefusal(int StatusCode, string Reason);
