using RawPush.Fanout.Brokers.Nats;

namespace RawPush.Server.Hosting;

/// <summary>What operators hear of the connection to NATS.</summary>
internal sealed partial class BusLog(ILogger<BusBroker> logger) : IBusObserver
{
    public void OnConnected(string server) => Log.Connected(logger, server);

    public void OnDisconnected(string reason) => Log.Disconnected(logger, reason);

    public void OnMisfit(string reason) => Log.Misfit(logger, reason);

    public void OnFault(Exception exception) => Log.Fault(logger, exception);

    private static partial class Log
    {
        // 300-399 belong to the bus.
        [LoggerMessage(300, LogLevel.Information, "Connected to NATS: {Server}.", EventName = "BusConnected")]
        public static partial void Connected(ILogger logger, string server);

        [LoggerMessage(301, LogLevel.Warning, "The connection to NATS is lost: {Reason}. It is tried again until it is back; until then this node hears and tells nothing.", EventName = "BusDisconnected")]
        public static partial void Disconnected(ILogger logger, string reason);

        [LoggerMessage(303, LogLevel.Error, "NATS cannot keep messages for this node: {Reason}. It is tried again; until then this node hears and tells nothing.", EventName = "BusMisfit")]
        public static partial void Misfit(ILogger logger, string reason);

        [LoggerMessage(302, LogLevel.Critical, "A part of the NATS broker has ended by an unhandled exception; restart the server.", EventName = "BusFault")]
        public static partial void Fault(ILogger logger, Exception exception);
    }
}
