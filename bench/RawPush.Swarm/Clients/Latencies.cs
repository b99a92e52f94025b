using System.Globalization;
using HdrHistogram;

namespace RawPush.Swarm.Clients;

/// <summary>Latency histograms: microseconds up to a minute, three significant digits.</summary>
internal static class Latencies
{
    public const long MaxMicros = 60_000_000;

    public static LongHistogram New() => new(MaxMicros, 3);

    /// <summary>As text, for the line to the coordinator: <c>value:count</c> pairs.</summary>
    public static string Encode(LongHistogram histogram) =>
        string.Join(',', histogram.RecordedValues().Select(value => $"{value.ValueIteratedTo}:{value.CountAddedInThisIterationStep}"));

    public static void AddEncoded(LongHistogram sum, string encoded)
    {
        foreach (string pair in encoded.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = pair.Split(':');
            sum.RecordValueWithCount(Math.Min(long.Parse(parts[0], CultureInfo.InvariantCulture), MaxMicros), long.Parse(parts[1], CultureInfo.InvariantCulture));
        }
    }
}
