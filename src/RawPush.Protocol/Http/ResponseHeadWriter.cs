using System.Buffers.Text;

namespace RawPush.Protocol.Http;

/// <summary>Writes the head of an HTTP/1.1 response into memory of the caller: a status line, fields, an end.</summary>
/// <remarks>
/// What it writes is ours, so whatever cannot be written is a bug of the caller and throws: a name that is not a token, a value with a
/// control character, memory that is too short. A value taken from a client must be checked before it comes here.
/// </remarks>
public ref struct ResponseHeadWriter
{
    private readonly Span<byte> _destination;
    private int _written;

    /// <summary>Starts a head with its status line.</summary>
    /// <param name="destination">Where to write; borrowed until <see cref="End"/>.</param>
    /// <param name="statusCode">One of 101, 200, 204, 304, 400, 401, 403, 404, 405, 406, 408, 413, 414, 426, 429, 431, 500, 503 and 505.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another status code.</exception>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public ResponseHeadWriter(Span<byte> destination, int statusCode)
    {
        _destination = destination;
        Append(StatusLine(statusCode));
    }

    /// <summary>Writes one field line.</summary>
    /// <param name="name">A token.</param>
    /// <param name="value">Any bytes but controls; HTAB is allowed.</param>
    /// <exception cref="ArgumentException">The name is not a token, the value holds a control (CR, LF, NUL), or the destination is too short.</exception>
    public void Field(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        if (!HttpSyntax.IsToken(name))
        {
            throw new ArgumentException("A field name must be a token.", nameof(name));
        }

        // RFC 9110, section 5.5. A CR or LF here would let whoever chose the value write fields, or a response, of their own.
        if (HttpSyntax.HasValueControl(value))
        {
            throw new ArgumentException("A field value must not hold a control character.", nameof(value));
        }

        Append(name);
        Append(": "u8);
        Append(value);
        Append("\r\n"u8);
    }

    /// <summary>Writes one field line whose value is a number in decimal, such as Content-Length.</summary>
    /// <exception cref="ArgumentException">The name is not a token, or the destination is too short.</exception>
    public void Field(scoped ReadOnlySpan<byte> name, int value)
    {
        Span<byte> digits = stackalloc byte[11];   // -2147483648
        Utf8Formatter.TryFormat(value, digits, out int length);
        Field(name, digits[..length]);
    }

    /// <summary>Writes the empty line that ends the head.</summary>
    /// <returns>Bytes of the whole head, from the start of the destination.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public int End()
    {
        Append("\r\n"u8);
        return _written;
    }

    private static ReadOnlySpan<byte> StatusLine(int statusCode) => statusCode switch
    {
        101 => "HTTP/1.1 101 Switching Protocols\r\n"u8,
        200 => "HTTP/1.1 200 OK\r\n"u8,
        204 => "HTTP/1.1 204 No Content\r\n"u8,
        304 => "HTTP/1.1 304 Not Modified\r\n"u8,
        400 => "HTTP/1.1 400 Bad Request\r\n"u8,
        401 => "HTTP/1.1 401 Unauthorized\r\n"u8,
        403 => "HTTP/1.1 403 Forbidden\r\n"u8,
        404 => "HTTP/1.1 404 Not Found\r\n"u8,
        405 => "HTTP/1.1 405 Method Not Allowed\r\n"u8,
        406 => "HTTP/1.1 406 Not Acceptable\r\n"u8,
        408 => "HTTP/1.1 408 Request Timeout\r\n"u8,
        413 => "HTTP/1.1 413 Content Too Large\r\n"u8,
        414 => "HTTP/1.1 414 URI Too Long\r\n"u8,
        426 => "HTTP/1.1 426 Upgrade Required\r\n"u8,
        429 => "HTTP/1.1 429 Too Many Requests\r\n"u8,
        431 => "HTTP/1.1 431 Request Header Fields Too Large\r\n"u8,
        500 => "HTTP/1.1 500 Internal Server Error\r\n"u8,
        503 => "HTTP/1.1 503 Service Unavailable\r\n"u8,
        505 => "HTTP/1.1 505 HTTP Version Not Supported\r\n"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "No status line is kept for this code."),
    };

    private void Append(scoped ReadOnlySpan<byte> bytes)
    {
        if (!bytes.TryCopyTo(_destination[_written..]))
        {
            throw new ArgumentException("The destination is too short for the response head.", nameof(bytes));
        }

        _written += bytes.Length;
    }
}
