using System.Text;
using RawPush.Protocol.Http;
using RawPush.Protocol.WebSockets;

namespace RawPush.Server.Requests;

/// <summary>What a request says that matters for a push. Filled line by line, by our own parser or from a request of ASP.NET Core.</summary>
internal sealed class PushRequest
{
    private byte[] _target = [];
    private byte[] _subprotocols = [];
    private bool _upgradesToWebSocket;
    private bool _connectionSaysUpgrade;
    private bool _hasKey;
    private byte[]? _webSocketVersion;

    public bool IsGet { get; private set; }

    public Protocol.Http.HttpVersion Version { get; private set; }

    /// <summary>The client wants a WebSocket (RFC 6455 section 4.2.1). Whether it asks in the right way is another question.</summary>
    public bool IsUpgrade => _upgradesToWebSocket && _connectionSaysUpgrade;

    public bool AcceptsEventStream { get; private set; }

    public bool HasBody { get; private set; }

    /// <summary>The answer to the client's key; null if there was no valid key, or more than one.</summary>
    public byte[]? WebSocketAccept { get; private set; }

    public bool HasSupportedVersion => _webSocketVersion is { } version && version.AsSpan().SequenceEqual("13"u8);

    public ReadOnlySpan<byte> Subprotocols => _subprotocols;

    /// <summary>The target, taken apart. It was judged when the request line came.</summary>
    public RequestTarget Target => RequestTarget.TryParse(_target, out var target) ? target : throw new InvalidOperationException("The request line is not there yet.");

    /// <summary>As new, for another request.</summary>
    public void Reset()
    {
        _target = _subprotocols = [];
        _upgradesToWebSocket = _connectionSaysUpgrade = _hasKey = false;
        _webSocketVersion = null;
        IsGet = AcceptsEventStream = HasBody = false;
        WebSocketAccept = null;
    }

    public void SetRequestLine(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, Protocol.Http.HttpVersion version)
    {
        IsGet = method.SequenceEqual("GET"u8);
        Version = version;
        _target = target.ToArray();
    }

    public void AddField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        // By length first: most fields are none of ours.
        switch (name.Length)
        {
            case 6 when Is(name, "accept"u8):
                AcceptsEventStream |= FieldValue.AcceptsMediaType(value, "text/event-stream"u8);
                break;
            case 7 when Is(name, "upgrade"u8):
                _upgradesToWebSocket |= FieldValue.ContainsToken(value, "websocket"u8);
                break;
            case 10 when Is(name, "connection"u8):
                _connectionSaysUpgrade |= FieldValue.ContainsToken(value, "upgrade"u8);
                break;
            case 14 when Is(name, "content-length"u8):
                HasBody |= !value.SequenceEqual("0"u8);
                break;
            case 17 when Is(name, "transfer-encoding"u8):
                HasBody = true;
                break;
            case 17 when Is(name, "sec-websocket-key"u8):
                AddKey(value);
                break;
            case 21 when Is(name, "sec-websocket-version"u8):
                // A second one makes neither of them the version.
                _webSocketVersion = _webSocketVersion is null ? value.ToArray() : [];
                break;
            case 22 when Is(name, "sec-websocket-protocol"u8):
                AddSubprotocols(value);
                break;
        }
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(name, lowerCase);

    private void AddKey(ReadOnlySpan<byte> value)
    {
        WebSocketAccept = null;
        if (!_hasKey && WebSocketHandshake.IsValidKey(value))
        {
            WebSocketAccept = new byte[WebSocketHandshake.AcceptLength];
            WebSocketHandshake.ComputeAccept(value, WebSocketAccept);
        }

        _hasKey = true;
    }

    // RFC 6455 section 11.3.4: the field may come several times, and means the same as one with all the values.
    private void AddSubprotocols(ReadOnlySpan<byte> value) =>
        _subprotocols = _subprotocols.Length == 0 ? value.ToArray() : [.. _subprotocols, (byte)',', .. value];
}
