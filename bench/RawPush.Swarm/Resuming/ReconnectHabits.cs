using System.Diagnostics;

namespace RawPush.Swarm.Resuming;

/// <summary>How a client leaves on purpose.</summary>
internal enum LeaveWay
{
    /// <summary>With a WebSocket close frame, where there are frames; a FIN otherwise.</summary>
    Politely,

    /// <summary>With <c>close</c>: a FIN, or a reset if there was something unread.</summary>
    Silently,

    /// <summary>With a reset.</summary>
    Reset,

    /// <summary>With a reset after some bytes of what comes next, which as a rule is in the middle of a message.</summary>
    MidMessage,
}

/// <summary>When clients leave and come back.</summary>
internal sealed class ReconnectHabits(Random random)
{
    private const double PauseSecondsMax = 1;
    private const double RetrySecondsMin = 0.2;
    private const int CutBytesMax = 400;

    /// <summary>Seconds that a connection lasts, on average; 0: nobody leaves.</summary>
    public double MeanSeconds { get; set; }

    /// <summary>Exponential, so that a connection's age says nothing of its future: many end young, some grow old.</summary>
    public long NextLeave() => MeanSeconds == 0 ? long.MaxValue : After(-Math.Log(1 - random.NextDouble()) * MeanSeconds);

    public LeaveWay NextWay() => (LeaveWay)random.Next(4);

    public int NextCutBytes() => random.Next(1, CutBytesMax);

    /// <summary>Half of those who left come back at once, the others within a second.</summary>
    public long NextReturn() => random.Next(2) == 0 ? 0 : After(random.NextDouble() * PauseSecondsMax);

    /// <summary>Those who were refused or dropped wait a little: a server that is in trouble should not be hammered.</summary>
    public long NextRetry(int retryMs) => After((retryMs / 1000.0) + RetrySecondsMin + (random.NextDouble() * PauseSecondsMax));

    private static long After(double seconds) => Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
}
