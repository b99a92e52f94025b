using NATS.Client.Core;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Which exceptions of the NATS client say that NATS did not take something, or not in time: they come and go with the connection, and are no bugs.</summary>
internal static class BusErrors
{
    /// <param name="exception">What a call of the client threw.</param>
    /// <param name="cancellationToken">The call's: if it is cancelled, that was ours.</param>
    public static bool IsNotTaken(Exception exception, CancellationToken cancellationToken) =>
        exception is NatsException or TimeoutException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
