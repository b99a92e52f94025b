namespace RawPush.Fanout.Channels;

/// <summary>What the channels whose names match a pattern keep, and what becomes of those who cannot follow.</summary>
public sealed record ChannelNamespace
{
    /// <summary>Which channels: <c>chat.*</c>, <c>orders.&gt;</c>, or one name. The first namespace that matches counts.</summary>
    public required ChannelFilter Pattern { get; init; }

    /// <summary>Entries kept for those who come back or come late. Default 0: nothing is kept beyond what live delivery needs. Memory is per channel.</summary>
    public int HistoryEntries { get; init; }

    /// <summary>Bytes of payload kept. Default 1 MiB. The newest entry is kept whatever its size. Encoded forms in use come on top, one per format.</summary>
    public long HistoryBytes { get; init; } = 1024 * 1024;

    /// <summary>How long an entry is kept. Default one hour. Checked once a second.</summary>
    public TimeSpan HistoryAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What becomes of slow subscribers. Default: they are disconnected.</summary>
    public LagPolicy LagPolicy { get; init; }

    /// <summary>Whether messages are deflated for WebSocket clients that agreed to it. Default false.</summary>
    public bool Compresses { get; init; }

    /// <summary>Whether anything is kept for those who come back.</summary>
    public bool HasHistory => HistoryEntries > 0;
}
