namespace RawPush.Fanout.Channels;

/// <summary>A namespace at work: its settings, what it holds, and what it may hold right now. Safe for threads.</summary>
internal sealed class NamespaceState(ChannelNamespace settings, ChannelLimits limits, MemoryBudget budget, TimeProvider time)
{
    private long _bytes;

    public ChannelNamespace Settings => settings;

    public ChannelLimits Limits => limits;

    public MemoryBudget Budget => budget;

    /// <summary>Payload bytes from which messages are deflated; 0 for never.</summary>
    public int CompressionBytesMin => settings.Compresses ? limits.CompressionBytesMin : 0;

    /// <summary>Now, in milliseconds of Unix time.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Counts what entries hold; negative when they let go.</summary>
    public void AddBytes(long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        budget.AddLogBytes(bytes);
    }

    /// <summary>What a log may keep at this moment, by the settings.</summary>
    public LogRoom GetRoom()
    {
        long nowMs = NowMs;
        return new LogRoom(
            settings.HistoryEntries, settings.HistoryBytes, nowMs - (long)settings.HistoryAge.TotalMilliseconds, limits.LogEntriesMax, limits.LogBytesMax, nowMs);
    }

    /// <summary>What it may keep of that while memory is short.</summary>
    public LogRoom Shrink(in LogRoom room)
    {
        // Only those that hold at least an average share: the flood of one namespace does not cost the others their history. There is always one of them.
        bool isLarge = Volatile.Read(ref _bytes) * (limits.Namespaces.Count + 1) >= budget.LogBytes;
        double history = isLarge ? budget.HistoryShare : 1;
        double lag = budget.LagShare;
        return room with
        {
            HistoryEntries = (int)Math.Ceiling(room.HistoryEntries * history),
            HistoryBytes = (long)Math.Ceiling(room.HistoryBytes * history),
            LagEntries = (int)Math.Ceiling(room.LagEntries * lag),
            LagBytes = (long)Math.Ceiling(room.LagBytes * lag),
        };
    }
}

/// <summary>What a log may keep at a moment.</summary>
/// <param name="HistoryEntries">Entries for those who come back.</param>
/// <param name="HistoryBytes">Their bytes.</param>
/// <param name="OldestMs">From when on, in Unix time.</param>
/// <param name="LagEntries">Entries for those who are slow.</param>
/// <param name="LagBytes">Their bytes.</param>
/// <param name="NowMs">The moment, in Unix time.</param>
internal readonly record struct LogRoom(int HistoryEntries, long HistoryBytes, long OldestMs, int LagEntries, long LagBytes, long NowMs);
