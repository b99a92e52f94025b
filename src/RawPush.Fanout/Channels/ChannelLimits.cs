namespace RawPush.Fanout.Channels;

/// <summary>What the channels of a node may hold.</summary>
public sealed record ChannelLimits
{
    /// <summary>Entries a channel keeps for subscribers who are slow at the moment. Default 1,024. One that falls further behind than that, and than the
    /// channel's history, meets the channel's <see cref="LagPolicy"/>. Memory is per channel, not per client, and only while somebody is slow.</summary>
    public int LogEntriesMax { get; init; } = 1024;

    /// <summary>Bytes of payload a channel keeps for them, with their frame headers. Default 4 MiB. Encoded forms in use come on top, at most one per format.</summary>
    public long LogBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Channels with subscribers or history that a node holds at a time, and as many patterns. Default 1,000,000. One more is refused.</summary>
    public int ChannelsMax { get; init; } = 1_000_000;

    /// <summary>Bytes that logs, control buffers, partial frames and the kernel's queues may take together. Default: no limit.
    /// From 80 % of it history shrinks, from 90 % the room for slow subscribers.</summary>
    public long MemoryBudgetBytes { get; init; } = long.MaxValue;

    /// <summary>Bytes from which a message is deflated, where its namespace says so: shorter ones gain nothing. Default 256.</summary>
    public int CompressionBytesMin { get; init; } = 256;

    /// <summary>Whether messages of channels without a namespace are deflated for WebSocket clients that agreed to it. Default false.</summary>
    public bool Compresses { get; init; }

    /// <summary>Settings by pattern, of which the first that matches a channel counts. Where none does there is no history, and who is slow is disconnected.</summary>
    public IReadOnlyList<ChannelNamespace> Namespaces { get; init; } = [];
}
