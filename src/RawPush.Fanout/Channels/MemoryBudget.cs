namespace RawPush.Fanout.Channels;

/// <summary>What may be held in memory for messages, and what is. Safe for threads.</summary>
/// <remarks>
/// Above 80 % of the budget the histories of the namespaces that hold most shrink, down to nothing at 95 %; above 90 % the room for slow subscribers
/// shrinks, down to nothing at 100 %, so that those who lag most meet their policy first.
/// </remarks>
public sealed class MemoryBudget(long bytesMax)
{
    private const double HistoryShrinksFrom = 0.80;
    private const double HistoryIsGoneAt = 0.95;
    private const double LagShrinksFrom = 0.90;

    private long _logBytes;
    private long _connectionBytes;
    private long _shedEntries;
    private long _releasedEntries;

    /// <summary>The budget, in bytes.</summary>
    public long BytesMax => bytesMax;

    /// <summary>Bytes of entries in logs, with their encoded forms and what goes with them.</summary>
    public long LogBytes => Volatile.Read(ref _logBytes);

    /// <summary>Bytes held for connections, as last reported.</summary>
    public long ConnectionBytes => Volatile.Read(ref _connectionBytes);

    /// <summary>Entries that went before their time because memory was short.</summary>
    public long ShedEntries => Volatile.Read(ref _shedEntries);

    /// <summary>Whether anything has to shrink.</summary>
    public bool IsShort => Fullness > HistoryShrinksFrom;

    /// <summary>How much of its history a namespace that holds more than its share may keep, from 0 to 1.</summary>
    public double HistoryShare => Math.Clamp((HistoryIsGoneAt - Fullness) / (HistoryIsGoneAt - HistoryShrinksFrom), 0, 1);

    /// <summary>How much of the room for slow subscribers is left, from 0 to 1.</summary>
    public double LagShare => Math.Clamp((1 - Fullness) / (1 - LagShrinksFrom), 0, 1);

    private double Fullness => (double)(LogBytes + ConnectionBytes) / bytesMax;

    /// <summary>Says what connections hold: buffers of their own, and an estimate of the kernel's queues.</summary>
    public void ReportConnections(long bytes) => Volatile.Write(ref _connectionBytes, bytes);

    internal void AddLogBytes(long bytes) => Interlocked.Add(ref _logBytes, bytes);

    /// <summary>How many entries have left their channels' logs, for whatever reason.</summary>
    internal long ReleasedEntries => Volatile.Read(ref _releasedEntries);

    internal void CountReleased() => Interlocked.Increment(ref _releasedEntries);

    internal void CountShed(int entries) => Interlocked.Add(ref _shedEntries, entries);
}
