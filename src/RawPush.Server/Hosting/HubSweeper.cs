using RawPush.Fanout.Channels;
using RawPush.Server.Connections;

namespace RawPush.Server.Hosting;

/// <summary>Once a second: tells the memory budget what connections hold, and has channels drop what is too old or too much, and the heap collected where that is near its limit.</summary>
internal sealed class HubSweeper : IDisposable
{
    private const long CrowdOfChannels = 1000;

    // Messages die old, and the collector lets a heap of them grow to twice of what lives before it looks.
    private const double CollectFrom = 0.8;

    private readonly ChannelHub _hub;
    private readonly ConnectionLoops _loops;
    private readonly long _collectFromBytes;
    private readonly ITimer _timer;
    private long _changes;
    private int _collections;
    private int _isSweeping;

    /// <param name="hub">Whose channels.</param>
    /// <param name="loops">Whose connections.</param>
    /// <param name="processBytesMax">What the process may take.</param>
    /// <param name="time">Whose seconds.</param>
    public HubSweeper(ChannelHub hub, ConnectionLoops loops, long processBytesMax, TimeProvider time)
    {
        _hub = hub;
        _loops = loops;
        _collectFromBytes = (long)(processBytesMax * CollectFrom);
        var period = TimeSpan.FromMilliseconds(TimerWheel.TickMs);
        _timer = time.CreateTimer(static state => ((HubSweeper)state!).Sweep(), this, period, period);
    }

    /// <summary>Rises when channels have gone that leave a heap worth trimming.</summary>
    public long Changes => Volatile.Read(ref _changes);

    public void Dispose() => _timer.Dispose();

    private void Sweep()
    {
        // A sweep over a million channels takes longer than a tick.
        if (Interlocked.Exchange(ref _isSweeping, 1) == 1)
        {
            return;
        }

        _hub.Budget.ReportConnections(_loops.HeldBytes);
        if (_hub.Sweep())
        {
            Interlocked.Add(ref _changes, CrowdOfChannels);
        }

        CollectIfLarge();
        Volatile.Write(ref _isSweeping, 0);
    }

    /// <summary>Near the limit asks for a collection in the background, so that what has been dropped makes room for what comes. Not again before the last has ended.</summary>
    private void CollectIfLarge()
    {
        if (Environment.WorkingSet >= _collectFromBytes && GC.CollectionCount(GC.MaxGeneration) >= _collections)
        {
            _collections = GC.CollectionCount(GC.MaxGeneration) + 1;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
    }
}
