using System.Text;

namespace RawPush.Swarm.Dialects;

/// <summary>How to talk to one kind of server: what to send, and what is around the payloads that come back.</summary>
internal abstract class Dialect
{
    /// <summary>After the head, the stream is WebSocket frames.</summary>
    public virtual bool IsFramed => true;

    /// <summary>Sent by the client every so often, or the server thinks it dead. Null: the server's own pings suffice.</summary>
    public virtual byte[]? KeepAlive => null;

    /// <summary>Makes the request that opens a subscription.</summary>
    public abstract byte[] Request(string host, string target, string channel);

    /// <summary>Sent behind the response head, to subscribe. Empty for most.</summary>
    public virtual byte[] AfterOpen(string channel) => [];

    /// <summary>One message that the server sends back to this client.</summary>
    public virtual byte[] Echo(ReadOnlySpan<byte> payload) => ClientFrame.Make(ClientFrame.Text, payload);

    /// <summary>An answer that the data asks for, below the level of WebSocket pings. Null for none.</summary>
    public virtual byte[]? AnswerTo(ReadOnlySpan<byte> data) => null;

    /// <summary>The dialect of a name; <paramref name="offersDeflate"/> counts for "ws" only.</summary>
    public static Dialect Of(string name, bool offersDeflate) => name switch
    {
        "ws" => new WebSocketDialect(offersDeflate),
        "sse" => new EventStreamDialect(),
        "longpoll" => new LongPollDialect(),
        "signalr" => new SignalRDialect(),
        "nats" => new NatsDialect(),
        "mqtt" => new MqttDialect(),
        _ => throw new ArgumentException($"'{name}' is no dialect; there are ws, sse, longpoll, signalr, nats and mqtt"),
    };

    protected static byte[] UpgradeRequest(string host, string target, string? subprotocol, string fields = "") => Encoding.ASCII.GetBytes(
        $"GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: c3dhcm0gb2YgY2xpZW50cw==\r\nSec-WebSocket-Version: 13\r\n" +
        (subprotocol is null ? string.Empty : $"Sec-WebSocket-Protocol: {subprotocol}\r\n") + fields + "\r\n");
}
