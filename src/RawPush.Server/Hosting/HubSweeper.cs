using RawPush.Fanout.Channels;
using RawPush.Server.Connections;

namespace RawPush.Server.Hosting;

/// <summary>Once a second: tells the memory budget what connections hold, and has channels drop what is too old or too much.</summary>
internal sealed class HubSweeper : IDisposable
{
    private const long CrowdOfChannels = 1000;

    private readonly ChannelHub _hub;
    private readonly ConnectionLoops _loops;
    private readonly ITimer _timer;
    private long _changes;
    private int _isSweeping;

    public HubSweeper(ChannelHub hub, ConnectionLoops loops, TimeProvider time)
    {
        _hub = hub;
        _loops = loops;
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

        Volatile.Write(ref _isSweeping, 0);
    }
}
