namespace RawPush.Fanout.Brokers.Nats.JetStream;

/// <summary>Whether NATS keeps messages, and how. The limits are those of the stream that the first node makes; where there is one, its own count.</summary>
public sealed class JetStreamSettings
{
    /// <summary>NATS keeps every message: a publish is answered when it is stored, and clients resume on any node.</summary>
    public bool Use { get; set; }

    /// <summary>The stream's name. Null: the prefix in capitals, its dots as underscores.</summary>
    public string? Stream { get; set; }

    /// <summary>Where messages are stored.</summary>
    public StreamStorage Storage { get; set; } = StreamStorage.File;

    /// <summary>On how many servers each message is stored: 1, 3 or 5. With 3, one may be lost.</summary>
    public int Replicas { get; set; } = 1;

    /// <summary>Messages kept per channel, of which the oldest goes for a new one. 0: no limit.</summary>
    /// <remarks>Not the default: NATS 2.9.10 loses others with such a limit when its servers are killed.</remarks>
    public int MessagesPerChannel { get; set; }

    /// <summary>Messages kept in all. 0: no limit.</summary>
    public long MessagesMax { get; set; }

    /// <summary>Bytes kept in all, with subjects and fields. 0: no limit.</summary>
    public long BytesMax { get; set; } = 1L << 30;

    /// <summary>How long a message is kept. Zero: for ever.</summary>
    public TimeSpan Age { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What becomes of a publish when <see cref="MessagesMax"/> or <see cref="BytesMax"/> is reached.</summary>
    public WhenFull WhenFull { get; set; } = WhenFull.DropOldest;

    /// <summary>How long an idempotency key is remembered.</summary>
    public TimeSpan DuplicateWindow { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a publish waits to be stored, before it is answered that nobody knows.</summary>
    public TimeSpan AckWait { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The stream's name, for a prefix.</summary>
    public string NameFor(string prefix) => Stream ?? prefix.Replace('.', '_').ToUpperInvariant();
}

/// <summary>Where a stream stores its messages.</summary>
public enum StreamStorage
{
    /// <summary>On disk: they outlive every server.</summary>
    File,

    /// <summary>In memory: they outlive a server if there are replicas.</summary>
    Memory,
}

/// <summary>What becomes of a publish to a stream that is full.</summary>
public enum WhenFull
{
    /// <summary>The oldest message goes.</summary>
    DropOldest,

    /// <summary>It is refused with 507.</summary>
    Refuse,
}
