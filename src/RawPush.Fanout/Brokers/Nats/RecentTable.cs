namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Remembers a number for each key that was used lately: at least the last <paramref name="capacity"/> of them, at most twice as many. Not safe for threads.</summary>
/// <remarks>Two generations: when the young one is full it becomes the old one, and what was the old one is forgotten.</remarks>
internal sealed class RecentTable<TKey>(int capacity)
    where TKey : notnull
{
    private Dictionary<TKey, long> _young = [];
    private Dictionary<TKey, long> _old = [];

    /// <summary>How often an old generation was forgotten.</summary>
    public int Turns { get; private set; }

    /// <summary>The number of a key; 0 if that is not known.</summary>
    public long Find(TKey key) => _young.TryGetValue(key, out long number) ? number : _old.GetValueOrDefault(key);

    /// <summary>Sets the number of a key, and returns the one before; 0 if that is not known.</summary>
    public long Exchange(TKey key, long number)
    {
        long previous = Find(key);
        if (_young.Count >= capacity)
        {
            (_old, _young) = (_young, []);
            Turns++;
        }

        _young[key] = number;
        return previous;
    }
}
