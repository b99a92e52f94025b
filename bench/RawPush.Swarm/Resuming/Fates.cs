using System.Globalization;

namespace RawPush.Swarm.Resuming;

/// <summary>What has become of all that was published, as its publishers know: for each channel the last number that was acknowledged, and the earlier ones of which they do not know.</summary>
internal sealed class Fates(IReadOnlyList<(uint Last, uint[] Unknown)> channels)
{
    /// <summary>The last number that was acknowledged; 0 if there is none.</summary>
    public uint LastOf(int channel) => channels[channel].Last;

    /// <summary>How many numbers of a range were acknowledged, so that whoever has not seen them has lost them.</summary>
    public int CountAcknowledged(int channel, uint from, uint to)
    {
        var (last, unknown) = channels[channel];
        uint end = Math.Min(to, last);
        return end < from ? 0 : (int)(end - from + 1) - unknown.Count(number => number >= from && number <= end);
    }

    /// <summary>Reads what <see cref="ToString"/> writes: a part for each channel, <c>LAST:UNKNOWN:UNKNOWN</c>, with commas between.</summary>
    public static Fates Read(string text) => new([.. text.Split(',').Select(ReadChannel)]);

    public override string ToString() => string.Join(',', channels.Select(channel => string.Join(':', channel.Unknown.Prepend(channel.Last))));

    private static (uint Last, uint[] Unknown) ReadChannel(string text)
    {
        uint[] numbers = [.. text.Split(':').Select(number => uint.Parse(number, CultureInfo.InvariantCulture))];
        return (numbers[0], numbers[1..]);
    }
}
