namespace RawPush.Fanout.Formats;

/// <summary>A way in which an entry can stand on a wire. All subscribers that share a format share the bytes.</summary>
public enum WireFormat : byte
{
    /// <summary>The payload as one WebSocket message, text or binary as it was published.</summary>
    WebSocketRaw,

    /// <summary>A WebSocket text message <c>{"channel":…,"id":…,"data":…}</c>; binary payloads are base64 and say <c>"encoding":"base64"</c>.</summary>
    WebSocketJson,

    /// <summary>A server-sent event with <c>id</c> and <c>data</c>; binary payloads are base64.</summary>
    ServerSentEvent,

    /// <summary>The same with the channel's name in <c>event</c>, where the message has no event name of its own, for connections to several channels.</summary>
    ServerSentEventNamed,

    /// <summary>A server-sent event with <c>id</c>, and as <c>data</c> the envelope of <see cref="WebSocketJson"/>. For patterns: a page cannot listen to names that it does not know.</summary>
    ServerSentEventJson,

    /// <summary>The same envelope as in <see cref="WebSocketJson"/>, on a line of its own.</summary>
    JsonLine,

    /// <summary>As <see cref="WebSocketRaw"/>, deflated where that makes it shorter (RFC 7692). For clients that agreed to permessage-deflate.</summary>
    WebSocketRawDeflated,

    /// <summary>As <see cref="WebSocketJson"/>, deflated where that makes it shorter.</summary>
    WebSocketJsonDeflated,
}

/// <summary>What can be asked of formats.</summary>
public static class WireFormats
{
    internal const WireFormat Last = WireFormat.WebSocketJsonDeflated;

    /// <summary>Whether messages stand on the wire without a place for anything else.</summary>
    public static bool IsRaw(this WireFormat format) => format is WireFormat.WebSocketRaw or WireFormat.WebSocketRawDeflated;

    /// <summary>The format whose messages are deflated where that makes them shorter.</summary>
    public static WireFormat Deflated(this WireFormat format) => format switch
    {
        WireFormat.WebSocketRaw => WireFormat.WebSocketRawDeflated,
        WireFormat.WebSocketJson => WireFormat.WebSocketJsonDeflated,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Only WebSocket messages can be deflated."),
    };
}
