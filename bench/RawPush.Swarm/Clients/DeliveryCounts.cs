using System.Diagnostics;
using HdrHistogram;

namespace RawPush.Swarm.Clients;

/// <summary>What a worker's clients have received, and how long after it was due. A client that was away gets some of it late.</summary>
internal sealed class DeliveryCounts
{
    private readonly List<(long At, LongHistogram Micros)> _marks = [];

    public long Messages { get; private set; }

    public LongHistogram Micros { get; private set; } = Latencies.New();

    public void Add(in Payload payload)
    {
        Messages++;
        Micros.RecordValue(Math.Clamp(MicrosSince(payload.DueTimestamp), 1, Latencies.MaxMicros));
    }

    /// <summary>How long after each mark clients got the first message that was due after it.</summary>
    public IEnumerable<LongHistogram> Returns => _marks.Select(mark => mark.Micros);

    /// <summary>Something happens now that may keep messages from clients.</summary>
    public void Mark() => _marks.Add((Stopwatch.GetTimestamp(), Latencies.New()));

    /// <summary>A client gets a message; if it is its first one from after a mark, that is counted. Returns how many marks the client has behind it.</summary>
    public int PassMarks(in Payload payload, int passed)
    {
        for (; passed < _marks.Count && payload.DueTimestamp > _marks[passed].At; passed++)
        {
            _marks[passed].Micros.RecordValue(Math.Clamp(MicrosSince(_marks[passed].At), 1, Latencies.MaxMicros));
        }

        return passed;
    }

    public void Reset()
    {
        Messages = 0;
        Micros = Latencies.New();
    }

    private static long MicrosSince(long timestamp) => (Stopwatch.GetTimestamp() - timestamp) / (Stopwatch.Frequency / 1_000_000);
}
