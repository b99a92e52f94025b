using RawPush.Server.Connections;

namespace RawPush.Server.Transport;

/// <summary>A loop's share of a listener: accepts what the kernel gives to this loop.</summary>
/// <remarks>The loop's thread alone touches it. When descriptors run out it stops to accept, says so once, and looks again every second: waiting connections stay
/// in the kernel's queue, and the loop does not spin over a listener that stays readable. It stops before the last one is gone, because the runtime needs some:
/// its garbage collector ended the process when it could not open <c>/proc</c>.</remarks>
internal sealed partial class Acceptor(LoopListener owner, int descriptor, ConnectionLoop loop, FrontDoor door, ILogger logger) : TimerEntry, IReadinessHandler
{
    // Of a crowd that comes at once: others on the loop are served in between.
    private const int AcceptsPerTurn = 64;

    // Left for everybody else in the process: the runtime, logs, connections to other servers. Each loop may take one more than it should.
    private const int DescriptorsReserved = 64;

    private static readonly long LastDescriptor = Math.Max(Libc.DescriptorsMax() - DescriptorsReserved, DescriptorsReserved);

    private SocketHead? _spareHead;
    private bool _isWatching;
    private bool _isOut;

    public ConnectionLoop Loop { get; } = loop;

    public EventLoop Events { get; } = (EventLoop)loop.Shard;

    public FrontDoor Door { get; } = door;

    public PushListener Listener => owner.Listener;

    public void Start()
    {
        if (_isWatching)
        {
            return;
        }

        _isWatching = Events.Watch(descriptor, this, Libc.EpollIn | Libc.EpollExclusive) >= 0;
        if (!_isWatching)
        {
            Retry();
        }
    }

    public void Stop()
    {
        Loop.Timers.Cancel(this);
        Pause();
    }

    public void OnReady(uint events)
    {
        for (int i = 0; i < AcceptsPerTurn; i++)
        {
            int accepted = Libc.Accept(descriptor);
            if (accepted >= 0)
            {
                new SocketTransport(this, accepted, Events.NextConnectionNumber()).Open();
            }

            if (IsOut(accepted))
            {
                OnOut(accepted);
                return;
            }

            if (accepted == Libc.TryAgain)
            {
                OnCaughtUp();
                return;
            }

            // Anything else was the matter of one connection, which has gone.
        }

        if (_isOut)
        {
            // Those may have been the last that waited, and then no event follows.
            Retry();
        }
    }

    public void OnLoopEnded()
    {
        // The listener closes its sockets itself.
    }

    /// <summary>A connection whose first request is not ours.</summary>
    public void HandOn(int accepted, System.Net.EndPoint? proxied) => owner.HandOn(accepted, proxied);

    /// <summary>Most heads come whole, one after the other: they share one reader.</summary>
    public SocketHead RentHead()
    {
        var head = _spareHead ?? new SocketHead(Door);
        _spareHead = null;
        return head;
    }

    public void ReturnHead(SocketHead head)
    {
        head.Reset();
        _spareHead = head;
    }

    protected internal override void OnTimer(long nowMs)
    {
        if (IsOut(Libc.NextDescriptor(descriptor)))
        {
            Retry();
        }
        else
        {
            Start();
            OnReady(Libc.EpollIn);   // Perhaps nobody waits any more, and no event would say so.
        }
    }

    private static bool IsOut(int result) =>
        result >= LastDescriptor || result is Libc.TooManyFiles or Libc.TooManyFilesInSystem or Libc.NoBuffers or Libc.OutOfMemory;

    private void OnOut(int result)
    {
        if (!_isOut && owner.OneMoreIsOut())
        {
            Log.OutOfDescriptors(logger, owner.EndPoint, result >= 0 ? "the process has nearly as many files open as it may" : $"errno {-result}");
        }

        _isOut = true;
        Pause();
        Retry();
    }

    /// <summary>Nobody is waiting any more. Before that it is the same shortage, however many have left and been replaced.</summary>
    private void OnCaughtUp()
    {
        if (_isOut && owner.OneLessIsOut())
        {
            Log.AcceptsAgain(logger);
        }

        _isOut = false;
    }

    private void Pause()
    {
        if (_isWatching)
        {
            _isWatching = false;
            Events.Unwatch(descriptor);
        }
    }

    private void Retry() => Loop.Timers.Schedule(this, Loop.NowMs + TimerWheel.TickMs);

    private static partial class Log
    {
        // Warning: somebody has to raise a limit. 300-399 belong to listeners.
        [LoggerMessage(300, LogLevel.Warning, "No more connections are accepted on {EndPoint}: {Why}. New clients wait until others leave. Raise LimitNOFILE, or ulimit -n.", EventName = "OutOfDescriptors")]
        public static partial void OutOfDescriptors(ILogger logger, System.Net.EndPoint endPoint, string why);

        [LoggerMessage(301, LogLevel.Information, "Connections are accepted again.", EventName = "AcceptsAgain")]
        public static partial void AcceptsAgain(ILogger logger);
    }
}
