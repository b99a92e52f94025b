using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Channels and patterns ⇄ NATS subjects. A channel's name is a legal subject as it is, and a pattern means the same to NATS as to us; a prefix keeps deployments apart.</summary>
/// <param name="prefix">Of this deployment; <see cref="NatsBrokerSettings.FindPrefixFault"/> finds nothing wrong with it.</param>
/// <param name="isKept">NATS keeps messages, and sends on what it has kept by subjects of its own.</param>
internal sealed class BusSubjects(string prefix, bool isKept = false)
{
    private readonly string _in = prefix + ".in.";
    private readonly string _out = prefix + (isKept ? ".out." : ".in.");

    /// <summary>Of all that is published, as NATS writes patterns.</summary>
    public string All => _in + ">";

    /// <summary>What <see cref="All"/> is sent on as.</summary>
    public string AllKept => _out + ">";

    /// <summary>The subject that a channel's messages are published to, or a pattern's are kept under.</summary>
    public string Of(string filter) => _in + filter;

    /// <summary>The subject that a channel's or a pattern's messages come from.</summary>
    public string ToListen(string filter) => _out + filter;

    /// <summary>The channel of a subject that is listened to. False: it is none of ours, or what follows the prefix is no channel's name; anybody may publish to any subject.</summary>
    public bool TryRead(string subject, out ChannelName channel) => TryRead(_out, subject, out channel);

    /// <summary>The channel of a subject that messages are kept under.</summary>
    public bool TryReadKept(string subject, out ChannelName channel) => TryRead(_in, subject, out channel);

    private static bool TryRead(string root, string subject, out ChannelName channel)
    {
        channel = default;
        return subject.StartsWith(root, StringComparison.Ordinal) && ChannelName.TryParse(subject[root.Length..], out channel, out _);
    }
}
