using System.Diagnostics;
using HdrHistogram;
using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Bus;

/// <summary>One way from a publisher to a subscriber, both in this process: one clock says how long messages take.</summary>
/// <param name="stage">Which servers it leads through, for a person.</param>
/// <param name="name">What it leads through, for a person.</param>
/// <param name="isRaw">NATS and its client library alone: what the others of the stage are measured against.</param>
/// <param name="publish">Publishes a payload; the task ends when that is acknowledged, as far as the way has acknowledgements.</param>
/// <remarks>
/// Time runs from the call that publishes. A message that waits for an answer to another one, for a free connection or for a lock waits within its own time;
/// that the pacing thread of a busy machine woke up late is no part of any way. Messages go out by one thread and come in by another.
/// </remarks>
internal sealed class BusPath(string stage, string name, bool isRaw, Func<ReadOnlyMemory<byte>, Task> publish)
{
    private static readonly TimeSpan ArrivalTimeout = TimeSpan.FromSeconds(5);

    private readonly LongHistogram _deliveries = Latencies.New();   // Its own lock guards it; and the next.
    private readonly LongHistogram _acknowledgements = Latencies.New();
    private long _published;
    private long _arrived;
    private long _measured;
    private bool _isMeasured;

    public string Stage => stage;

    public string Name => name;

    public bool IsRaw => isRaw;

    /// <summary>Publishes for a time, and waits until all has come, or does not come any more.</summary>
    /// <param name="load">How.</param>
    /// <param name="isMeasured">It counts; otherwise it is there to be compiled.</param>
    /// <returns>A task that fails if a publish fails.</returns>
    public async Task RunAsync(SteadyLoad load, bool isMeasured)
    {
        _isMeasured = isMeasured;
        var answers = new List<Task>();
        await SteadyPace.RunAsync(load.PerSecond, load.Seconds, number => answers.Add(PublishAsync(load, number)));
        await Task.WhenAll(answers);
        long since = Stopwatch.GetTimestamp();
        while (Interlocked.Read(ref _arrived) < _published && Stopwatch.GetElapsedTime(since) < ArrivalTimeout)
        {
            await Task.Delay(10);
        }

        _measured += isMeasured ? answers.Count : 0;
    }

    /// <summary>A message has come. Any thread.</summary>
    public void OnPayload(Payload payload)
    {
        Interlocked.Increment(ref _arrived);
        if (payload.Channel == 1)
        {
            Record(_deliveries, payload.DueTimestamp);
        }
    }

    /// <summary>What was measured.</summary>
    /// <param name="raw">What the raw way of the stage has.</param>
    public BusRow ToRow(BusRow? raw)
    {
        var row = new BusRow
        {
            Stage = Stage,
            Path = Name,
            Published = _measured,
            Delivered = _deliveries.TotalCount,
            P50Micros = At(_deliveries, 50),
            P99Micros = At(_deliveries, 99),
            P999Micros = At(_deliveries, 99.9),
            AcknowledgedP50Micros = At(_acknowledgements, 50),
            AcknowledgedP99Micros = At(_acknowledgements, 99),
        };
        return row with { P50ToRaw = (double)row.P50Micros / (raw ?? row).P50Micros, P99ToRaw = (double)row.P99Micros / (raw ?? row).P99Micros };
    }

    private async Task PublishAsync(SteadyLoad load, uint number)
    {
        byte[] bytes = new byte[load.PayloadBytes];
        long now = Stopwatch.GetTimestamp();
        new Payload(0, _isMeasured ? 1 : 0, number, now).WriteTo(bytes, load.Filling);
        Interlocked.Increment(ref _published);
        await publish(bytes);
        if (_isMeasured)
        {
            Record(_acknowledgements, now);
        }
    }

    // Of nothing there are no percentiles.
    private static long At(LongHistogram histogram, double percentile) => histogram.TotalCount == 0 ? 0 : histogram.GetValueAtPercentile(percentile);

    private static void Record(LongHistogram histogram, long since)
    {
        long micros = (long)Stopwatch.GetElapsedTime(since).TotalMicroseconds;
        lock (histogram)
        {
            histogram.RecordValue(Math.Clamp(micros, 1, Latencies.MaxMicros));
        }
    }
}

/// <summary>How a way is used.</summary>
internal sealed record SteadyLoad(double PerSecond, double Seconds, int PayloadBytes, Filling Filling);
