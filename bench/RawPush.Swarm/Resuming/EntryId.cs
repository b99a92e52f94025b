using System.Buffers.Text;
using System.Globalization;

namespace RawPush.Swarm.Resuming;

/// <summary>Where a message stands among all that a server has published: <c>epoch-sequence</c>, hexadecimal and decimal.</summary>
/// <param name="Epoch">One life of the server's log. Sequences of two epochs say nothing of each other.</param>
/// <param name="EpochDigits">How many digits the server writes it with, so that it gets back what it wrote.</param>
/// <param name="Sequence">Grows from message to message, over all channels.</param>
internal readonly record struct EntryId(ulong Epoch, int EpochDigits, long Sequence)
{
    public static bool TryRead(ReadOnlySpan<byte> text, out EntryId id)
    {
        id = default;
        int dash = text.IndexOf((byte)'-');
        if (dash < 0
            || !Utf8Parser.TryParse(text[..dash], out ulong epoch, out int epochDigits, 'x') || epochDigits != dash
            || !Utf8Parser.TryParse(text[(dash + 1)..], out long sequence, out int digits) || digits != text.Length - dash - 1)
        {
            return false;
        }

        id = new EntryId(epoch, epochDigits, sequence);
        return true;
    }

    public bool IsOfEpochOf(EntryId other) => Epoch == other.Epoch;

    /// <summary>False also where the epochs differ, since nobody can know.</summary>
    public bool IsAfter(EntryId other) => IsOfEpochOf(other) && Sequence > other.Sequence;

    /// <summary>The contrary of <see cref="IsAfter"/> where the two can be compared.</summary>
    public bool IsNotAfter(EntryId other) => IsOfEpochOf(other) && Sequence <= other.Sequence;

    public override string ToString() =>
        Epoch.ToString("x" + EpochDigits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + "-" + Sequence.ToString(CultureInfo.InvariantCulture);
}
