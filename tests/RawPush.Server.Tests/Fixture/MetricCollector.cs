using System.Diagnostics.Metrics;

namespace RawPush.Server.Tests.Fixture;

/// <summary>Adds up what the meters of one host report, and lets a test wait for a sum.</summary>
internal sealed class MetricCollector : IDisposable
{
    private readonly Lock _lock = new();
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, long> _sums = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public MetricCollector(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Several hosts run in one test process; the scope tells their meters apart.
            if (instrument.Meter.Name == "RawPush.Server" && instrument.Meter.Scope == meters)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument.Name, value, tags));
        _listener.Start();
    }

    public long Active => Sum("rawpush.connections.active");

    /// <summary>How many have come so far, those that have left included.</summary>
    public long Started => Sum("rawpush.connections.active+");

    public long Ended(string reason) => Sum($"rawpush.connections.ended/{reason}");

    public long EndedInAll => Sum("rawpush.connections.ended");

    /// <summary>Gaps that clients were told of.</summary>
    public long Gaps(string reason) => Sum($"rawpush.gaps/{reason}");

    /// <summary>Times that a client had to wait, by limit.</summary>
    public long Throttled(string limit) => Sum($"rawpush.clients.throttled/{limit}");

    public Task WaitForThrottledAsync(string limit, long count = 1) => WaitForAsync(() => Throttled(limit) >= count, $"{count} pauses by {limit}");

    /// <summary>Requests that a limit kept out.</summary>
    public long LimitReached(string limit) => Sum($"rawpush.limits.reached/{limit}");

    public long LimitsReachedInAll => Sum("rawpush.limits.reached");

    public Task WaitForActiveAsync(long count) => WaitForAsync(() => Active == count, $"{count} active connections");

    public Task WaitForStartedAsync(long count) => WaitForAsync(() => Started >= count, $"{count} connections that have come");

    public Task WaitForEndedAsync(string reason, long count = 1) => WaitForAsync(() => Ended(reason) >= count, $"{count} connections ended by {reason}");

    public void Dispose() => _listener.Dispose();

    private long Sum(string name)
    {
        lock (_lock)
        {
            return _sums.GetValueOrDefault(name);
        }
    }

    private void Add(string name, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _sums[name] = _sums.GetValueOrDefault(name) + value;
            _sums[name + "+"] = _sums.GetValueOrDefault(name + "+") + Math.Max(value, 0);
            foreach (var (_, tag) in tags)
            {
                string key = $"{name}/{tag}";
                _sums[key] = _sums.GetValueOrDefault(key) + value;
            }

            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    private async Task WaitForAsync(Func<bool> condition, string what)
    {
        var patience = Patience.Token;
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                changed = _changed.Task;
            }

            if (condition())
            {
                return;
            }

            try
            {
                await changed.WaitAsync(patience);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Waited in vain for {what}; there are {string.Join(", ", _sums)}.");
            }
        }
    }
}
