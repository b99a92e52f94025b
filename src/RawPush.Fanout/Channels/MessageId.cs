using System.Globalization;

namespace RawPush.Fanout.Channels;

/// <summary>Where a message stands: <c>&lt;epoch&gt;-&lt;sequence&gt;</c>, for example <c>19a8c3f2b41e07d-42</c>.</summary>
/// <remarks>The sequence grows over all channels of a stream, so one id resumes any set of channels. It means something only within its epoch,
/// one incarnation of the stream.</remarks>
/// <param name="Epoch">The stream's incarnation, written in hexadecimal.</param>
/// <param name="Sequence">Position in the stream, from 1; 0 is before the first message.</param>
public readonly record struct MessageId(ulong Epoch, long Sequence)
{
    /// <summary>The longest id: 16 hexadecimal digits, a dash, 19 decimal digits.</summary>
    public const int LengthMax = 16 + 1 + 19;

    /// <summary>Writes the id as UTF-8. False when it does not fit; <see cref="LengthMax"/> bytes always suffice.</summary>
    public bool TryFormat(Span<byte> utf8Destination, out int bytesWritten) =>
        System.Text.Unicode.Utf8.TryWrite(utf8Destination, CultureInfo.InvariantCulture, $"{Epoch:x}-{Sequence}", out bytesWritten);

    /// <summary>Reads an id as a client sends it back. False if it is not one; ids are never guessed at.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MessageId id)
    {
        id = default;
        int dash = text.IndexOf('-');
        if (dash is < 1 or > 16
            || text.Contains('\0')   // which the parsers of numbers put up with at the end
            || !ulong.TryParse(text[..dash], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong epoch)
            || !long.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long sequence))
        {
            return false;
        }

        id = new MessageId(epoch, sequence);
        return true;
    }

    /// <summary>The id as text.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch:x}-{Sequence}");
}
