namespace RawPush.Fanout.Channels;

/// <summary>Finds the namespace of a channel. Safe for threads.</summary>
internal sealed class NamespaceMap
{
    private readonly NamespaceState[] _namespaces;
    private readonly NamespaceState _others;

    public NamespaceMap(ChannelLimits limits, MemoryBudget budget, TimeProvider time)
    {
        _namespaces = [.. limits.Namespaces.Select(settings => new NamespaceState(settings, limits, budget, time))];
        _others = new NamespaceState(new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), Compresses = limits.Compresses }, limits, budget, time);
        HasHistory = limits.Namespaces.Any(settings => settings.HasHistory);
    }

    /// <summary>Whether there is one with history.</summary>
    public bool HasHistory { get; }

    /// <summary>The first that holds every channel that the filter can mean.</summary>
    public NamespaceState Find(ChannelFilter filter)
    {
        foreach (var candidate in _namespaces)
        {
            if (candidate.Settings.Pattern.Covers(filter))
            {
                return candidate;
            }
        }

        return _others;
    }
}
