using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Channels;

/// <summary>Why a subscriber missed something.</summary>
public enum GapReason : byte
{
    /// <summary>What followed the position it came back with is no longer kept, or never was.</summary>
    Retention,

    /// <summary>It read more slowly than entries are kept.</summary>
    Slow,

    /// <summary>The node was cut off from the others, or a message of theirs did not come through.</summary>
    Bus,

    /// <summary>Its position is one of another stream: the server has started anew.</summary>
    Epoch,
}

/// <summary>Tells a subscriber that it missed something, before anything that stands behind it in the stream.</summary>
/// <remarks>Of what was published between the two positions some may still follow: what other channels, or a pattern's, have kept.</remarks>
/// <param name="Channel">Which of its channels, as it subscribed; <c>default</c> where all are meant.</param>
/// <param name="From">The last position that it had. What is missing comes after it; who resumes from here is told again.</param>
/// <param name="To">The last position that may be missing.</param>
/// <param name="Reason">Why.</param>
public readonly record struct GapNotice(ChannelFilter Channel, MessageId From, MessageId To, GapReason Reason)
{
    /// <summary>Where to resume for one who has got this notice and nothing after it: before what is still to follow.</summary>
    public MessageId Position { get; init; } = To;

    /// <summary>The notice as a JSON object, in UTF-8: <c>{"channel":…,"from":…,"to":…,"reason":…}</c>.</summary>
    public byte[] ToJson() => EntryEncoder.Encode(this);
}
