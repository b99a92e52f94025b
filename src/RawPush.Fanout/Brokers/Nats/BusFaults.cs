using NATS.Client.Core;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>Which exceptions of the NATS client say that the connection, or the server at its other end, is not there at the moment.</summary>
internal static class BusFaults
{
    /// <summary>Whether it is one of those, and not the caller who has had enough.</summary>
    public static bool IsOfConnection(Exception exception, CancellationToken cancellationToken) =>
        exception is NatsException or TimeoutException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
