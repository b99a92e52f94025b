using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Presence;

/// <summary>Users, each once, however many connections they have.</summary>
/// <param name="Count">How many there are. Where not all are named, one who is on several nodes may count on each of them.</param>
/// <param name="Names">Some of them, or all.</param>
/// <param name="IsComplete">All are named, and counted once.</param>
public sealed record UserList(long Count, IReadOnlyCollection<string> Names, bool IsComplete)
{
    /// <summary>Longest name, in bytes of UTF-8.</summary>
    public const int NameBytesMax = MessageTraits.TextBytesMax;

    /// <summary>Whether a text can name a user: 1 to 255 bytes of UTF-8, without control characters.</summary>
    public static bool IsName(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return MessageTraits.IsText(text);
    }
}
