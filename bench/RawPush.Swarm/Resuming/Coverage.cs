using System.Text;
using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Resuming;

/// <summary>What one client subscribes to: a channel, several, or patterns. Of each of these it is owed every message, once.</summary>
internal sealed class Coverage
{
    // Of the clients that are to have more than one channel, a third each.
    private const int Shapes = 3;

    private readonly (byte[] Name, int[] Channels)[] _filters;
    private readonly Dictionary<int, byte[]> _names;

    private Coverage(ChannelMap map, params (string Name, int[] Channels)[] filters)
    {
        _filters = [.. filters.Select(filter => (Encoding.ASCII.GetBytes(filter.Name), filter.Channels))];
        Channels = [.. filters.SelectMany(filter => filter.Channels).Distinct()];
        Address = string.Join(',', filters.Select(filter => filter.Name));
        IsMany = Channels.Length > 1 || filters.Length > 1;
        _names = Channels.ToDictionary(channel => channel, channel => Encoding.ASCII.GetBytes(map.NameOf(channel)));
    }

    /// <summary>What stands in a request for the channel.</summary>
    public string Address { get; }

    /// <summary>Each once, whatever names it by.</summary>
    public int[] Channels { get; }

    /// <summary>Messages say of which channel they are.</summary>
    public bool IsMany { get; }

    /// <summary>One channel, as a load spreads its clients.</summary>
    public static Coverage OfOne(ChannelMap map, int client) => One(map, client % map.Channels);

    /// <summary>One channel; or, for so many per cent of the clients, in turn: three channels, a pattern, and a pattern beside a channel that it holds and one that it does not.</summary>
    public static Coverage Of(ChannelMap map, int client, int manyPercent)
    {
        // Spread evenly over the clients, and over the channels among these.
        long before = (long)client * manyPercent / 100;
        if ((long)(client + 1) * manyPercent / 100 == before)
        {
            return OfOne(map, client);
        }

        int group = client % map.Groups;
        int channel = client % map.Channels;
        (string Name, int[] Channels) pattern = (ChannelMap.PatternOf(group), map.ChannelsOf(group));
        return (before % Shapes) switch
        {
            0 => new Coverage(map, [.. Enumerable.Range(0, 3).Select(step => (channel + (step * 7)) % map.Channels).Distinct().Select(one => (map.NameOf(one), new[] { one }))]),
            1 => new Coverage(map, pattern),
            _ => new Coverage(map, pattern, (map.NameOf(pattern.Channels[0]), [pattern.Channels[0]]), (map.NameOf((group + 1) % map.Channels), [(group + 1) % map.Channels])),
        };
    }

    public bool IsNameOf(ReadOnlySpan<byte> name, int channel) => _names.TryGetValue(channel, out byte[]? ours) && (name.IsEmpty ? !IsMany : name.SequenceEqual(ours));

    /// <summary>The channels that a notice speaks of, by the name that was subscribed to. None: it is not one of ours.</summary>
    public ReadOnlySpan<int> ChannelsNamed(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty && IsMany)
        {
            return Channels;
        }

        foreach (var (filter, channels) in _filters)
        {
            if (name.SequenceEqual(filter))
            {
                return channels;
            }
        }

        return default;
    }

    private static Coverage One(ChannelMap map, int channel) => new(map, (map.NameOf(channel), [channel]));
}
