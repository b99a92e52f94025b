using System.Text;
using RawPush.Protocol.Http;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Hosting;

namespace RawPush.Server.Requests;

/// <summary>What a request says that matters for a push. Filled line by line, by our own parser or from a request of ASP.NET Core.</summary>
internal sealed class PushRequest
{
    private byte[] _target = [];
    private byte[] _subprotocols = [];
    private byte[] _extensions = [];
    private byte[] _lastEventId = [];
    private byte[] _ifNoneMatch = [];
    private byte[] _forwarded = [];
    private byte[] _user = [];
    private int _userFields;
    private bool _upgradesToWebSocket;
    private bool _connectionSaysUpgrade;
    private bool _connectionSaysClose;
    private bool _connectionSaysKeepAlive;
    private bool _hasKey;
    private byte[]? _webSocketVersion;

    public bool IsGet { get; private set; }

    /// <summary>The client wants the head that GET would have, and no body (RFC 9110 section 9.3.2).</summary>
    public bool IsHead { get; private set; }

    public Protocol.Http.HttpVersion Version { get; private set; }

    /// <summary>The client wants a WebSocket (RFC 6455 section 4.2.1). Whether it asks in the right way is another question. HEAD never does.</summary>
    public bool IsUpgrade => _upgradesToWebSocket && _connectionSaysUpgrade && !IsHead;

    public bool AcceptsEventStream { get; private set; }

    public bool AcceptsJsonLines { get; private set; }

    /// <summary>Neither a WebSocket nor a stream: one answer, now or when there is something to say.</summary>
    public bool IsPoll => !IsUpgrade && !AcceptsEventStream && !AcceptsJsonLines;

    /// <summary>It gets one answer, and another request may follow.</summary>
    public bool IsAnsweredOnce => IsPoll || IsHead;

    /// <summary>Its path names channels.</summary>
    public bool IsChannel => PushRoutes.TryGetChannels(Target.Path, out _);

    /// <summary>The client wants no further request on this connection (RFC 9112 section 9.3).</summary>
    public bool WantsClose => _connectionSaysClose || (Version == Protocol.Http.HttpVersion.Http10 && !_connectionSaysKeepAlive);

    /// <summary>Where an event stream was cut; empty if it says nothing (WHATWG HTML section 9.2.4).</summary>
    public ReadOnlySpan<byte> LastEventId => _lastEventId;

    /// <summary>The tags of answers that the client has (RFC 9110 section 13.1.2), as it wrote them.</summary>
    public ReadOnlySpan<byte> IfNoneMatch => _ifNoneMatch;

    /// <summary>The field that says whom it is forwarded for; null if that is of no interest.</summary>
    public ForwardedField? ForwardedField { get; init; }

    /// <summary>The hops that proxies have written down in that field.</summary>
    public ReadOnlySpan<byte> Forwarded => _forwarded;

    /// <summary>Name of the field in which a proxy says whose request it is; null if that is of no interest.</summary>
    public byte[]? UserField { get; init; }

    /// <summary>What that says; empty for nothing. Whoever wrote it.</summary>
    public ReadOnlySpan<byte> User => _user;

    /// <summary>It says so once. Otherwise a client has, and a proxy too.</summary>
    public bool HasOneUser => _userFields == 1;

    public bool HasBody { get; private set; }

    /// <summary>The answer to the client's key; null if there was no valid key, or more than one.</summary>
    public byte[]? WebSocketAccept { get; private set; }

    public bool HasSupportedVersion => _webSocketVersion is { } version && version.AsSpan().SequenceEqual("13"u8);

    public ReadOnlySpan<byte> Subprotocols => _subprotocols;

    /// <summary>The WebSocket extensions that the client offers (RFC 6455 section 9.1).</summary>
    public ReadOnlySpan<byte> Extensions => _extensions;

    /// <summary>The target, taken apart. It was judged when the request line came.</summary>
    public RequestTarget Target => RequestTarget.TryParse(_target, out var target) ? target : throw new InvalidOperationException("The request line is not there yet.");

    /// <summary>As new, for another request.</summary>
    public void Reset()
    {
        _target = _subprotocols = _extensions = _lastEventId = _ifNoneMatch = _forwarded = _user = [];
        _userFields = 0;
        _upgradesToWebSocket = _connectionSaysUpgrade = _connectionSaysClose = _connectionSaysKeepAlive = _hasKey = false;
        _webSocketVersion = null;
        IsGet = IsHead = AcceptsEventStream = AcceptsJsonLines = HasBody = false;
        WebSocketAccept = null;
    }

    public void SetRequestLine(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, Protocol.Http.HttpVersion version)
    {
        IsGet = method.SequenceEqual("GET"u8);
        IsHead = method.SequenceEqual("HEAD"u8);
        Version = version;
        _target = target.ToArray();
    }

    public void AddField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (UserField is { } user && name.Length == user.Length && Ascii.EqualsIgnoreCase(name, user))
        {
            AddUser(value);
        }

        // By length first: most fields are none of ours.
        switch (name.Length)
        {
            case 6 when Is(name, "accept"u8):
                AcceptsEventStream |= FieldValue.AcceptsMediaType(value, "text/event-stream"u8);
                AcceptsJsonLines |= FieldValue.AcceptsMediaType(value, "application/x-ndjson"u8);
                break;
            case 7 when Is(name, "upgrade"u8):
                _upgradesToWebSocket |= FieldValue.ContainsToken(value, "websocket"u8);
                break;
            case 9 when ForwardedField is Hosting.ForwardedField.Forwarded && Is(name, "forwarded"u8):
                _forwarded = Join(_forwarded, value);
                break;
            case 10 when Is(name, "connection"u8):
                _connectionSaysUpgrade |= FieldValue.ContainsToken(value, "upgrade"u8);
                _connectionSaysClose |= FieldValue.ContainsToken(value, "close"u8);
                _connectionSaysKeepAlive |= FieldValue.ContainsToken(value, "keep-alive"u8);
                break;
            case 13 when Is(name, "last-event-id"u8):
                _lastEventId = value.ToArray();
                break;
            case 13 when Is(name, "if-none-match"u8):
                _ifNoneMatch = Join(_ifNoneMatch, value);
                break;
            case 14 when Is(name, "content-length"u8):
                HasBody |= !value.SequenceEqual("0"u8);
                break;
            case 15 when ForwardedField is Hosting.ForwardedField.XForwardedFor && Is(name, "x-forwarded-for"u8):
                _forwarded = Join(_forwarded, value);
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
                _subprotocols = Join(_subprotocols, value);
                break;
            case 24 when Is(name, "sec-websocket-extensions"u8):
                _extensions = Join(_extensions, value);
                break;
        }
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(name, lowerCase);

    private void AddUser(ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            _user = value.ToArray();
        }

        _userFields++;
    }

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

    // A field that holds a list may come several times, and means the same as one with all the values (RFC 9110 section 5.3, RFC 6455 section 11.3.4).
    private static byte[] Join(byte[] list, ReadOnlySpan<byte> value) => list.Length == 0 ? value.ToArray() : [.. list, (byte)',', .. value];
}
