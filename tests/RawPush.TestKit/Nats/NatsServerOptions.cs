namespace RawPush.TestKit.Nats;

/// <summary>Whether clients must come over TLS, and show a certificate.</summary>
public enum NatsTls
{
    None,
    Server,
    Mutual,
}

/// <summary>What a test wants of a server. Users and a token exclude each other; whoever asks for neither lets everybody in.</summary>
public sealed record NatsServerOptions
{
    /// <summary>Streams, stored in a folder that lives as long as the fixture.</summary>
    public bool JetStream { get; init; }

    public string? User { get; init; }

    public string? Password { get; init; }

    public string? Token { get; init; }

    /// <summary>Public NKeys of users.</summary>
    public IReadOnlyList<string> UserKeys { get; init; } = [];

    public NatsTls Tls { get; init; }

    /// <summary>Of one message. The server's own default is a mebibyte.</summary>
    public int? PayloadBytesMax { get; init; }

    /// <summary>Lines of the configuration, in the server's own words, for what is not above.</summary>
    public string More { get; init; } = string.Empty;
}
