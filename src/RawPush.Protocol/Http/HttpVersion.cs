namespace RawPush.Protocol.Http;

/// <summary>The versions of HTTP whose head this library reads (RFC 9112, section 2.3).</summary>
public enum HttpVersion : byte
{
    /// <summary>HTTP/1.0: no Host field is demanded, and a connection ends after one response.</summary>
    Http10,

    /// <summary>HTTP/1.1.</summary>
    Http11,
}
