namespace RawPush.Fanout.Brokers.Nats.Nodes;

/// <summary>Which other nodes live: those that have said so lately. Safe for threads.</summary>
internal sealed class NodeTable(TimeProvider time)
{
    /// <summary>Nodes that are known at most; further ones are not, and answers of theirs count nevertheless.</summary>
    public const int NodesMax = 1024;

    private readonly Dictionary<ulong, long> _heard = [];   // When; its own lock.
    private readonly RecentTable<ulong> _numbers = new(NodesMax);   // Of the last announcement, also of those that are not heard any more; the same lock.

    public int Count
    {
        get
        {
            lock (_heard)
            {
                return _heard.Count;
            }
        }
    }

    /// <summary>Those that live, now.</summary>
    public HashSet<ulong> All()
    {
        lock (_heard)
        {
            return [.. _heard.Keys];
        }
    }

    /// <summary>A node was heard.</summary>
    public void Hear(ulong node)
    {
        lock (_heard)
        {
            if (_heard.Count < NodesMax || _heard.ContainsKey(node))
            {
                _heard[node] = time.GetTimestamp();
            }
        }
    }

    /// <summary>A node has said that it lives. False: it has done so before, and that did not come.</summary>
    public bool Hear(ulong node, long number)
    {
        Hear(node);
        lock (_heard)
        {
            return _numbers.Exchange(node, number) is var previous && (previous == 0 || number == previous + 1);
        }
    }

    /// <summary>A node has said goodbye.</summary>
    public void Remove(ulong node)
    {
        lock (_heard)
        {
            _heard.Remove(node);
        }
    }

    /// <summary>Nobody can be heard at the moment, which is not held against anybody.</summary>
    public void Hold()
    {
        lock (_heard)
        {
            foreach (ulong node in _heard.Keys)
            {
                _heard[node] = time.GetTimestamp();
            }
        }
    }

    /// <summary>Those that were not heard for so long, or longer.</summary>
    public List<ulong> Silent(TimeSpan silence)
    {
        lock (_heard)
        {
            return [.. _heard.Where(heard => time.GetElapsedTime(heard.Value) >= silence).Select(static heard => heard.Key)];
        }
    }
}
