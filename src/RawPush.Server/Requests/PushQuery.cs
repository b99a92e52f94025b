using System.Buffers.Text;
using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Protocol.Http;

namespace RawPush.Server.Requests;

/// <summary>What the query of a subscription asks for. Names that are not ours are somebody else's business.</summary>
internal sealed class PushQuery
{
    /// <summary>Longest wait of a long poll, in seconds. Proxies mostly give up earlier.</summary>
    public const int WaitSecondsMax = 300;

    /// <summary>Most messages in the answer to a poll, and most that <c>last=</c> reaches back.</summary>
    public const int LimitMax = 1000;

    private const int LimitDefault = 100;

    /// <summary>Whether messages come in a JSON envelope; null if it does not say.</summary>
    public bool? IsJson { get; private set; }

    /// <summary>Where to start; null if it does not say.</summary>
    public StartPoint? Start { get; private set; }

    /// <summary>How long a poll waits, in seconds; 0 not at all.</summary>
    public int WaitSeconds { get; private set; }

    /// <summary>Most messages in the answer to a poll.</summary>
    public int Limit { get; private set; } = LimitDefault;

    /// <summary>Reads it. Null: it is wrong, and <paramref name="error"/> says why.</summary>
    public static PushQuery? TryRead(ReadOnlySpan<byte> query, out string error)
    {
        var result = new PushQuery();
        var reader = new QueryReader(query);
        error = string.Empty;
        while (reader.TryRead(out var name, out var value))
        {
            if (!result.TrySet(name, value, ref error))
            {
                return null;
            }
        }

        return result;
    }

    /// <summary>Reads a position as a client sends it back.</summary>
    public static bool TryReadPosition(ReadOnlySpan<byte> text, out StartPoint start)
    {
        bool isId = text.Length <= MessageId.LengthMax & MessageId.TryParse(Encoding.Latin1.GetString(text), out var id);
        start = StartPoint.After(id);
        return isId;
    }

    private bool TrySet(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref string error)
    {
        if (name.SequenceEqual("format"u8))
        {
            error = "format is raw or json";
            IsJson = value.SequenceEqual("json"u8);
            return IsJson == true || value.SequenceEqual("raw"u8);
        }

        if (name.SequenceEqual("after"u8))
        {
            error = "after is the id of a message, earliest, or latest";
            return TrySetAfter(value);
        }

        if (name.SequenceEqual("last"u8))
        {
            error = $"last is a number of messages from 1 to {LimitMax}";
            bool isRead = TryReadNumber(value, 1, LimitMax, out int count);
            Start = isRead ? StartPoint.Last(count) : null;
            return isRead;
        }

        if (name.SequenceEqual("wait"u8))
        {
            error = $"wait is a number of seconds from 0 to {WaitSecondsMax}";
            bool isRead = TryReadNumber(value, 0, WaitSecondsMax, out int seconds);
            WaitSeconds = seconds;
            return isRead;
        }

        if (name.SequenceEqual("limit"u8))
        {
            error = $"limit is a number of messages from 1 to {LimitMax}";
            bool isRead = TryReadNumber(value, 1, LimitMax, out int limit);
            Limit = limit;
            return isRead;
        }

        return true;
    }

    private bool TrySetAfter(ReadOnlySpan<byte> value)
    {
        if (value.SequenceEqual("earliest"u8))
        {
            Start = StartPoint.Earliest;
        }
        else if (value.SequenceEqual("latest"u8))
        {
            Start = StartPoint.Latest;
        }
        else if (TryReadPosition(value, out var start))
        {
            Start = start;
        }
        else
        {
            return false;
        }

        return true;
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> text, int min, int max, out int number) =>
        Utf8Parser.TryParse(text, out number, out int consumed) && consumed == text.Length && char.IsAsciiDigit((char)text[0]) && number >= min && number <= max;
}
