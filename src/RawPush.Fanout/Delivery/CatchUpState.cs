using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Delivery;

/// <summary>What a subscriber that starts in the past needs until it has caught up.</summary>
/// <param name="DroppedAtStart">Up to where entries were missing already when it came: that is not its slowness.</param>
/// <param name="IsOpen">It had no position of its own, so what was missing already is no gap for it.</param>
internal sealed record CatchUpState(long DroppedAtStart, bool IsOpen)
{
    /// <summary>A position in another epoch that it came with and has not been told about yet.</summary>
    public MessageId? Foreign { get; set; }
}
