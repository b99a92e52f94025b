using System.Collections.Concurrent;

namespace RawPush.Fanout.Channels;

/// <summary>Which channels and patterns there are, and what is remembered of those that there are not.</summary>
/// <remarks>Looking up takes no lock. What comes, goes and is forgotten does, so that a message is in a log or known to be gone, whenever somebody asks.
/// The trees and the memory of forgotten sequences are behind the same lock.</remarks>
internal sealed class ChannelDirectory(NamespaceMap namespaces, int channelsMax, int shardCount)
{
    private const int CapacityKept = 4096;

    private readonly Lock _lock = new();
    private readonly SubjectTree<Channel> _historyNames = new();
    private readonly SubjectTree<Channel> _patterns = new();
    private readonly ForgottenSequences _forgotten = new();
    private ConcurrentDictionary<ChannelName, Channel> _channels = new();
    private int _count;
    private int _countMax;
    private int _patternCount;

    /// <summary>Channels, not patterns.</summary>
    public int Count => Volatile.Read(ref _count);

    public int PatternCount => Volatile.Read(ref _patternCount);

    public Channel? Find(ChannelName name) => Volatile.Read(ref _channels).GetValueOrDefault(name);

    /// <summary>The same for a name or a pattern.</summary>
    public Channel? Find(ChannelFilter filter)
    {
        if (!filter.IsPattern)
        {
            return Find(filter.ToName());
        }

        lock (_lock)
        {
            return _patterns.Find(filter.Value);
        }
    }

    /// <summary>Finds the channel or makes it. Null: there are as many as there may be.</summary>
    public Channel? GetOrAdd(ChannelName name)
    {
        if (Find(name) is { } known)
        {
            return known;
        }

        var state = namespaces.Find(name);
        lock (_lock)
        {
            if (Find(name) is { } winner)
            {
                return winner;
            }

            if (_count >= channelsMax)
            {
                return null;
            }

            long forgotten = _forgotten.Through(name);
            var channel = new Channel(name, state, shardCount, bornAt: forgotten, droppedThrough: forgotten, lastSequence: forgotten);
            _channels[name] = channel;
            _countMax = Math.Max(_countMax, ++_count);
            if (state.Settings.HasHistory)
            {
                _historyNames.Add(name.Value, channel);
            }

            return channel;
        }
    }

    /// <summary>The same for a pattern.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="watermark">Where the hub has the newest sequence: read under the lock, so that no message that comes later misses the new pattern.</param>
    /// <param name="appended">Where it has the newest sequence that is in its logs: a message between the two may still get into the pattern's.</param>
    public Channel? GetOrAddPattern(ChannelFilter pattern, ref long watermark, ref long appended)
    {
        lock (_lock)
        {
            if (_patterns.Find(pattern.Value) is { } known)
            {
                return known;
            }

            if (_patternCount >= channelsMax)
            {
                return null;
            }

            // In the tree first: what is published from now on gets into its log, and what was before is forgotten or in a channel's log.
            var channel = new Channel(pattern, namespaces.Find(pattern), shardCount, Volatile.Read(ref watermark), droppedThrough: 0, Volatile.Read(ref appended));
            _patterns.Add(pattern.Value, channel);
            _patternCount++;
            return channel;
        }
    }

    /// <summary>Takes a retired channel out.</summary>
    public void Remove(Channel channel)
    {
        lock (_lock)
        {
            if (channel.Filter.IsPattern)
            {
                RemovePatternLocked(channel);
                return;
            }

            var name = channel.Filter.ToName();
            if (!_channels.TryRemove(new KeyValuePair<ChannelName, Channel>(name, channel)))
            {
                return;
            }

            _count--;
            _forgotten.Note(name, channel.Describe().DroppedThrough);
            if (channel.Namespace.Settings.HasHistory)
            {
                _historyNames.Remove(name.Value, channel);
            }
        }
    }

    /// <summary>Notes that a message is stored nowhere. Returns the channel if there is one after all.</summary>
    public Channel? Forget(ChannelName name, long sequence)
    {
        lock (_lock)
        {
            var channel = Find(name);
            if (channel is null)
            {
                _forgotten.Note(name, sequence);
            }

            return channel;
        }
    }

    /// <summary>Notes that nothing of a channel or pattern up to a sequence has got here.</summary>
    public void SetFloor(ChannelFilter filter, long sequence)
    {
        lock (_lock)
        {
            _forgotten.NoteMissed(filter, sequence);
            Find(filter)?.SetFloor(sequence);
        }
    }

    /// <summary>Notes that messages may be missing of a channel or pattern that is not there; of a channel for those alone who come back to it by name.</summary>
    public Channel? Miss(ChannelFilter filter, long sequence)
    {
        lock (_lock)
        {
            var channel = Find(filter);
            if (channel is null)
            {
                _forgotten.NoteMissed(filter, sequence);
            }

            return channel;
        }
    }

    /// <summary>Notes that a message will not be there for those who come back with a pattern.</summary>
    public void ForgetForPatterns(ChannelName name, long sequence) => _forgotten.NoteForPatterns(name, sequence);

    /// <summary>The patterns that match a name.</summary>
    public void FindPatterns(ChannelName name, List<Channel> found)
    {
        lock (_lock)
        {
            _patterns.FindMatches(name.Value, found);
        }
    }

    /// <summary>The channels with history that match a pattern, and up to where messages of others that match are gone.</summary>
    public List<Channel> FindHistory(ChannelFilter pattern, out long forgottenThrough)
    {
        var found = new List<Channel>();
        lock (_lock)
        {
            _historyNames.FindMatching(pattern.Value, found);
            forgottenThrough = _forgotten.Through(pattern);
        }

        return found;
    }

    /// <summary>Channels and patterns. What comes or goes meanwhile may be among them or not.</summary>
    public IEnumerable<Channel> All()
    {
        foreach (var (_, channel) in Volatile.Read(ref _channels))
        {
            yield return channel;
        }

        foreach (var pattern in AllPatterns())
        {
            yield return pattern;
        }
    }

    public List<Channel> AllPatterns()
    {
        var patterns = new List<Channel>();
        lock (_lock)
        {
            _patterns.FindMatching(">", patterns);
        }

        return patterns;
    }

    /// <summary>Gives back what a crowd of channels has left. True: there was something.</summary>
    public bool TrimExcess()
    {
        lock (_lock)
        {
            if (_countMax < CapacityKept || _count > _countMax / 4)
            {
                return false;
            }

            // Who still looks into the old one finds channels that are retired, or misses new ones, and then looks again under the lock.
            Volatile.Write(ref _channels, new ConcurrentDictionary<ChannelName, Channel>(_channels));
            _countMax = _count;
            return true;
        }
    }

    private void RemovePatternLocked(Channel pattern)
    {
        if (_patterns.Find(pattern.Filter.Value) == pattern)
        {
            _patterns.Remove(pattern.Filter.Value, pattern);
            _patternCount--;
        }
    }
}
