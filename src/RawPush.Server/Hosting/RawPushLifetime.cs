using Microsoft.Extensions.Options;
using RawPush.Fanout.Channels;
using RawPush.Server.Connections;

namespace RawPush.Server.Hosting;

/// <summary>Says goodbye to the clients before the listeners stop, and looks after memory while they come and go.</summary>
internal sealed class RawPushLifetime(ConnectionLoops loops, ChannelHub hub, IOptions<RawPushOptions> options, TimeProvider time) : IHostedLifecycleService, IDisposable
{
    private const long LargeHistoryBytes = 64 * 1024 * 1024;

    private HubSweeper? _sweeper;
    private HeapTrimmer? _trimmer;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _sweeper = new HubSweeper(hub, loops, options.Value.ProcessBudgetBytes, time);
        _trimmer = options.Value.TrimsHeap ? new HeapTrimmer(() => loops.Changes + _sweeper.Changes, TrimHeap, time) : null;
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Before anything is stopped, Kestrel included: it would wait for connections that wait for us.
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await loops.DrainAsync().WaitAsync(options.Value.DrainTimeout, time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            loops.Abort();
        }
    }

    // With a large history the trim would stop everything for longer than it is worth; the sweeper has such a heap collected in the background.
    private void TrimHeap()
    {
        if (hub.Budget.LogBytes < LargeHistoryBytes)
        {
            HeapTrimmer.CollectAll();
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _sweeper?.Dispose();
        _trimmer?.Dispose();
    }
}
