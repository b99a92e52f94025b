using NATS.Client.Core;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Says when NATS has what was written to the connection. Safe for threads.</summary>
/// <remarks>A server answers a ping when it has done what came before it. One ping is on its way at a time, and all who have written before it share it.</remarks>
internal sealed class BusConfirmation(INatsConnection connection)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Task _running = Task.CompletedTask;
    private Task? _next;

    /// <summary>Ends when NATS has what the caller has written.</summary>
    /// <exception cref="Exception">It has not said so: see <see cref="BusFaults"/>.</exception>
    public Task WaitAsync()
    {
        lock (_lock)
        {
            return _next ??= PingAfterAsync(_running);
        }
    }

    private async Task PingAfterAsync(Task running)
    {
        await Task.Yield();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            // Who comes from now on may have written behind this ping.
            _running = _next!;
            _next = null;
        }

        await connection.PingAsync().AsTask().WaitAsync(Timeout);
    }
}
