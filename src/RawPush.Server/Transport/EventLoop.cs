using System.Diagnostics;
using RawPush.Fanout.Delivery;

namespace RawPush.Server.Transport;

/// <summary>A shard with a thread and an epoll set of its own: reads what is readable, runs what was posted, delivers what is new, and sleeps.</summary>
/// <remarks>
/// Everything here is the loop's thread's, but for <see cref="Shard.Post"/>, <see cref="Wake"/> and <see cref="Dispose"/>. Descriptors are watched on their
/// edges, so a connection costs one <c>epoll_ctl</c> in its life. They are closed when a turn's events have all been handled: until then the number
/// cannot be given to another connection, and an event that is still in the batch finds the one it was meant for.
/// </remarks>
internal sealed class EventLoop : Shard, IDisposable
{
    /// <summary>Bytes taken from one connection before others have their turn.</summary>
    public const int ReceiveBytes = 64 * 1024;

    // Events of a turn: enough to make the call cheap, few enough that deliveries and timers are not kept waiting.
    private const int EventsPerTurn = 256;

    private readonly int _epoll;
    private readonly int _signal;
    private readonly Lock _signalLock = new();   // Between who wakes and the end of the loop, when the descriptor's number may become somebody else's.
    private readonly Thread _thread;
    private readonly EpollEvent[] _events = new EpollEvent[EventsPerTurn];
    private IReadinessHandler?[] _handlers = new IReadinessHandler?[256];
    private List<SocketTransport> _again = [];
    private List<SocketTransport> _againNow = [];
    private readonly List<SocketTransport> _ended = [];
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _connections;
    private int _asleep;
    private volatile bool _isEnding;
    private bool _isClosed;

    /// <summary>Starts the loop.</summary>
    /// <param name="index">Its number among the shards, from 0.</param>
    /// <exception cref="InvalidOperationException">The process has no descriptors left.</exception>
    public EventLoop(int index)
        : base(index)
    {
        _epoll = Libc.CreateEpoll();
        _signal = Libc.CreateEvent();
        int watched = _epoll < 0 || _signal < 0 ? Math.Min(_epoll, _signal) : Libc.EpollAdd(_epoll, _signal, Libc.EpollIn);
        if (watched < 0)
        {
            CloseDescriptors();
            throw new InvalidOperationException($"an event loop could not be made (errno {-watched}); is the limit of open files reached?");
        }

        _thread = new Thread(Run) { IsBackground = true, Name = $"rawpush-{index}" };
        _thread.Start();
    }

    /// <summary>Where bytes are received, of whichever connection is being read.</summary>
    public byte[] ReceiveBuffer { get; } = GC.AllocateUninitializedArray<byte>(ReceiveBytes, pinned: true);

    public Cork Cork { get; } = new();

    public GatheredSend GatheredSend { get; } = new(EntriesPerWriteMax);

    /// <summary>Calls that sent something, since the start. What coalescing saves is seen here.</summary>
    public long Sends { get; private set; }

    /// <summary>Watches a descriptor. Below zero: −errno, and it is not watched.</summary>
    public int Watch(int descriptor, IReadinessHandler handler, uint events)
    {
        Debug.Assert(IsCurrent, "A loop's descriptors belong to its thread.");
        if (descriptor >= _handlers.Length)
        {
            Array.Resize(ref _handlers, Math.Max(descriptor + 1, _handlers.Length * 2));
        }

        int result = Libc.EpollAdd(_epoll, descriptor, events);
        if (result >= 0)
        {
            _handlers[descriptor] = handler;
        }

        return result;
    }

    /// <summary>Watches it no more; it stays open, and may go to somebody else.</summary>
    public void Unwatch(int descriptor)
    {
        Libc.EpollDelete(_epoll, descriptor);
        _handlers[descriptor] = null;
    }

    /// <summary>Connections that read on in the next turn.</summary>
    public int ReadersQueued => _again.Count;

    /// <summary>Lets a connection go on reading in the next turn. It must not be queued twice.</summary>
    public void ReadAgain(SocketTransport transport) => _again.Add(transport);

    /// <summary>Ends a connection when the events of this turn have been handled.</summary>
    public void EndAfterTurn(SocketTransport transport) => _ended.Add(transport);

    public void CountSend() => Sends++;

    public long NextConnectionNumber() => ++_connections;

    /// <summary>Runs something on the loop. The task ends when it has run, or the loop has ended.</summary>
    public Task RunAsync(Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            work();
            done.SetResult();
        });
        return Task.WhenAny(done.Task, _exited.Task);
    }

    /// <summary>Ends the loop; what it still watches gives its descriptors back. Any thread but its own.</summary>
    /// <exception cref="InvalidOperationException">It was called on the loop, which would wait for itself.</exception>
    public void Dispose()
    {
        if (IsCurrent)
        {
            throw new InvalidOperationException("An event loop cannot be ended from within.");
        }

        if (_isEnding)
        {
            return;
        }

        _isEnding = true;
        Libc.Signal(_signal);
        _thread.Join();
        GatheredSend.Dispose();
        lock (_signalLock)
        {
            _isClosed = true;
            CloseDescriptors();
        }
    }

    /// <inheritdoc/>
    protected override void Wake()
    {
        if (Interlocked.Exchange(ref _asleep, 0) == 1)
        {
            lock (_signalLock)
            {
                if (!_isClosed)
                {
                    Libc.Signal(_signal);
                }
            }
        }
    }

    private void CloseDescriptors()
    {
        foreach (int descriptor in (ReadOnlySpan<int>)[_epoll, _signal])
        {
            if (descriptor >= 0)
            {
                Libc.Close(descriptor);
            }
        }
    }

    private void Run()
    {
        Enter();
        while (!_isEnding)
        {
            int count = WaitForEvents();
            (_again, _againNow) = (_againNow, _again);
            for (int i = 0; i < count; i++)
            {
                Dispatch(_events[i]);
            }

            ReadAgainNow();
            RunTurn();
            EndNow();
        }

        foreach (var handler in _handlers)
        {
            handler?.OnLoopEnded();
        }

        Exit();
        _exited.SetResult();
    }

    private int WaitForEvents()
    {
        // Asleep first, then the look at the queues: who queues after the look finds us asleep and signals.
        Interlocked.Exchange(ref _asleep, 1);
        bool isBusy = HasWork || _again.Count > 0;
        int count = Libc.Wait(_epoll, _events, isBusy ? 0 : -1);
        Volatile.Write(ref _asleep, 0);
        return count;
    }

    private void Dispatch(in EpollEvent item)
    {
        if (item.Descriptor == _signal)
        {
            Libc.ClearSignal(_signal);
        }
        else
        {
            _handlers[item.Descriptor]?.OnReady(item.Events);
        }
    }

    private void ReadAgainNow()
    {
        foreach (var transport in _againNow)
        {
            transport.ReadQueued();
        }

        _againNow.Clear();
    }

    private void EndNow()
    {
        // By index: who ends may end others.
        for (int i = 0; i < _ended.Count; i++)
        {
            var transport = _ended[i];

            // Closing takes it out of the set only when no other process has it: a child between fork and exec would keep its events coming.
            Unwatch(transport.Descriptor);
            transport.Finish();
        }

        _ended.Clear();
    }
}
