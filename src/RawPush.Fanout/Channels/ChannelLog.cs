using System.Numerics;

namespace RawPush.Fanout.Channels;

/// <summary>An ordered ring of entries. A cursor is the sequence of the last entry that was taken, so it means something in every log of the stream.</summary>
/// <remarks>
/// Not safe for threads by itself: the channel's lock guards it. The ring starts small and grows by doubling, so a quiet channel stays cheap.
/// The log of a pattern is a <em>view</em>: it keeps an entry as long as the log of the entry's own channel does. In other logs entries leave in order, but
/// for those that are void: superseded or expired, which nobody misses.
/// </remarks>
internal sealed class ChannelLog(bool isView, bool conflates = false)
{
    private const int FirstCapacity = 4;
    private const int IdleCapacity = 64;

    private Entry[] _ring = [];
    private int _start;
    private int _superseded;
    private Dictionary<string, Entry>? _byKey;
    private Dictionary<string, Entry>? _byIdempotencyKey;

    /// <summary>Entries, superseded ones left out.</summary>
    public int Count => SlotCount - _superseded;

    /// <summary>Bytes of their payloads.</summary>
    public long Bytes { get; private set; }

    /// <summary>The newest sequence that the log has seen.</summary>
    public long LastSequence { get; set; }

    /// <summary>The newest sequence that is missing: it was dropped, and not because it was void.</summary>
    public long DroppedThrough { get; set; }

    public Entry? Oldest => SlotCount > 0 ? SlotAt(0) : null;

    private int SlotCount { get; set; }

    /// <summary>Adds the newest entry.</summary>
    public void Append(Entry entry, in LogRoom room, LogHold hold)
    {
        MakeRoom(room, hold);
        Add(entry);
        LastSequence = entry.Sequence;
        if (!isView)
        {
            entry.IsKept = true;
            AddKeys(entry);
        }
    }

    /// <summary>Takes in what the log has not got, wherever it stands. What it has already is left out.</summary>
    public void Insert(List<Entry> entries)
    {
        var all = new SortedDictionary<long, Entry>();
        for (int i = 0; i < SlotCount; i++)
        {
            all.Add(SlotAt(i).Sequence, SlotAt(i));
        }

        // The newest first: it is what supersedes others.
        foreach (var entry in entries.OrderByDescending(entry => entry.Sequence))
        {
            if (all.TryAdd(entry.Sequence, entry))
            {
                Take(entry);
            }
        }

        if (all.Count > SlotCount)
        {
            (_ring, _start, SlotCount) = (new Entry[BitOperations.RoundUpToPowerOf2((uint)all.Count)], 0, all.Count);
            all.Values.CopyTo(_ring, 0);
            LastSequence = Math.Max(LastSequence, SlotAt(SlotCount - 1).Sequence);
        }
    }

    /// <summary>Lets go of everything. What the log has seen and dropped it still knows.</summary>
    public void Clear()
    {
        for (int i = 0; i < SlotCount; i++)
        {
            SlotAt(i).RemoveHolder();
        }

        (_ring, _start, SlotCount, Bytes, _superseded) = ([], 0, 0, 0, 0);
        (_byKey, _byIdempotencyKey) = (null, null);
    }

    /// <summary>Drops the oldest entries that nobody may still want.</summary>
    public void Trim(in LogRoom room, LogHold hold)
    {
        while (Oldest is { } oldest && !IsNeeded(oldest, 0, room, hold))
        {
            Remove(oldest, room);
            SlotAt(0) = null!;
            _start = (_start + 1) & (_ring.Length - 1);
            SlotCount--;
        }

        if (_ring.Length > IdleCapacity && SlotCount < _ring.Length / 8)
        {
            Resize(_ring.Length / 2);
        }
    }

    /// <summary>Drops what is not needed also from the middle.</summary>
    public void Compact(in LogRoom room, LogHold hold)
    {
        int kept = 0;
        int count = SlotCount;
        for (int i = 0; i < count; i++)
        {
            var entry = SlotAt(i);
            bool stays = isView ? IsNeeded(entry, i, room, hold) : !entry.IsVoid(room.NowMs);
            if (stays)
            {
                SlotAt(kept++) = entry;
            }
            else
            {
                Remove(entry, room);
            }
        }

        for (int i = kept; i < count; i++)
        {
            SlotAt(i) = null!;
        }

        SlotCount = kept;
    }

    /// <summary>Whether publishers have to wait: more entries than live delivery may hold have not been offered to everybody yet.</summary>
    public bool IsOverfull(ChannelLimits limits, long walked)
    {
        int first = IndexAfter(walked);
        int waiting = SlotCount - first;
        return waiting > limits.LogEntriesMax || (waiting > 1 && Bytes > limits.LogBytesMax && BytesFrom(first) > limits.LogBytesMax);
    }

    /// <summary>Copies entries that come after a sequence, as many as fit and are of use.</summary>
    /// <param name="sequence">The last one that was taken.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="nowMs">Now, in Unix time.</param>
    /// <param name="through">Up to where the log was looked at.</param>
    public int Read(long sequence, Span<Entry> destination, long nowMs, out long through)
    {
        int count = 0;
        for (int i = IndexAfter(sequence); i < SlotCount; i++)
        {
            var entry = SlotAt(i);
            if (entry.IsVoid(nowMs))
            {
                continue;
            }

            if (count == destination.Length)
            {
                through = destination[^1].Sequence;
                return count;
            }

            destination[count++] = entry;
        }

        through = Math.Max(sequence, LastSequence);
        return count;
    }

    /// <summary>Adds the sequences of the newest entries to a list.</summary>
    public void AddNewest(List<long> sequences, int count, long nowMs)
    {
        for (int i = SlotCount - 1; i >= 0 && count > 0; i--)
        {
            if (!SlotAt(i).IsVoid(nowMs))
            {
                sequences.Add(SlotAt(i).Sequence);
                count--;
            }
        }
    }

    /// <summary>The message that was published with this key, if it is kept.</summary>
    public Entry? FindPublished(string idempotencyKey) => _byIdempotencyKey?.GetValueOrDefault(idempotencyKey);

    /// <summary>A newer entry with this key takes the place of the one before.</summary>
    private void Supersede(string key)
    {
        if (_byKey?.GetValueOrDefault(key) is { } older)
        {
            older.IsSuperseded = true;
            _superseded++;
            Bytes -= older.PayloadBytes;
        }
    }

    private bool IsNeeded(Entry entry, int index, in LogRoom room, LogHold hold)
    {
        if (entry.IsVoid(room.NowMs))
        {
            return false;
        }

        return entry.Sequence > hold.Walked
            || (isView ? entry.IsKept : IsHistory(entry, room))
            || (hold.IsForLaggards && IsWithin(Count - index, room.LagEntries, room.LagBytes));
    }

    private bool IsHistory(Entry entry, in LogRoom room) => entry.TimeMs > room.OldestMs && IsWithin(Count, room.HistoryEntries, room.HistoryBytes);

    private bool IsWithin(int count, int entriesMax, long bytesMax) => count <= entriesMax && (Bytes <= bytesMax || count == 1);

    private void MakeRoom(in LogRoom room, LogHold hold)
    {
        if (SlotCount < _ring.Length)
        {
            return;
        }

        if (isView || _superseded > 0)
        {
            Compact(room, hold);
        }

        if (SlotCount > _ring.Length / 2 || _ring.Length == 0)
        {
            Resize(Math.Max(FirstCapacity, _ring.Length * 2));
        }
    }

    private void Add(Entry entry)
    {
        if (SlotCount == _ring.Length)
        {
            Resize(Math.Max(FirstCapacity, _ring.Length * 2));
        }

        entry.AddHolder();
        SlotAt(SlotCount++) = entry;
        Bytes += entry.PayloadBytes;
    }

    private void Take(Entry entry)
    {
        entry.AddHolder();
        Bytes += entry.PayloadBytes;
        if (isView)
        {
            return;
        }

        entry.IsKept = true;
        if (conflates && entry.Traits?.Key is { } key && _byKey?.GetValueOrDefault(key) is { } other && other.Sequence > entry.Sequence)
        {
            entry.IsSuperseded = true;
            _superseded++;
            Bytes -= entry.PayloadBytes;
        }
        else
        {
            AddKeys(entry);
        }
    }

    private void Remove(Entry entry, in LogRoom room)
    {
        if (entry.IsSuperseded && !isView)
        {
            _superseded--;
        }
        else
        {
            Bytes -= entry.PayloadBytes;
        }

        if (!entry.IsVoid(room.NowMs))
        {
            DroppedThrough = Math.Max(DroppedThrough, entry.Sequence);
        }

        entry.RemoveHolder();
        if (!isView)
        {
            entry.Release();
            RemoveKeys(entry);
        }
    }

    private void AddKeys(Entry entry)
    {
        if (conflates && entry.Traits?.Key is { } key)
        {
            Supersede(key);
            (_byKey ??= new Dictionary<string, Entry>(StringComparer.Ordinal))[key] = entry;
        }

        if (entry.Traits?.IdempotencyKey is { } idempotencyKey)
        {
            (_byIdempotencyKey ??= new Dictionary<string, Entry>(StringComparer.Ordinal))[idempotencyKey] = entry;
        }
    }

    private void RemoveKeys(Entry entry)
    {
        RemoveKey(_byKey, entry.Traits?.Key, entry);
        RemoveKey(_byIdempotencyKey, entry.Traits?.IdempotencyKey, entry);
    }

    private static void RemoveKey(Dictionary<string, Entry>? index, string? key, Entry entry)
    {
        if (key is not null && index is not null && index.GetValueOrDefault(key) == entry)
        {
            index.Remove(key);
        }
    }

    private long BytesFrom(int index)
    {
        long bytes = 0;
        for (; index < SlotCount; index++)
        {
            bytes += SlotAt(index).PayloadBytes;
        }

        return bytes;
    }

    /// <summary>Index of the first entry after a sequence.</summary>
    private int IndexAfter(long sequence)
    {
        if (sequence >= LastSequence)
        {
            return SlotCount;
        }

        int low = 0;
        int high = SlotCount;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = SlotAt(middle).Sequence <= sequence ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private ref Entry SlotAt(int index) => ref _ring[(_start + index) & (_ring.Length - 1)];

    private void Resize(int capacity)
    {
        var ring = new Entry[capacity];
        for (int i = 0; i < SlotCount; i++)
        {
            ring[i] = SlotAt(i);
        }

        (_ring, _start) = (ring, 0);
    }
}

/// <summary>What keeps entries in a log whatever its history.</summary>
/// <param name="Walked">Entries after this sequence were not yet offered to everybody: to drop them would cut off subscribers that are not slow at all.</param>
/// <param name="IsForLaggards">Somebody is slow.</param>
internal readonly record struct LogHold(long Walked, bool IsForLaggards);
