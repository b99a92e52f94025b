using System.Diagnostics.Metrics;
using RawPush.Server.Connections;

namespace RawPush.Server.Hosting;

/// <summary>The server's instruments, of meter <c>RawPush.Server</c>. Tags come from our own enums only.</summary>
internal sealed class RawPushMetrics
{
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _ended;
    private readonly Counter<long> _refused;

    public RawPushMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("RawPush.Server");
        _active = meter.CreateUpDownCounter<long>("rawpush.connections.active", "{connection}", "Push connections that are open.");
        _ended = meter.CreateCounter<long>("rawpush.connections.ended", "{connection}", "Push connections that have ended, by reason.");
        _refused = meter.CreateCounter<long>("rawpush.handshakes.refused", "{handshake}", "Requests for a push that were answered with an error, by status.");
    }

    /// <param name="statusCode">One of the few that refusals use.</param>
    public void HandshakeRefused(int statusCode) => _refused.Add(1, new KeyValuePair<string, object?>("status", statusCode));

    public void SessionStarted() => _active.Add(1);

    public void SessionEnded(ConnectionEndReason reason)
    {
        _active.Add(-1);
        _ended.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString()));
    }
}
