using System.Text;

namespace RawPush.Swarm.Dialects;

/// <summary>A WebSocket whose address says the channel: RawPush, ASP.NET Core, ws, uWebSockets, nchan.</summary>
internal sealed class WebSocketDialect(bool offersDeflate) : Dialect
{
    public override byte[] Request(string host, string target, string channel) => UpgradeRequest(host, target, null, offersDeflate ? DeflateOffer.Field : string.Empty);
}

/// <summary>Server-Sent Events.</summary>
internal sealed class EventStreamDialect : Dialect
{
    public override bool IsFramed => false;

    public override byte[] Request(string host, string target, string channel) =>
        Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n");
}

/// <summary>Long polls: the next request carries back what the last answer said of its place (<c>ETag</c>, <c>Last-Modified</c>).</summary>
internal sealed class LongPollDialect : Dialect
{
    public override bool IsFramed => false;

    public override byte[] Request(string host, string target, string channel) => Next(host, target, null, null);

    public static byte[] Next(string host, string target, string? etag, string? lastModified) => Encoding.ASCII.GetBytes(
        $"GET {target} HTTP/1.1\r\nHost: {host}\r\n" +
        (etag is null ? string.Empty : $"If-None-Match: {etag}\r\n") +
        (lastModified is null ? string.Empty : $"If-Modified-Since: {lastModified}\r\n") + "\r\n");
}
