using RawPush.Server.Connections;

namespace RawPush.Server.Hosting;

/// <summary>Gives memory back to the system when a crowd has come or gone, and once after the start. What its handshakes left behind would otherwise stay until
/// the next collection, which a quiet server may not need for hours.</summary>
/// <remarks>Looks once a second. A crowd is a thousand comings and goings or more since the last trim; it is over when a second brings less than a hundredth of them.
/// So a burst is followed by one trim within two seconds, and under steady churn there is one in a hundred seconds at most.</remarks>
internal sealed class HeapTrimmer : IDisposable
{
    private const long CrowdMin = 1000;
    private const long CalmPart = 100;

    private readonly Func<long> _readChanges;
    private readonly Action _trim;
    private readonly ITimer _timer;
    private long _changes;
    private long _crowd = CrowdMin;   // The start leaves as much behind as a crowd.

    /// <param name="readChanges">How many connections have come and gone since the start.</param>
    /// <param name="trim">Collects the heap.</param>
    /// <param name="time">Whose seconds.</param>
    public HeapTrimmer(Func<long> readChanges, Action trim, TimeProvider time)
    {
        _readChanges = readChanges;
        _trim = trim;
        _changes = readChanges();
        var period = TimeSpan.FromMilliseconds(TimerWheel.TickMs);
        _timer = time.CreateTimer(static state => ((HeapTrimmer)state!).Look(), this, period, period);
    }

    /// <summary>Everything at once, compacted, and what is free then goes back. Blocks all threads for some milliseconds per 10,000 clients.</summary>
    public static void CollectAll() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        long changes = _readChanges();
        long lately = changes - _changes;
        _changes = changes;
        _crowd += lately;
        if (_crowd >= CrowdMin && lately < _crowd / CalmPart)
        {
            _crowd = 0;
            _trim();
        }
    }
}
