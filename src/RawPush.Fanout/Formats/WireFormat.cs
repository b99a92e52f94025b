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

    /// <summary>The same with the channel's name in <c>event</c>, for connections to several channels.</summary>
    ServerSentEventNamed,
}
