using System.Text;

namespace RawPush.Fanout.Channels;

/// <summary>What a message may have beyond its payload. Each text is 1 to 255 bytes of UTF-8 without control characters, or null.</summary>
public sealed record MessageTraits
{
    /// <summary>Longest text, in bytes of UTF-8.</summary>
    public const int TextBytesMax = 255;

    /// <summary>Its kind, for the client: the <c>event</c> of a server-sent event, and of the envelopes in JSON.</summary>
    public string? EventName { get; init; }

    /// <summary>What it is the newest state of. Where channels conflate, an entry replaces the one with the same key.</summary>
    public string? Key { get; init; }

    /// <summary>Publishing again with the same key, while the message is kept, publishes nothing and answers with the first one's id. Needs history.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>How long it is of use: nobody is sent it later, nor told. Null: as long as the channel keeps it.</summary>
    public TimeSpan? Expires { get; init; }

    /// <summary>Whether an event name is one of ours.</summary>
    internal static bool IsReservedEvent(string name) => name.StartsWith("rawpush.", StringComparison.Ordinal);

    /// <summary>Whether a text may be one of a message's traits.</summary>
    internal static bool IsText(string text) => text.Length is > 0 and <= TextBytesMax && Encoding.UTF8.GetByteCount(text) <= TextBytesMax && !text.Any(char.IsControl);
}
