namespace RawPush.Server.Tests.Fixture;

/// <summary>Request heads as clients write them. Further fields are whole lines, each with its CR LF.</summary>
internal static class Heads
{
    /// <summary>The key of RFC 6455 section 1.3, and the answer that section gives to it.</summary>
    public const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    public const string Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    public static string Upgrade(string target, string fields = "") =>
        $"GET {target} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {Key}\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n";

    public static string Events(string target, string fields = "") => $"GET {target} HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n{fields}\r\n";

    public static string Lines(string target, string fields = "") => $"GET {target} HTTP/1.1\r\nHost: h\r\nAccept: application/x-ndjson\r\n{fields}\r\n";

    public static string Get(string target, string fields = "") => $"GET {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n";
}
