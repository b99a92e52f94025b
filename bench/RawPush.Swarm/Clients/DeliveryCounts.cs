using System.Diagnostics;
using HdrHistogram;

namespace RawPush.Swarm.Clients;

/// <summary>What a worker's clients have received, and how long after it was due. A client that was away gets some of it late.</summary>
internal sealed class DeliveryCounts
{
    public long Messages { get; private set; }

    public LongHistogram Micros { get; private set; } = Latencies.New();

    public void Add(in Payload payload)
    {
        Messages++;
        long micros = (Stopwatch.GetTimestamp() - payload.DueTimestamp) / (Stopwatch.Frequency / 1_000_000);
        Micros.RecordValue(Math.Clamp(micros, 1, Latencies.MaxMicros));
    }

    public void Reset()
    {
        Messages = 0;
        Micros = Latencies.New();
    }
}
