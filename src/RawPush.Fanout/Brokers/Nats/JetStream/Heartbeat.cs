namespace RawPush.Fanout.Brokers.Nats.JetStream;

/// <summary>Messages that the nodes publish to a channel of their own, so that each hears from the stream at least twice a second, and notices when something on the way has been lost.</summary>
/// <remarks>
/// Not by many: whoever has not heard one for the interval, and a random part of it, publishes the next. Each says which one was before it, as all messages of a channel do. Connections
/// between servers that break take longer than the interval to be there again, so no loss falls between two. Used by one thread, but for <see cref="Age"/>.
/// </remarks>
internal sealed class Heartbeat(TimeProvider time)
{
    /// <summary>How long nothing may be heard until a node publishes one itself.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>After how long without any, something may have been lost.</summary>
    public static readonly TimeSpan Silence = 3 * Interval;

    // How far behind the newest one everything is believed to have come, also what took another way.
    private const int SettledAfter = 6;

    private readonly Queue<long> _recent = [];
    private long _heardAt;

    /// <summary>The sequence of the newest.</summary>
    public long Newest { get; private set; }

    /// <summary>Everything up to here has come.</summary>
    public long Settled { get; private set; }

    /// <summary>How long ago the newest was heard. Any thread.</summary>
    public TimeSpan Age => time.GetElapsedTime(Volatile.Read(ref _heardAt));

    /// <summary>Whether something that came at a moment came after too long a silence. By when it came and not by when it is looked at: who has much to do has missed nothing for that.</summary>
    public bool IsSilentAt(long timestamp) => time.GetElapsedTime(Volatile.Read(ref _heardAt), timestamp) > Silence;

    /// <summary>One has come, at a moment. False: the one before it has not, or it is the first of all and others have come: the stream may be another one.</summary>
    public bool Hear(long sequence, long previous, long timestamp)
    {
        Volatile.Write(ref _heardAt, timestamp);
        if (sequence <= Newest)
        {
            return previous > 0;
        }

        bool isWhole = previous <= Newest && (previous > 0 || Newest == 0);
        Newest = sequence;
        _recent.Enqueue(sequence);
        if (isWhole && _recent.Count > SettledAfter)
        {
            Settled = Math.Max(Settled, _recent.Dequeue());
        }

        return isWhole;
    }

    /// <summary>Everything up to a sequence has been read from the stream.</summary>
    public void Settle(long sequence)
    {
        Settled = Math.Max(Settled, sequence);
        Newest = Math.Max(Newest, sequence);
        _recent.Clear();
        Volatile.Write(ref _heardAt, time.GetTimestamp());
    }
}
