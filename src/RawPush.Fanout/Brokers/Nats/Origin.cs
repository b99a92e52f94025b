using System.Globalization;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Who published a message and what the one before it was, so that whoever gets it knows what it has not got.</summary>
/// <param name="Node">The publishing node's epoch.</param>
/// <param name="Number">The message's number among those of the node.</param>
/// <param name="Previous">The number of the node's previous message on the same channel; 0 if that is forgotten, or there is none.</param>
/// <param name="SentMicroseconds">When, in Unix time.</param>
internal readonly record struct Origin(ulong Node, long Number, long Previous, long SentMicroseconds)
{
    /// <summary>Reads what <see cref="ToString"/> writes. False: it is not that.</summary>
    public static bool TryParse(string text, out Origin origin)
    {
        origin = default;
        Span<Range> parts = stackalloc Range[5];
        var span = text.AsSpan();
        if (span.Split(parts, ' ') != 4
            || !ulong.TryParse(span[parts[0]], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong node)
            || !TryParseNumber(span[parts[1]], out long number)
            || !TryParseNumber(span[parts[2]], out long previous)
            || !TryParseNumber(span[parts[3]], out long sent))
        {
            return false;
        }

        origin = new Origin(node, number, previous, sent);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Node:x} {Number} {Previous} {SentMicroseconds}");

    private static bool TryParseNumber(ReadOnlySpan<char> text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
