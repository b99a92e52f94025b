using HdrHistogram;
using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Cluster;

/// <summary>What all publishers have met. Safe for threads.</summary>
internal sealed class PublishCounts
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, long> _refusals = new(StringComparer.Ordinal);

    public long Acknowledged { get; private set; }

    /// <summary>Messages that may have been published.</summary>
    public long Unknown { get; private set; }

    /// <summary>Messages that no node has taken until the end.</summary>
    public long NeverTaken { get; private set; }

    /// <summary>Attempts that did not end with an acknowledgement, by what was said.</summary>
    public IReadOnlyDictionary<string, long> Refusals => _refusals;

    /// <summary>From when a message was due to its acknowledgement, attempts that failed included, in microseconds.</summary>
    public LongHistogram Micros { get; } = Latencies.New();

    public void Acknowledge(long micros)
    {
        lock (_lock)
        {
            Acknowledged++;
            Micros.RecordValue(Math.Clamp(micros, 1, Latencies.MaxMicros));
        }
    }

    public void Give(PublishFate fate)
    {
        lock (_lock)
        {
            Unknown += fate == PublishFate.Unknown ? 1 : 0;
            NeverTaken += fate == PublishFate.Refused ? 1 : 0;
        }
    }

    public void Refuse(in PublishAnswer answer)
    {
        string what = $"{answer.Fate.ToString().ToLowerInvariant()}: {(answer.Status == 0 ? string.Empty : $"{answer.Status} ")}{answer.Text}";
        lock (_lock)
        {
            _refusals[what] = _refusals.GetValueOrDefault(what) + 1;
        }
    }
}
