using System.Diagnostics.Metrics;
using RawPush.Server.Connections;

namespace RawPush.Server.Hosting;

/// <summary>The server's instruments, of meter <c>RawPush.Server</c>. Tags come from our own enums only.</summary>
internal sealed class RawPushMetrics
{
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _ended;

    public RawPushMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("RawPush.Server");
        _active = meter.CreateUpDownCounter<long>("rawpush.connections.active", "{connection}", "Push connections that are open.");
        _ended = meter.CreateCounter<long>("rawpush.connections.ended", "{connection}", "Push connections that have ended, by reason.");
    }

    public void SessionStarted() => _active.Add(1);

    public void SessionEnded(ConnectionEndReason reason)
    {
        _active.Add(-1);
        _ended.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString()));
    }
}
