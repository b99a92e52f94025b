using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Channels;

/// <summary>Why a subscriber missed something.</summary>
public enum GapReason : byte
{
    /// <summary>What followed the position it came back with is no longer kept, or never was.</summary>
    Retention,

    /// <summary>It read more slowly than entries are kept.</summary>
    Slow,

    /// <summary>Its position is one of another stream: the server has started anew.</summary>
    Epoch,
}

/// <summary>Tells a subscriber that it missed something, in the place where that would have stood.</summary>
/// <param name="Channel">Which of its channels, as it subscribed; <c>default</c> where all are meant.</param>
/// <param name="From">The last position that it had. What is missing comes after it.</param>
/// <param name="To">The last position that may be missing. It is a position to resume from.</param>
/// <param name="Reason">Why.</param>
public readonly record struct GapNotice(ChannelFilter Channel, MessageId From, MessageId To, GapReason Reason)
{
    /// <summary>The notice as a JSON object, in UTF-8: <c>{"channel":…,"from":…,"to":…,"reason":…}</c>.</summary>
    public byte[] ToJson() => EntryEncoder.Encode(this);
}
