using Microsoft.Extensions.Options;
using RawPush.Fanout.Delivery;
using RawPush.Server.Hosting;
using RawPush.Server.Transport;

namespace RawPush.Server.Connections;

/// <summary>All loops of the server: gives each new connection to one of them, and ends them together.</summary>
internal sealed class ConnectionLoops : IDisposable
{
    private readonly ConnectionLoop[] _loops;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _connectionsMax;
    private readonly long _blockedBytes;
    private int _next;
    private int _count;
    private volatile bool _isDraining;

    public ConnectionLoops(IOptions<RawPushOptions> options, ConnectionTimeouts timeouts, TimeProvider time)
    {
        _connectionsMax = options.Value.ConnectionsMax;
        _blockedBytes = options.Value.Transport == PushTransport.Epoll ? options.Value.SocketUnsentBytesMax : PipeTransport.UnflushedBytesMax;
        _loops = new ConnectionLoop[options.Value.Shards];
        for (int i = 0; i < _loops.Length; i++)
        {
            Shard shard = options.Value.Transport == PushTransport.Epoll ? new EventLoop(i) : new ThreadPoolShard(i);
            _loops[i] = new ConnectionLoop(shard, timeouts, time);
        }
    }

    public IReadOnlyList<ConnectionLoop> All => _loops;

    public bool IsDraining => _isDraining;

    /// <summary>Connections on all loops. Any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many clients have come and gone since the start, polls left out. Any thread.</summary>
    public long Changes => _loops.Sum(loop => loop.Changes);

    /// <summary>Bytes held for clients beside the messages in logs: unfinished frames, replies that wait, and – an estimate – what waits in the kernel for those that
    /// take nothing. Any thread.</summary>
    public long HeldBytes => _loops.Sum(loop => loop.HeldBytes + (loop.BlockedCount * _blockedBytes));

    public ConnectionLoop Next() => _loops[(uint)Interlocked.Increment(ref _next) % (uint)_loops.Length];

    /// <summary>Counts a connection in. False: there are as many as there may be. Any thread.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _count) <= _connectionsMax)
        {
            return true;
        }

        Leave();
        return false;
    }

    /// <summary>Counts it out again. Any thread.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _count) == 0 && _isDraining)
        {
            _drained.TrySetResult();
        }
    }

    /// <summary>Says goodbye to everybody. The task ends when all have left.</summary>
    public Task DrainAsync()
    {
        _isDraining = true;
        PostToAll(static loop => loop.Drain());
        if (Count == 0)
        {
            _drained.TrySetResult();
        }

        return _drained.Task;
    }

    /// <summary>Cuts those that are still there.</summary>
    public void Abort() => PostToAll(static loop => loop.Abort());

    public void Dispose()
    {
        foreach (var loop in _loops)
        {
            loop.Dispose();
        }
    }

    private void PostToAll(Action<ConnectionLoop> action)
    {
        foreach (var loop in _loops)
        {
            loop.Shard.Post(() => action(loop));
        }
    }
}
