using RawPush.Protocol.Http;

namespace RawPush.Protocol.WebSockets.Deflate;

/// <summary>Walks through a Sec-WebSocket-Extensions list (RFC 6455, section 9.1).</summary>
/// <remarks>
/// <code>
/// list      = 1#( token *( ";" parameter ) )
/// parameter = token [ "=" ( token | quoted-string whose content is a token ) ]
/// </code>
/// White space may stand around everything but "=", where it is tolerated; empty elements are passed over (RFC 9110, section 5.6.1.2).
/// </remarks>
internal ref struct ExtensionReader(ReadOnlySpan<byte> list)
{
    private ReadOnlySpan<byte> _rest = list;

    /// <summary>What was read is not such a list. Nothing more is read then.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>The next extension's name. False at the end. All parameters of the one before must have been read.</summary>
    public bool TryReadName(out ReadOnlySpan<byte> name)
    {
        SkipWhitespace();
        while (!IsMalformed && _rest is [(byte)',', ..])
        {
            _rest = _rest[1..];
            SkipWhitespace();
        }

        name = default;
        return !IsMalformed && !_rest.IsEmpty && TryReadToken(out name) && EndsHere();
    }

    /// <summary>The next parameter of the extension. False: it has no more.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value without quotes.</param>
    /// <param name="hasValue">Whether it has one.</param>
    public bool TryReadParameter(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out bool hasValue)
    {
        name = value = default;
        hasValue = false;
        SkipWhitespace();
        if (IsMalformed || _rest is not [(byte)';', ..])
        {
            return false;
        }

        _rest = _rest[1..];
        SkipWhitespace();
        if (!TryReadToken(out name))
        {
            return false;
        }

        SkipWhitespace();
        if (_rest is [(byte)'=', ..])
        {
            hasValue = true;
            _rest = _rest[1..];
            SkipWhitespace();
            return TryReadValue(out value) && EndsHere();
        }

        return EndsHere();
    }

    private bool TryReadValue(out ReadOnlySpan<byte> value)
    {
        if (_rest is not [(byte)'"', ..])
        {
            return TryReadToken(out value);
        }

        // Section 9.1: a token in quotes. Backslashes, which no token needs, are left in it, so that it is equal to nothing.
        int length = QuotedLength(_rest[1..]);
        if (length <= 0)
        {
            IsMalformed = true;
            value = default;
            return false;
        }

        value = _rest.Slice(1, length);
        _rest = _rest[(length + 2)..];
        IsMalformed |= !value.Contains((byte)'\\') && !HttpSyntax.IsToken(value);
        return !IsMalformed;
    }

    /// <summary>Bytes up to the quote that ends the string (RFC 9110, section 5.6.4); −1 if there is none.</summary>
    private static int QuotedLength(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                return i;
            }

            i += text[i] == '\\' ? 1 : 0;
        }

        return -1;
    }

    private bool TryReadToken(out ReadOnlySpan<byte> token)
    {
        int length = HttpSyntax.TokenLength(_rest);
        token = _rest[..length];
        _rest = _rest[length..];
        IsMalformed |= length == 0;
        return length > 0;
    }

    /// <summary>Behind a name or a parameter comes a separator, or nothing.</summary>
    private bool EndsHere()
    {
        SkipWhitespace();
        IsMalformed |= !_rest.IsEmpty && _rest[0] is not ((byte)',' or (byte)';');
        return !IsMalformed;
    }

    private void SkipWhitespace() => _rest = _rest.TrimStart(" \t"u8);
}
