using System.Diagnostics.Metrics;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Fanout.Brokers.Nats.JetStream;
using RawPush.Fanout.Channels;
using RawPush.Server.Connections;
using RawPush.Server.Requests;
using RawPush.Server.Sessions;

namespace RawPush.Server.Hosting;

/// <summary>The server's instruments, of meter <c>RawPush.Server</c>. Tags come from our own enums only.</summary>
internal sealed class RawPushMetrics
{
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _ended;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _limits;
    private readonly Counter<long> _gaps;
    private readonly Counter<long> _throttled;

    public RawPushMetrics(IMeterFactory meters, ChannelHub hub)
    {
        var meter = meters.Create("RawPush.Server");
        _active = meter.CreateUpDownCounter<long>("rawpush.connections.active", "{connection}", "Push connections that are open.");
        _ended = meter.CreateCounter<long>("rawpush.connections.ended", "{connection}", "Push connections that have ended, by reason.");
        _refused = meter.CreateCounter<long>("rawpush.handshakes.refused", "{handshake}", "Requests for a push that were answered with an error, by status.");
        _limits = meter.CreateCounter<long>("rawpush.limits.reached", "{handshake}", "Requests for a push that a limit kept out, by limit.");
        _gaps = meter.CreateCounter<long>("rawpush.gaps", "{gap}", "Gaps that clients were told of, by reason.");
        _throttled = meter.CreateCounter<long>("rawpush.clients.throttled", "{pause}", "Times that a client was not read from for a while because it had sent too much, by limit.");
        meter.CreateObservableGauge("rawpush.channels.active", () => hub.ChannelCount, "{channel}", "Channels with subscribers or history.");
        meter.CreateObservableGauge("rawpush.patterns.active", () => hub.PatternCount, "{pattern}", "Patterns with subscribers.");
        CreateMemoryGauges(meter, hub.Budget);
        if (hub.Broker is BusBroker broker)
        {
            CreateBusInstruments(meter, broker);
        }
    }

    private static void CreateMemoryGauges(Meter meter, MemoryBudget budget)
    {
        meter.CreateObservableGauge("rawpush.memory.budget", () => budget.BytesMax, "By", "What messages and what waits for clients may take.");
        meter.CreateObservableGauge("rawpush.memory.logs", () => budget.LogBytes, "By", "Messages in logs, with their encoded forms.");
        meter.CreateObservableGauge("rawpush.memory.connections", () => budget.ConnectionBytes, "By", "What waits for clients or of them, the kernel's part estimated.");
        meter.CreateObservableGauge("rawpush.memory.history_share", () => budget.HistoryShare, "1", "How much of their history namespaces with more than their share may keep.");
        meter.CreateObservableGauge("rawpush.memory.lag_share", () => budget.LagShare, "1", "How much of the room for slow clients is left.");
        meter.CreateObservableCounter("rawpush.entries.shed", () => budget.ShedEntries, "{entry}", "Messages dropped before their time because memory was short.");
    }

    private static void CreateBusInstruments(Meter meter, BusBroker broker)
    {
        meter.CreateObservableGauge("rawpush.bus.connected", () => broker.IsConnected ? 1 : 0, "1", "Whether there is a connection to NATS.");
        meter.CreateObservableGauge("rawpush.bus.interest", () => broker.InterestCount, "{subject}", "Channels and patterns that this node listens to.");
        meter.CreateObservableGauge("rawpush.bus.nodes", () => broker.OtherNodes + 1, "{node}", "Nodes that live, this one included, as far as it knows.");
        meter.CreateObservableCounter("rawpush.bus.reconnects", () => broker.Reconnects, "{connection}", "Times that the connection to NATS was lost.");
        meter.CreateObservableCounter("rawpush.bus.holes", () => broker.Holes, "{gap}", "Places in channels where messages of other nodes may be missing.");
        meter.CreateObservableCounter("rawpush.bus.dropped", () => broker.Dropped, "{message}", "Messages of other nodes for which there was no room.");
        if (broker is JetStreamBroker keeper)
        {
            meter.CreateObservableCounter("rawpush.bus.filled", () => keeper.Filled, "{message}", "Messages that had not come through and were fetched.");
        }

        var lag = meter.CreateHistogram<double>("rawpush.bus.lag", "s", "From a message's publish on another node, or from when NATS has kept it, to its entry in the log of this one, by both machines' clocks.");
        broker.OnLag = time => lag.Record(time.TotalSeconds);
    }

    public void HandshakeRefused(Refusal refusal)
    {
        // One of the few that refusals use.
        _refused.Add(1, new KeyValuePair<string, object?>("status", refusal.StatusCode));
        if (refusal.Limit != AdmissionLimit.None)
        {
            _limits.Add(1, new KeyValuePair<string, object?>("limit", refusal.Limit.ToString()));
        }
    }

    public void GapAnnounced(GapReason reason) => _gaps.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString()));

    public void ClientThrottled(ClientLimit limit) => _throttled.Add(1, new KeyValuePair<string, object?>("limit", limit.ToString()));

    public void SessionStarted() => _active.Add(1);

    public void SessionEnded(ConnectionEndReason reason)
    {
        _active.Add(-1);
        _ended.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString()));
    }
}
