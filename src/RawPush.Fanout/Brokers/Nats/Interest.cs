using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>A channel or pattern that the node listens to.</summary>
internal sealed class Interest(ChannelFilter filter)
{
    /// <summary>What <see cref="Floor"/> is until NATS has heard of the interest.</summary>
    public const long NoFloor = long.MaxValue;

    private long _floor = NoFloor;

    public ChannelFilter Filter { get; } = filter;

    /// <summary>Ends when NATS has heard of it.</summary>
    public TaskCompletionSource Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null: NATS has not been asked yet. The table's lock guards it, and what follows.</summary>
    public BusSubscription? Subscription { get; set; }

    /// <summary>It stands in the queue of those that may have nobody any more.</summary>
    public bool IsIdle { get; set; }

    public long IdleSince { get; set; }

    /// <summary>Where NATS keeps messages: what comes later reaches this node, and what came up to there is in its logs or known not to be. Any thread.</summary>
    public long Floor => Volatile.Read(ref _floor);

    /// <summary>Everything up to a sequence has been read for it. It must have a floor.</summary>
    public void RaiseFloor(long sequence) => HighWater.Raise(ref _floor, sequence);

    /// <summary>Where NATS keeps messages: the node was cut off when it began, and has a floor that NATS has not heard of. Any thread.</summary>
    public bool IsBlind { get; set; }

    /// <summary>Sets the floor. False: there is one.</summary>
    public bool TrySetFloor(long sequence) => Interlocked.CompareExchange(ref _floor, sequence, NoFloor) == NoFloor;
}
