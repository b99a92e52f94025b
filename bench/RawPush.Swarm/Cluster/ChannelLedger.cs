using System.Globalization;

namespace RawPush.Swarm.Cluster;

/// <summary>What the publisher of one channel knows of its messages, by their numbers. One thread at a time.</summary>
internal sealed class ChannelLedger
{
    // From number 1 on.
    private readonly List<(int Life, DateTime At, bool IsAcknowledged)> _entries = [];

    public uint LastAcknowledged { get; private set; }

    public int Acknowledged { get; private set; }

    public IEnumerable<uint> Unknown => _entries.Index().Where(entry => !entry.Item.IsAcknowledged).Select(entry => (uint)entry.Index + 1);

    /// <summary>The next number was published, as far as its publisher knows.</summary>
    /// <param name="life">The life of the node that took it last.</param>
    /// <param name="isAcknowledged">Whether that said so.</param>
    public void Add(int life, bool isAcknowledged)
    {
        _entries.Add((life, DateTime.UtcNow, isAcknowledged));
        if (isAcknowledged)
        {
            LastAcknowledged = (uint)_entries.Count;
            Acknowledged++;
        }
    }

    public (uint Last, uint[] Unknown) Fate => (LastAcknowledged, [.. Unknown.Where(number => number < LastAcknowledged)]);

    /// <summary>The life of the node that took a number last.</summary>
    public int LifeOf(uint number) => _entries[(int)number - 1].Life;

    /// <summary>How a number was published, for a person.</summary>
    public string Tell(uint number, Func<int, string> nameOfLife)
    {
        var (life, at, isAcknowledged) = _entries[(int)number - 1];
        return string.Create(CultureInfo.InvariantCulture, $"{number} through {nameOfLife(life)}, {(isAcknowledged ? "acknowledged" : "unknown")} at {at:HH:mm:ss.fff}");
    }
}
