namespace RawPush.Server.Connections;

/// <summary>So many per second, and as many at once: token buckets, each of which is one number that its user keeps – when it will be full again.</summary>
/// <remarks>Safe for threads, each with its own reading of the clock. A new bucket is 0, and full.</remarks>
internal sealed class RateLimit(int perSecond, TimeProvider time)
{
    private readonly long _interval = Math.Max(1, time.TimestampFrequency / perSecond);
    private readonly long _burst = Math.Max(1, time.TimestampFrequency / perSecond) * perSecond;

    /// <summary>Takes a token from the bucket. False: it is empty, and stays as it was.</summary>
    public bool TryTake(ref long fullAt)
    {
        long now = time.GetTimestamp();
        long seen = Volatile.Read(ref fullAt);
        while (true)
        {
            long next = Math.Max(seen, now) + _interval;
            if (next - now > _burst)
            {
                return false;
            }

            long found = Interlocked.CompareExchange(ref fullAt, next, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }
    }

    /// <summary>Nobody would notice if the bucket were a new one.</summary>
    public bool IsFull(long fullAt) => fullAt <= time.GetTimestamp();
}
