namespace RawPush.Swarm.Hostile;

/// <summary>What became of the connections that behaved in one way. Those that are in neither of the last two have left by themselves, or are still there.</summary>
/// <param name="Begun">Connections.</param>
/// <param name="Refused">Answered with a status that is a refusal.</param>
/// <param name="Ended">Ended by the server, with a Close frame or without.</param>
internal sealed record HostileCount(long Begun, long Refused, long Ended)
{
    public static readonly HostileCount None = new(0, 0, 0);

    public static HostileCount operator +(HostileCount left, HostileCount right) =>
        new(left.Begun + right.Begun, left.Refused + right.Refused, left.Ended + right.Ended);

    /// <summary>Adds up what several workers have counted.</summary>
    public static SortedDictionary<string, HostileCount> Sum(IEnumerable<SortedDictionary<string, HostileCount>?> counts)
    {
        var sum = new SortedDictionary<string, HostileCount>(StringComparer.Ordinal);
        foreach (var (name, count) in counts.SelectMany(some => some ?? []))
        {
            sum[name] = sum.GetValueOrDefault(name, None) + count;
        }

        return sum;
    }
}
