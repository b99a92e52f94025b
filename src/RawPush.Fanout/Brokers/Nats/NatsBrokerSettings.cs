using RawPush.Fanout.Brokers.Nats.JetStream;
using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>How a node reaches NATS, and what it does without it.</summary>
public sealed class NatsBrokerSettings
{
    /// <summary>The prefix where nothing else is said.</summary>
    public const string DefaultPrefix = "rawpush";

    /// <summary>Servers, separated by commas: <c>nats://host:4222</c> or <c>tls://host:4222</c>. One is enough, since servers name the others of their cluster. Null or empty: the node is alone.</summary>
    public string? Urls { get; set; }

    /// <summary>The node shares its channels.</summary>
    public bool IsUsed => !string.IsNullOrWhiteSpace(Urls);

    /// <summary>The first tokens of all subjects, so that two deployments can share a NATS. As a channel's name, without the tokens <c>in</c> and <c>out</c>.</summary>
    public string Prefix { get; set; } = DefaultPrefix;

    /// <summary>Why the prefix cannot be one; null if it can.</summary>
    public string? FindPrefixFault()
    {
        if (Prefix == DefaultPrefix)
        {
            return null;
        }

        // The first of these tokens ends the prefix: else channel in.a of prefix x would be channel a of prefix x.in.
        return !ChannelName.TryParse(Prefix, out _, out string? fault) ? fault
            : Prefix.Split('.').Any(token => token is "in" or "out") ? "the tokens 'in' and 'out' stand behind a prefix, and cannot be in it"
            : null;
    }

    /// <summary>User name, with <see cref="Password"/>.</summary>
    public string? User { get; set; }

    /// <summary>Password of <see cref="User"/>.</summary>
    public string? Password { get; set; }

    /// <summary>A token instead of a user.</summary>
    public string? Token { get; set; }

    /// <summary>File with the seed of an NKey (a line that begins with <c>SU</c>).</summary>
    public string? NKeyFile { get; set; }

    /// <summary>File with a JWT and its seed, as <c>nsc</c> writes it.</summary>
    public string? CredentialsFile { get; set; }

    /// <summary>PEM file of the authority that signed the servers' certificates. Null: the system's.</summary>
    public string? TlsCaFile { get; set; }

    /// <summary>PEM file of a certificate of our own, for servers that ask for one; with <see cref="TlsKeyFile"/>.</summary>
    public string? TlsCertificateFile { get; set; }

    /// <summary>PEM file of its private key.</summary>
    public string? TlsKeyFile { get; set; }

    /// <summary>Whether NATS keeps messages, and how.</summary>
    public JetStreamSettings JetStream { get; } = new();

    /// <summary>How long a publish waits for a connection before it is refused. Zero: not at all.</summary>
    public TimeSpan PublishWait { get; set; } = TimeSpan.Zero;

    /// <summary>What becomes of subscriptions while there is no connection.</summary>
    public WithoutBus WithoutBus { get; set; } = WithoutBus.Wait;

    /// <summary>Whether a node without a connection says that it is not ready.</summary>
    public BusReadiness Readiness { get; set; } = BusReadiness.Required;

    /// <summary>How long a node goes on listening to a channel whose last subscriber has left.</summary>
    public TimeSpan InterestLinger { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>What becomes of subscriptions while the node is cut off from the others.</summary>
public enum WithoutBus
{
    /// <summary>They are let in, get what the node has, and the rest when the connection is back.</summary>
    Wait,

    /// <summary>They are refused with 503, so that clients look for another node.</summary>
    Fail,
}

/// <summary>What a node's readiness has to do with the others.</summary>
public enum BusReadiness
{
    /// <summary>Without a connection it is not ready, so that load balancers send clients to other nodes.</summary>
    Required,

    /// <summary>It stays ready: serving what it has alone is better than nothing.</summary>
    Ignored,
}
