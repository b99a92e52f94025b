namespace RawPush.Fanout.Channels;

/// <summary>A sequence that only rises, whoever sets it.</summary>
internal static class HighWater
{
    /// <summary>Sets a number to another one, unless it is that large already. Any thread.</summary>
    public static void Raise(ref long mark, long sequence)
    {
        long current = Volatile.Read(ref mark);
        while (sequence > current)
        {
            long seen = Interlocked.CompareExchange(ref mark, sequence, current);
            if (seen == current)
            {
                return;
            }

            current = seen;
        }
    }
}
