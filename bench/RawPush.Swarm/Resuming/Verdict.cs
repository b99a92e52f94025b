using System.Globalization;
using System.Text.Json.Serialization;

namespace RawPush.Swarm.Resuming;

/// <summary>Acknowledged messages that a client has not got, and what it saw around them.</summary>
/// <param name="Channel">Whose.</param>
/// <param name="From">The first of their numbers.</param>
/// <param name="To">The last.</param>
/// <param name="HeardAfter">The lives of nodes of which later messages came to the client, in the same epoch and without a notice.</param>
/// <param name="Story">In words.</param>
internal sealed record Loss(int Channel, uint From, uint To, int[] HeardAfter, string Story)
{
    public override string ToString() => $"lost {From} to {To} of channel {Channel}: {Story}";
}

/// <summary>What strict clients say of a server: counts, and the first faults in words.</summary>
internal sealed record Verdict
{
    // Enough to see a pattern; the counts say how often.
    private const int FaultsMax = 10;
    public const int LossesMax = 500;

    /// <summary>Messages that clients have processed.</summary>
    public long Delivered { get; set; }

    /// <summary>Messages that a client's channel had and the client did not get, without a notice.</summary>
    public long Lost { get; set; }

    public long Repeated { get; set; }

    /// <summary>Messages that came after a later one, or whose ids do not grow.</summary>
    public long OutOfOrder { get; set; }

    /// <summary>What a client could not read, or what was meant for another channel.</summary>
    public long Malformed { get; set; }

    /// <summary>Notices of a gap, by reason.</summary>
    public SortedDictionary<string, long> Gaps { get; init; } = [];

    /// <summary>Messages that were missing behind such notices.</summary>
    public long MissedInGaps { get; set; }

    /// <summary>Notices where nothing was missing, or that contradict themselves.</summary>
    public long FalseGaps { get; set; }

    /// <summary>Clients that had not come to the end of their channel when the time to drain was over.</summary>
    public long LostAtEnd { get; set; }

    /// <summary>Messages that had come to a node after later ones that were published through another; nodes without a common log may do that.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Late { get; set; }

    /// <summary>Messages of another epoch without a notice of it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long UnannouncedEpochs { get; set; }

    /// <summary>Connections to another node than the one before.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Moves { get; set; }

    /// <summary>Connections after a client's first, by the transport it came back on.</summary>
    public SortedDictionary<string, long> Reconnects { get; init; } = [];

    /// <summary>Connections that the server ended.</summary>
    public long EndedByServer { get; set; }

    /// <summary>The first faults, one sentence each.</summary>
    public List<string> Faults { get; init; } = [];

    /// <summary>The first losses among nodes, for whoever knows how these messages were published.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public List<Loss>? Losses { get; init; }

    [JsonIgnore]
    public bool IsClean => Delivered > 0 && Lost + Repeated + OutOfOrder + Malformed + FalseGaps + LostAtEnd + UnannouncedEpochs == 0;

    public static Verdict operator +(Verdict left, Verdict right) => new()
    {
        Delivered = left.Delivered + right.Delivered,
        Lost = left.Lost + right.Lost,
        Repeated = left.Repeated + right.Repeated,
        OutOfOrder = left.OutOfOrder + right.OutOfOrder,
        Malformed = left.Malformed + right.Malformed,
        Gaps = Sum(left.Gaps, right.Gaps),
        MissedInGaps = left.MissedInGaps + right.MissedInGaps,
        FalseGaps = left.FalseGaps + right.FalseGaps,
        LostAtEnd = left.LostAtEnd + right.LostAtEnd,
        Late = left.Late + right.Late,
        UnannouncedEpochs = left.UnannouncedEpochs + right.UnannouncedEpochs,
        Moves = left.Moves + right.Moves,
        Losses = left.Losses is null ? right.Losses : [.. left.Losses.Concat(right.Losses ?? []).Take(LossesMax)],
        Reconnects = Sum(left.Reconnects, right.Reconnects),
        EndedByServer = left.EndedByServer + right.EndedByServer,
        Faults = [.. left.Faults.Concat(right.Faults).Take(FaultsMax)],
    };

    /// <summary>Keeps a fault in words, if it is one of the first. It has been counted where it was found.</summary>
    public void Tell(string fault)
    {
        if (Faults.Count < FaultsMax)
        {
            Faults.Add(fault);
        }
    }

    /// <summary>The result's one line: "kept", or what was not.</summary>
    public string Sentence() => IsClean ? "kept" : Faults.FirstOrDefault() ?? "nothing was delivered";

    /// <summary>For a person's eyes.</summary>
    public string Summary() => string.Create(CultureInfo.InvariantCulture,
        $"""
        delivered {Delivered:#,##0}, lost {Lost:#,##0}, repeated {Repeated:#,##0}, out of order {OutOfOrder:#,##0}, malformed {Malformed:#,##0}
        clients lost at the end {LostAtEnd:#,##0}
        gaps {Gaps.Values.Sum():#,##0}{Listed(Gaps)} over {MissedInGaps:#,##0} messages, false {FalseGaps:#,##0}
        reconnects {Reconnects.Values.Sum():#,##0}{Listed(Reconnects)}, ended by the server {EndedByServer:#,##0}

        """) + string.Concat(Faults.Select(fault => $"  {fault}\n"));

    public static void Count(SortedDictionary<string, long> counts, string name) => counts[name] = counts.GetValueOrDefault(name) + 1;

    private static string Listed(SortedDictionary<string, long> counts)
    {
        var parts = counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value:#,##0}"));
        return counts.Count == 0 ? string.Empty : $" ({string.Join(", ", parts)})";
    }

    private static SortedDictionary<string, long> Sum(SortedDictionary<string, long> left, SortedDictionary<string, long> right)
    {
        var sum = new SortedDictionary<string, long>(left);
        foreach (var (name, count) in right)
        {
            sum[name] = sum.GetValueOrDefault(name) + count;
        }

        return sum;
    }
}
