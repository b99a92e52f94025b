using NATS.Client.Core;
using RawPush.Fanout.Publishing;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>What becomes of it when the connection, or the server at its other end, is not there at the moment.</summary>
internal static class BusFaults
{
    /// <summary>What a publisher is told who cannot know.</summary>
    public static PublishRefusedException NotConfirmed() => new(
        PublishRefusal.NotConfirmed, "the message may have been published or not: NATS has not confirmed it in time; publish it again, with an idempotency key if it must not come twice");

    /// <summary>Does something until the connection, or the server, is there for it.</summary>
    public static async Task<T> RetryAsync<T>(Func<Task<T>> work, TimeSpan wait, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception exception) when (IsOfConnection(exception, cancellationToken))
            {
                await Task.Delay(wait, time, cancellationToken);
            }
        }
    }

    /// <summary>Whether it is one of those, and not the caller who has had enough.</summary>
    public static bool IsOfConnection(Exception exception, CancellationToken cancellationToken) =>
        exception is NatsException or TimeoutException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
