using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Channels and patterns ⇄ NATS subjects. A channel's name is a legal subject as it is, and a pattern means the same to NATS as to us; a prefix keeps deployments apart.</summary>
internal sealed class BusSubjects
{
    private readonly string _root;

    /// <param name="prefix">Of this deployment; <see cref="NatsBrokerSettings.FindPrefixFault"/> finds nothing wrong with it.</param>
    public BusSubjects(string prefix)
    {
        _root = prefix + ".in.";
    }

    /// <summary>The subject that a channel's messages are published to, or that a pattern's come from.</summary>
    public string Of(string filter) => _root + filter;

    /// <summary>The channel of a subject. False: it is none of ours, or what follows the prefix is no channel's name; anybody may publish to any subject.</summary>
    public bool TryRead(string subject, out ChannelName channel)
    {
        channel = default;
        return subject.StartsWith(_root, StringComparison.Ordinal) && ChannelName.TryParse(subject[_root.Length..], out channel, out _);
    }
}
