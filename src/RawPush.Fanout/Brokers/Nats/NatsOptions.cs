using System.Text;
using NATS.Client.Core;
using NATS.NKeys;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Our settings as the NATS client's options.</summary>
internal static class NatsOptions
{
    /// <summary>How long the client may take over one command, a publish or a subscription.</summary>
    public static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Options for a connection that never gives up, and does not get what it has published itself.</summary>
    public static NatsOpts From(NatsBrokerSettings settings) => NatsOpts.Default with
    {
        Url = settings.Urls!,
        Name = "rawpush",
        Echo = false,
        AuthOpts = AddKey(settings.NKeyFile, new NatsAuthOpts { Username = settings.User, Password = settings.Password, Token = settings.Token, CredsFile = settings.CredentialsFile }),
        TlsOpts = new NatsTlsOpts { CaFile = settings.TlsCaFile, CertFile = settings.TlsCertificateFile, KeyFile = settings.TlsKeyFile },
        SubjectEncoding = Encoding.UTF8,
        HeaderEncoding = Encoding.UTF8,
        CaseSensitiveHeaders = true,

        // A server that does not answer is given up in time for others to be tried, and looked for again for ever, also if it has refused us: credentials are changed while servers run.
        PingInterval = TimeSpan.FromSeconds(2),
        MaxPingOut = 2,
        ConnectTimeout = TimeSpan.FromSeconds(2),
        RequestTimeout = settings.JetStream.AckWait,
        CommandTimeout = CommandTimeout,
        ReconnectWaitMin = TimeSpan.FromMilliseconds(100),
        ReconnectWaitMax = TimeSpan.FromSeconds(2),
        ReconnectJitter = TimeSpan.FromMilliseconds(100),
        MaxReconnectRetry = -1,
        RetryOnInitialConnect = true,
        IgnoreAuthErrorAbort = true,
        PublishTimeoutOnDisconnected = true,
    };

    // The client's own reading of such files wants the public key in them as well.
    private static NatsAuthOpts AddKey(string? file, NatsAuthOpts auth)
    {
        if (file is null)
        {
            return auth;
        }

        string seed = File.ReadLines(file).Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith("SU", StringComparison.Ordinal))
            ?? throw new InvalidDataException($"{file} has no seed of a user (a line that begins with SU)");
        using var pair = KeyPair.FromSeed(seed);
        return auth with { Seed = seed, NKey = pair.GetPublicKey() };
    }
}
