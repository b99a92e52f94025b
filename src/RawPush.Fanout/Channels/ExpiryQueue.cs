namespace RawPush.Fanout.Channels;

/// <summary>Which channels have to be looked at, and when, because what they keep gets old. Safe for threads.</summary>
internal sealed class ExpiryQueue
{
    private const int CountKept = 4096;

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Channel, long> _queue = new();

    public void Add(Channel channel, long dueMs)
    {
        lock (_lock)
        {
            _queue.Enqueue(channel, dueMs);
        }
    }

    public Channel? TakeDue(long nowMs)
    {
        lock (_lock)
        {
            return _queue.TryPeek(out _, out long dueMs) && dueMs <= nowMs ? _queue.Dequeue() : null;
        }
    }

    /// <summary>Lets go of channels that are gone, if they may be most of what is here.</summary>
    /// <param name="channelCount">How many channels there are.</param>
    public void ForgetRetired(int channelCount)
    {
        lock (_lock)
        {
            if (_queue.Count <= (2 * channelCount) + CountKept)
            {
                return;
            }

            var live = _queue.UnorderedItems.Where(item => !item.Element.IsRetired).ToArray();
            _queue.Clear();
            _queue.EnqueueRange(live);
            _queue.TrimExcess();
        }
    }

    /// <summary>Gives back what a crowd of channels has left.</summary>
    public void TrimExcess()
    {
        lock (_lock)
        {
            _queue.TrimExcess();
        }
    }
}
