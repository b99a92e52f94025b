namespace RawPush.Fanout.Channels;

/// <summary>What a channel, or a pattern, holds at a moment.</summary>
/// <param name="Name">Its name, or the pattern.</param>
/// <param name="Subscribers">Subscriptions on this node.</param>
/// <param name="Laggards">Those of them that are behind.</param>
/// <param name="NewestSequence">Sequence of the newest message that it has seen; 0 for none.</param>
/// <param name="OldestSequence">Sequence of the oldest message that it has; 0 for none.</param>
/// <param name="DroppedThrough">Sequence of the newest message that it has no longer; 0 for none.</param>
/// <param name="Entries">Messages that it has.</param>
/// <param name="Bytes">Bytes of their payloads.</param>
/// <param name="Settings">Its namespace.</param>
public sealed record ChannelReport(
    string Name, int Subscribers, int Laggards, long NewestSequence, long OldestSequence, long DroppedThrough, int Entries, long Bytes, ChannelNamespace Settings);
