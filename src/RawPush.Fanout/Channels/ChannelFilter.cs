using System.Diagnostics.CodeAnalysis;

namespace RawPush.Fanout.Channels;

/// <summary>What can be subscribed to: a channel's name, or a pattern over names as in NATS: <c>*</c> stands for one token, <c>&gt;</c> at the end for one or more.</summary>
public readonly struct ChannelFilter : IEquatable<ChannelFilter>
{
    private readonly string? _value;

    private ChannelFilter(string value, bool isPattern)
    {
        _value = value;
        IsPattern = isPattern;
    }

    /// <summary>The filter as text. Empty for <c>default</c>, which matches nothing.</summary>
    public string Value => _value ?? string.Empty;

    /// <summary>It may match more than one channel.</summary>
    public bool IsPattern { get; }

    /// <summary>A name is the filter that matches the channel of that name.</summary>
    public static implicit operator ChannelFilter(ChannelName name) => FromName(name);

    /// <summary>The filter that matches one channel.</summary>
    public static ChannelFilter FromName(ChannelName name) => new(name.Value, isPattern: false);

    /// <summary>Reads a name or a pattern. On failure, <paramref name="error"/> is one sentence a client may be shown.</summary>
    public static bool TryParse(string text, out ChannelFilter filter, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        filter = default;
        bool isPattern = text.AsSpan().ContainsAny('*', '>');
        if (isPattern && FindWildcardFault(text) is { } fault)
        {
            error = fault;
            return false;
        }

        // Everything else that is said of names holds for patterns as well.
        if (!ChannelName.TryParse(isPattern ? text.Replace('*', 'x').Replace('>', 'x') : text, out _, out error))
        {
            return false;
        }

        filter = new ChannelFilter(text, isPattern);
        return true;
    }

    /// <summary>Reads a filter that is expected to be right.</summary>
    /// <exception cref="FormatException">It is not valid; the message says why.</exception>
    public static ChannelFilter Parse(string text) => TryParse(text, out var filter, out string? error) ? filter : throw new FormatException(error);

    /// <summary>Whether the channel is one of those meant.</summary>
    public bool Matches(ChannelName name) => Covers(name);

    /// <summary>Whether every channel that <paramref name="other"/> can mean is one of those meant here.</summary>
    public bool Covers(ChannelFilter other)
    {
        var mine = Value.AsSpan().Split('.');
        var theirs = other.Value.AsSpan().Split('.');
        while (mine.MoveNext())
        {
            var token = Value.AsSpan(mine.Current);
            if (!theirs.MoveNext())
            {
                return false;
            }

            if (token is ">")
            {
                return true;
            }

            var otherToken = other.Value.AsSpan(theirs.Current);
            if (otherToken is ">" || (token is not "*" && !token.SequenceEqual(otherToken)))
            {
                return false;
            }
        }

        return !theirs.MoveNext();
    }

    /// <summary>The one channel that is meant. Not of a pattern.</summary>
    internal ChannelName ToName() => new(Value);

    /// <inheritdoc/>
    public bool Equals(ChannelFilter other) => Value == other.Value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ChannelFilter other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    /// <summary>Same filter, byte for byte.</summary>
    public static bool operator ==(ChannelFilter left, ChannelFilter right) => left.Equals(right);

    /// <summary>Not the same filter.</summary>
    public static bool operator !=(ChannelFilter left, ChannelFilter right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => Value;

    private static string? FindWildcardFault(string text)
    {
        var tokens = text.Split('.');
        for (int i = 0; i < tokens.Length; i++)
        {
            if (tokens[i].Length > 1 && tokens[i].AsSpan().ContainsAny('*', '>'))
            {
                return "* and > stand for whole tokens of a channel name: a.* or a.>";
            }

            if (tokens[i] == ">" && i < tokens.Length - 1)
            {
                return "> stands for the rest of a channel name and comes last";
            }
        }

        return null;
    }
}
