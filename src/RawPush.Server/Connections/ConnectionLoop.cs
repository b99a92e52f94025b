using System.Buffers.Text;
using RawPush.Fanout.Delivery;

namespace RawPush.Server.Connections;

/// <summary>A shard with what its connections share: their timers, a clock, and the list of them.</summary>
/// <remarks>Touched by its shard alone, but for what says otherwise.</remarks>
internal sealed class ConnectionLoop : IDisposable
{
    private const int StepMsMax = 5 * TimerWheel.TickMs;
    private const long NotAsked = -1;
    private const int DateBytes = 29;   // Wed, 25 Nov 2026 04:00:00 GMT

    private readonly List<ClientTransport> _connections = [];
    private readonly TimeProvider _time;
    private readonly Action _tick;
    private readonly ITimer _timer;
    private readonly byte[] _date = new byte[DateBytes];
    private long _dateMs = -1;
    private long _clockMs;
    private long _heldBytes;
    private long _changes;
    private int _blocked;
    private long _askedMs = NotAsked;

    public ConnectionLoop(Shard shard, ConnectionTimeouts timeouts, TimeProvider time)
    {
        Shard = shard;
        Timeouts = timeouts;
        _time = time;
        NowMs = _clockMs = ReadClock();
        Timers = new TimerWheel(NowMs);
        _tick = Tick;
        var period = TimeSpan.FromMilliseconds(TimerWheel.TickMs);
        _timer = time.CreateTimer(static state => ((ConnectionLoop)state!).PostTick(), this, period, period);
    }

    public Shard Shard { get; }

    public ConnectionTimeouts Timeouts { get; }

    public TimerWheel Timers { get; }

    /// <summary>Milliseconds of a clock that never goes back, read once per tick: good for timeouts, and free to ask.</summary>
    public long NowMs { get; private set; }

    /// <summary>The time of day as responses say it (RFC 9110 section 5.6.7), written once per tick.</summary>
    public ReadOnlySpan<byte> Date
    {
        get
        {
            if (_dateMs != NowMs)
            {
                Utf8Formatter.TryFormat(_time.GetUtcNow(), _date, out _, 'R');
                _dateMs = NowMs;
            }

            return _date;
        }
    }

    /// <summary>Connections, from their first byte on.</summary>
    public int Count => _connections.Count;

    /// <summary>Bytes of unfinished frames and of replies that wait. Any thread may ask.</summary>
    public long HeldBytes => Volatile.Read(ref _heldBytes);

    /// <summary>Connections whose peer does not take what was written. Any thread may ask.</summary>
    public int BlockedCount => Volatile.Read(ref _blocked);

    /// <summary>How many clients have come and gone, polls left out. Any thread may ask.</summary>
    public long Changes => Volatile.Read(ref _changes);

    /// <summary>How long it has owed an answer to what it is asked every second. Zero: it turns. Any thread may ask.</summary>
    public TimeSpan Silence => Volatile.Read(ref _askedMs) is var asked and not NotAsked ? TimeSpan.FromMilliseconds(ReadClock() - asked) : TimeSpan.Zero;

    /// <summary>A client that was to stay has come, or has gone.</summary>
    public void CountChange() => Volatile.Write(ref _changes, _changes + 1);

    public void Add(ClientTransport connection)
    {
        connection.LoopIndex = _connections.Count;
        _connections.Add(connection);
        Volatile.Write(ref _blocked, _blocked + (connection.IsBlocked ? 1 : 0));
    }

    /// <summary>A connection is blocked now, or no longer.</summary>
    public void OnBlockedChanged(ClientTransport connection)
    {
        if (connection.LoopIndex >= 0)
        {
            Volatile.Write(ref _blocked, _blocked + (connection.IsBlocked ? 1 : -1));
        }
    }

    /// <summary>A connection holds more bytes than before, or fewer.</summary>
    public void CountHeldBytes(int change) => Volatile.Write(ref _heldBytes, _heldBytes + change);

    public void Remove(ClientTransport connection)
    {
        var last = _connections[^1];
        _connections[connection.LoopIndex] = last;
        last.LoopIndex = connection.LoopIndex;
        _connections.RemoveAt(_connections.Count - 1);
        connection.LoopIndex = -1;
        Volatile.Write(ref _blocked, _blocked - (connection.IsBlocked ? 1 : 0));
    }

    public void Drain() => ForEach(static connection => connection.Drain());

    public void Abort() => ForEach(static connection => connection.Abort());

    /// <summary>No ticks any more, and where the shard is an event loop, that ends too. Any thread but the shard's.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        (Shard as IDisposable)?.Dispose();
    }

    private void ForEach(Action<ClientTransport> action)
    {
        // A copy, because a connection that ends leaves the list. Only when the server stops.
        foreach (var connection in _connections.ToArray())
        {
            action(connection);
        }
    }

    private void PostTick()
    {
        Interlocked.CompareExchange(ref _askedMs, ReadClock(), NotAsked);
        Shard.Post(_tick);
    }

    private void Tick()
    {
        Volatile.Write(ref _askedMs, NotAsked);

        // Time in which the whole process stood still is not held against the clients: their answers wait in the kernel.
        long clock = ReadClock();
        NowMs += Math.Min(clock - _clockMs, StepMsMax);
        _clockMs = clock;
        Timers.Advance(NowMs);
    }

    private long ReadClock() => (long)_time.GetElapsedTime(0).TotalMilliseconds;
}
