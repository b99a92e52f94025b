using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace RawPush.Fanout.Channels;

/// <summary>The name of a channel: 1 to 255 bytes of UTF-8, tokens separated by dots, as in a NATS subject: <c>orders.eu.created</c>.</summary>
/// <remarks>
/// A valid name needs no escaping anywhere we write it: not in a URL's list of channels, not in JSON, not in an SSE field, and it is a legal
/// NATS subject. That is why white space, control characters and <c>* &gt; , / ? # % " \</c> are not allowed in it. The first token
/// <c>rawpush</c> is ours (<c>rawpush.gap</c> is an SSE event name).
/// </remarks>
public readonly struct ChannelName : IEquatable<ChannelName>
{
    /// <summary>Longest name, in bytes of UTF-8.</summary>
    public const int BytesMax = 255;

    private const string ReservedToken = "rawpush";

    private static readonly SearchValues<char> Forbidden = SearchValues.Create("*>,/?#%\"\\");

    private readonly string? _value;

    /// <param name="value">Known to be valid.</param>
    internal ChannelName(string value) => _value = value;

    /// <summary>The name as text. Empty for <c>default</c>, which names no channel.</summary>
    public string Value => _value ?? string.Empty;

    /// <summary>Reads a name. On failure, <paramref name="error"/> is one sentence a client may be shown.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out ChannelName name, [NotNullWhen(false)] out string? error)
    {
        name = default;
        if (utf8.Length > BytesMax)
        {
            error = TooLong;
            return false;
        }

        Span<char> text = stackalloc char[BytesMax];
        if (System.Text.Unicode.Utf8.ToUtf16(utf8, text, out _, out int length, replaceInvalidSequences: false) != OperationStatus.Done)
        {
            error = "a channel name must be UTF-8";
            return false;
        }

        error = FindFault(text[..length]);
        if (error is not null)
        {
            return false;
        }

        name = new ChannelName(text[..length].ToString());
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out ChannelName, out string?)"/>
    public static bool TryParse(string text, out ChannelName name, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        error = text.Length > BytesMax || Encoding.UTF8.GetByteCount(text) > BytesMax ? TooLong : FindFault(text);
        name = error is null ? new ChannelName(text) : default;
        return error is null;
    }

    /// <summary>Reads a name that is expected to be right.</summary>
    /// <exception cref="FormatException">The name is not valid; the message says why.</exception>
    public static ChannelName Parse(string text) =>
        TryParse(text, out var name, out string? error) ? name : throw new FormatException(error);

    /// <inheritdoc/>
    public bool Equals(ChannelName other) => Value == other.Value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ChannelName other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    /// <summary>Same name, byte for byte.</summary>
    public static bool operator ==(ChannelName left, ChannelName right) => left.Equals(right);

    /// <summary>Not the same name.</summary>
    public static bool operator !=(ChannelName left, ChannelName right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => Value;

    private static string TooLong => "a channel name is at most 255 bytes long";

    private static string? FindFault(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return "a channel name must not be empty";
        }

        if (text.ContainsAny(Forbidden))
        {
            return "a channel name must not contain any of * > , / ? # % \" \\";
        }

        foreach (char c in text)
        {
            if (char.IsControl(c) || char.IsWhiteSpace(c))
            {
                return "a channel name must not contain white space or control characters";
            }
        }

        return FindTokenFault(text);
    }

    private static string? FindTokenFault(ReadOnlySpan<char> text)
    {
        bool isFirst = true;
        foreach (var range in text.Split('.'))
        {
            var token = text[range];
            if (token.IsEmpty)
            {
                return "a channel name must not start or end with a dot, nor have two in a row";
            }

            if (isFirst && token.SequenceEqual(ReservedToken))
            {
                return "channel names under 'rawpush' are reserved";
            }

            isFirst = false;
        }

        return HasLoneSurrogate(text) ? "a channel name must be UTF-8" : null;
    }

    private static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            // Enumeration replaces what is no scalar value; a name that really holds U+FFFD is text that was already damaged.
            if (rune == Rune.ReplacementChar)
            {
                return true;
            }
        }

        return false;
    }
}
