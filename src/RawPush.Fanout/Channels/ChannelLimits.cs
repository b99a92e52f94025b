namespace RawPush.Fanout.Channels;

/// <summary>What the channels of a node may hold.</summary>
public sealed record ChannelLimits
{
    /// <summary>Entries a channel keeps. Default 1,024. A subscriber that falls further behind than that is cut off. Memory is per channel, not per client.</summary>
    public int LogEntriesMax { get; init; } = 1024;

    /// <summary>Bytes of payload a channel keeps, with their frame headers. Default 4 MiB. Encoded forms in use come on top, at most one per format.</summary>
    public long LogBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Channels with subscribers that a node holds at a time. Default 1,000,000. One more is refused.</summary>
    public int ChannelsMax { get; init; } = 1_000_000;
}
