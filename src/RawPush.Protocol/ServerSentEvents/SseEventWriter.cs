using System.Buffers.Text;

namespace RawPush.Protocol.ServerSentEvents;

/// <summary>Writes an event stream (HTML Standard, section 9.2, "Server-sent events").</summary>
/// <remarks>
/// <para>One event on the wire, the first two lines only when there is something to say:</para>
/// <code>
/// id: 42\n
/// event: price\n
/// data: first line\n
/// data: second line\n
/// \n
/// </code>
/// <para>Every method is pure: it writes whole items into memory of the caller and keeps nothing. Text must be UTF-8, because the stream has no
/// other encoding (section 9.2.5); this is the caller's promise and is not checked.</para>
/// </remarks>
public static class SseEventWriter
{
    /// <summary>The most bytes <see cref="WriteRetry"/> writes.</summary>
    public const int RetryBytesMax = 18;   // "retry: 2147483647\n"

    // A client removes exactly one space after the colon (section 9.2.6). Always writing it is what makes a leading space of the data survive.
    private static ReadOnlySpan<byte> IdPrefix => "id: "u8;

    private static ReadOnlySpan<byte> NamePrefix => "event: "u8;

    private static ReadOnlySpan<byte> DataPrefix => "data: "u8;

    private static ReadOnlySpan<byte> CommentPrefix => ": "u8;

    private static ReadOnlySpan<byte> RetryPrefix => "retry: "u8;

    /// <summary>Bytes that <see cref="WriteEvent"/> would write, exactly. One vectorised pass over the data.</summary>
    /// <exception cref="OverflowException">The event would be larger than 2 GiB.</exception>
    public static int GetEventLength(ReadOnlySpan<byte> id, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> data) => checked(
        GetFieldLength(IdPrefix, id) + GetFieldLength(NamePrefix, eventName) + GetLinesLength(DataPrefix, data) + 1);

    /// <summary>Writes one event.</summary>
    /// <param name="destination">At least <see cref="GetEventLength"/> bytes; must not overlap the other arguments.</param>
    /// <param name="id">The last event ID a client returns with when it reconnects; empty leaves the field out and the client keeps the one before.</param>
    /// <param name="eventName">The event type; empty leaves the field out and the client calls it <c>message</c>.</param>
    /// <param name="data">CR, LF and CR LF each end a line, and the client sees LF for all three. Empty data is dispatched as an empty string.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentException">The id or the name holds CR, LF or NUL, or the destination is too short.</exception>
    public static int WriteEvent(Span<byte> destination, ReadOnlySpan<byte> id, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> data)
    {
        ThrowIfNotOneLine(id, nameof(id));
        ThrowIfNotOneLine(eventName, nameof(eventName));

        int written = 0;
        if (!id.IsEmpty)
        {
            WriteLine(destination, ref written, IdPrefix, id);
        }

        if (!eventName.IsEmpty)
        {
            WriteLine(destination, ref written, NamePrefix, eventName);
        }

        WriteLines(destination, ref written, DataPrefix, data);
        Append(destination, ref written, "\n"u8);
        return written;
    }

    /// <summary>Bytes that <see cref="WriteComment"/> would write, exactly.</summary>
    /// <exception cref="OverflowException">The comment would be larger than 2 GiB.</exception>
    public static int GetCommentLength(ReadOnlySpan<byte> comment) => GetLinesLength(CommentPrefix, comment);

    /// <summary>Writes a comment, which clients skip. Sent now and then it keeps proxies from closing an idle stream (section 9.2.7).</summary>
    /// <param name="destination">At least <see cref="GetCommentLength"/> bytes.</param>
    /// <param name="comment">May be empty; may be several lines.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public static int WriteComment(Span<byte> destination, ReadOnlySpan<byte> comment)
    {
        int written = 0;
        WriteLines(destination, ref written, CommentPrefix, comment);
        return written;
    }

    /// <summary>Writes how long a client waits before it reconnects. Takes effect at once; no event need follow.</summary>
    /// <param name="destination">At most <see cref="RetryBytesMax"/> bytes are needed.</param>
    /// <param name="milliseconds">From 0.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public static int WriteRetry(Span<byte> destination, int milliseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(milliseconds);

        Span<byte> digits = stackalloc byte[10];
        Utf8Formatter.TryFormat(milliseconds, digits, out int length);
        int written = 0;
        WriteLine(destination, ref written, RetryPrefix, digits[..length]);
        return written;
    }

    private static int GetFieldLength(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> value) =>
        value.IsEmpty ? 0 : checked(prefix.Length + value.Length + 1);

    private static int GetLinesLength(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> text)
    {
        int length = 0;
        bool isLast;
        do
        {
            length = checked(length + prefix.Length + TakeLine(ref text, out isLast).Length + 1);
        }
        while (!isLast);
        return length;
    }

    private static void WriteLines(Span<byte> destination, ref int written, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> text)
    {
        bool isLast;
        do
        {
            WriteLine(destination, ref written, prefix, TakeLine(ref text, out isLast));
        }
        while (!isLast);
    }

    /// <summary>Takes the text up to its next line end, and the line end with it. Text that ends with one has an empty line after it.</summary>
    private static ReadOnlySpan<byte> TakeLine(ref ReadOnlySpan<byte> text, out bool isLast)
    {
        int end = text.IndexOfAny((byte)'\r', (byte)'\n');
        isLast = end < 0;
        if (isLast)
        {
            return text;
        }

        ReadOnlySpan<byte> line = text[..end];
        int endLength = text[end..].StartsWith("\r\n"u8) ? 2 : 1;
        text = text[(end + endLength)..];
        return line;
    }

    private static void WriteLine(Span<byte> destination, ref int written, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> value)
    {
        Append(destination, ref written, prefix);
        Append(destination, ref written, value);
        Append(destination, ref written, "\n"u8);
    }

    private static void Append(Span<byte> destination, ref int written, ReadOnlySpan<byte> bytes)
    {
        if (!bytes.TryCopyTo(destination[written..]))
        {
            throw new ArgumentException("The destination is too short for the item.", nameof(destination));
        }

        written += bytes.Length;
    }

    private static void ThrowIfNotOneLine(ReadOnlySpan<byte> value, string name)
    {
        // A line end would let the value write fields of its own; and an id with NUL is ignored by clients (section 9.2.6).
        if (value.ContainsAny((byte)'\r', (byte)'\n', (byte)'\0'))
        {
            throw new ArgumentException("An event's id and name must not hold CR, LF or NUL.", name);
        }
    }
}
