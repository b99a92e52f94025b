using System.Diagnostics;

namespace RawPush.Swarm.Bus;

/// <summary>Does something at a steady rate.</summary>
internal static class SteadyPace
{
    // Below that there is nothing to sleep for: what is due next is done at once.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    /// <summary>Calls <paramref name="act"/> with 0, 1, 2 …, as many times as the rate says. On a thread of its own; where it is late, it catches up.</summary>
    public static Task RunAsync(double perSecond, double seconds, Action<uint> act) => Task.Factory.StartNew(
        () =>
        {
            long started = Stopwatch.GetTimestamp();
            long total = (long)(perSecond * seconds);
            for (long done = 0; done < total;)
            {
                long due = Math.Min(total, 1 + (long)(Stopwatch.GetElapsedTime(started).TotalSeconds * perSecond));
                while (done < due)
                {
                    act((uint)done++);
                }

                Thread.Sleep(Tick);
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
