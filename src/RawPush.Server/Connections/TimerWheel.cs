namespace RawPush.Server.Connections;

/// <summary>Something that wants to be called at a time. Its links are part of it, so a waiting connection owns no timer object.</summary>
internal abstract class TimerEntry
{
    internal TimerEntry? Next { get; set; }

    internal TimerEntry? Previous { get; set; }

    /// <summary>The wheel's slot it waits in; −1 when it waits for nothing.</summary>
    internal int Slot { get; set; } = -1;

    internal long DueMs { get; set; }

    /// <summary>The time has come. Runs on the shard; the entry waits for nothing until it is scheduled again.</summary>
    protected internal abstract void OnTimer(long nowMs);
}

/// <summary>Timers of all connections of a shard, in slots of a second. Scheduling and cancelling are O(1); an idle second costs one empty slot.</summary>
/// <remarks>Used by its shard alone. Times are kept to the second: an entry is called at its time or up to one second later, never before.</remarks>
internal sealed class TimerWheel
{
    /// <summary>Milliseconds per slot.</summary>
    public const int TickMs = 1000;

    // Due times beyond one turn of the wheel are looked at once per turn and left where they are.
    private const int SlotCount = 512;

    private readonly TimerEntry?[] _slots = new TimerEntry?[SlotCount];
    private long _tick;

    /// <summary>Starts at a time, in milliseconds of any clock that does not go back.</summary>
    public TimerWheel(long nowMs) => _tick = nowMs / TickMs;

    /// <summary>Calls the entry at <paramref name="dueMs"/>. An entry waits for one time; the last call counts.</summary>
    public void Schedule(TimerEntry entry, long dueMs)
    {
        Cancel(entry);
        entry.DueMs = dueMs;

        // Rounded up, and never the slot being worked on: that would be too early or a whole turn too late.
        long tick = Math.Max((dueMs + TickMs - 1) / TickMs, _tick + 1);
        Insert(entry, (int)(tick % SlotCount));
    }

    /// <summary>The same, unless the entry is called earlier anyway.</summary>
    public void ScheduleNoLater(TimerEntry entry, long dueMs)
    {
        if (entry.Slot < 0 || entry.DueMs > dueMs)
        {
            Schedule(entry, dueMs);
        }
    }

    public void Cancel(TimerEntry entry)
    {
        if (entry.Slot < 0)
        {
            return;
        }

        if (entry.Previous is null)
        {
            _slots[entry.Slot] = entry.Next;
        }
        else
        {
            entry.Previous.Next = entry.Next;
        }

        if (entry.Next is not null)
        {
            entry.Next.Previous = entry.Previous;
        }

        entry.Next = entry.Previous = null;
        entry.Slot = -1;
    }

    /// <summary>Calls every entry whose time has come.</summary>
    public void Advance(long nowMs)
    {
        long target = nowMs / TickMs;

        // After a long sleep of the machine one turn of the wheel sees every slot; more turns would find nothing new.
        _tick = Math.Max(_tick, target - SlotCount);
        while (_tick < target)
        {
            _tick++;
            RunSlot((int)(_tick % SlotCount), nowMs);
        }
    }

    private void RunSlot(int slot, long nowMs)
    {
        // Looked for anew each time, because a callback may cancel others. What it schedules goes into later slots, so this ends.
        while (FirstDue(slot, nowMs) is { } entry)
        {
            Cancel(entry);
            entry.OnTimer(nowMs);
        }
    }

    private TimerEntry? FirstDue(int slot, long nowMs)
    {
        var entry = _slots[slot];
        while (entry is not null && entry.DueMs > nowMs)
        {
            entry = entry.Next;
        }

        return entry;
    }

    private void Insert(TimerEntry entry, int slot)
    {
        var first = _slots[slot];
        entry.Slot = slot;
        entry.Next = first;
        if (first is not null)
        {
            first.Previous = entry;
        }

        _slots[slot] = entry;
    }
}
