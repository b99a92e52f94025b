using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Delivery;

/// <summary>One subscriber's place in the list of one channel or pattern. Touched by the subscriber's shard alone.</summary>
internal sealed class Subscription(Subscriber subscriber, Channel channel)
{
    public Subscriber Subscriber { get; } = subscriber;

    public Channel Channel { get; } = channel;

    /// <summary>Another subscription of the same subscriber.</summary>
    public Subscription? Next { get; set; }

    /// <summary>The list that this subscription is in.</summary>
    public ChannelMembers Members { get; set; } = null!;

    /// <summary>Its place there, so that leaving need not search.</summary>
    public int Index { get; set; }
}
