using RawPush.Fanout.Channels;

namespace RawPush.Server.Hosting;

/// <summary>What the channels that match a pattern keep, and what becomes of those who cannot follow. The first namespace that matches a channel counts.</summary>
public sealed class NamespaceOptions
{
    internal const int HistoryEntriesMax = 1 << 20;

    /// <summary>Which channels: <c>chat.*</c>, <c>orders.&gt;</c>, <c>&gt;</c> for all, or one name. Required.</summary>
    public string Pattern { get; set; } = string.Empty;

    /// <summary>Messages kept per channel for those who come back or come late. Default 0: none; up to 1,048,576. Memory is per channel.</summary>
    public int HistoryEntries { get; set; }

    /// <summary>Bytes of payload kept per channel. Default 1 MiB, at least 1. The newest message is kept however long. Encoded forms in use come on top, one per format.</summary>
    public long HistoryBytes { get; set; } = 1024 * 1024;

    /// <summary>How long a message is kept. Default 1 h; 1 s to 30 days. A channel that nobody uses takes memory for so long.</summary>
    public TimeSpan HistoryAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What becomes of clients that read more slowly than messages are kept. Default <see cref="LagPolicy.Disconnect"/>.</summary>
    public LagPolicy LagPolicy { get; set; }

    /// <summary>Deflate messages for WebSocket clients that agree to permessage-deflate. Default: as the server's own <see cref="RawPushOptions.Compression"/>.</summary>
    public bool? Compression { get; set; }

    internal ChannelNamespace ToNamespace(bool compresses) => new()
    {
        Pattern = ChannelFilter.Parse(Pattern),
        HistoryEntries = HistoryEntries,
        HistoryBytes = HistoryBytes,
        HistoryAge = HistoryAge,
        LagPolicy = LagPolicy,
        Compresses = Compression ?? compresses,
    };
}
