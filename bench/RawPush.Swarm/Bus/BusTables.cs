using System.Globalization;
using System.Text;

namespace RawPush.Swarm.Bus;

/// <summary>Results as Markdown tables, with their conditions below.</summary>
internal static class BusTables
{
    public static string Write(BusResult result)
    {
        var text = Head("servers", "way", "p50", "p99", "p99.9", "p50 to raw", "p99 to raw", "answered, p50", "p99", "lost");
        foreach (var row in result.Rows)
        {
            Row(text, row.Stage, row.Path, Micros(row.P50Micros), Micros(row.P99Micros), Micros(row.P999Micros), Ratio(row.P50ToRaw), Ratio(row.P99ToRaw),
                Micros(row.AcknowledgedP50Micros), Micros(row.AcknowledgedP99Micros), Number(row.Published - row.Delivered));
        }

        return text.AppendLine().AppendLine(Invariant(
            $"{result.Started[..10]}, {result.Machine}, shared by all servers and the measuring process; loopback; {result.MessagesPerSecond:0} messages of {result.PayloadBytes} bytes per second, {result.Seconds:0} s of each way in turns of a second.")).ToString();
    }

    public static string Write(InterestResult result)
    {
        var text = Head("servers", "node before", "after", "bytes per interest, node", "NATS", "clients answered", "NATS has all", "restart: NATS listens", "has all", "sample delivered", "node after", "NATS after");
        var alone = result.Rows.Find(row => row.Nats is null);
        foreach (var row in result.Rows)
        {
            Row(text, [row.Stage, Megabytes(row.NodeBytesBefore), Megabytes(row.NodeBytesAfter), PerInterest(row, alone, result.Channels), .. Nats(row.Nats, row, result.Channels)]);
        }

        return text.AppendLine().AppendLine(Invariant(
            $"{result.Started[..10]}, {result.Machine}, shared by all servers and the measuring process; loopback; {result.Channels:#,##0} channels of {result.Connections:#,##0} WebSockets. Memory is RSS; an interest of the node is what it takes beyond a node that is alone with the same channels.")).ToString();
    }

    public static string Write(ForwardResult result)
    {
        var text = Head("servers", "channels", "pattern", "node, µs of CPU per message", "nats-server", "lost", "keeps up with, per second", "overloaded, per second");
        foreach (var row in result.Rows)
        {
            Row(text, row.Stage, Number(row.Channels), row.Pattern, row.NodeMicros.ToString("0.0", CultureInfo.InvariantCulture), row.NatsMicros.ToString("0.0", CultureInfo.InvariantCulture), Number(row.Published - row.Delivered),
                row.KeptUpPerSecond is { } kept ? Number(kept) : "–", row.OverloadedPerSecond is { } over ? Number(over) : "–");
        }

        return text.AppendLine().AppendLine(Invariant(
            $"{result.Started[..10]}, {result.Machine}, shared by all servers and the measuring process; loopback; {result.MessagesPerSecond:0} messages of {result.PayloadBytes} bytes per second for {result.Seconds:0} s, published to NATS, to one WebSocket.")).ToString();
    }

    private static string PerInterest(InterestRow row, InterestRow? alone, int channels) =>
        row.Nats is null ? "–" : Number((row.NodeBytesAfter - row.NodeBytesBefore - (alone?.NodeBytesAfter - alone?.NodeBytesBefore ?? 0)) / (double)channels);

    private static string[] Nats(NatsInterest? nats, InterestRow row, int channels) => nats is null
        ? ["–", Seconds(row.SubscribeSeconds), .. Enumerable.Repeat("–", 6)]
        : [Number((nats.BytesAfter - nats.BytesBefore) / (double)channels), Seconds(row.SubscribeSeconds), Seconds(nats.InterestSeconds), Seconds(nats.RestartListenSeconds), Seconds(nats.RestartInterestSeconds),
            Seconds(nats.RestartDeliveredSeconds), Megabytes(nats.NodeBytesAfterRestart), Megabytes(nats.BytesAfterRestart)];

    private static StringBuilder Head(params string[] columns)
    {
        var text = new StringBuilder();
        Row(text, columns);
        Row(text, [.. columns.Select((_, index) => index == 0 ? "---" : "---:")]);
        return text;
    }

    private static void Row(StringBuilder text, params string[] cells) => text.Append("| ").AppendJoin(" | ", cells).AppendLine(" |");

    private static string Micros(long micros) => micros < 10_000 ? Invariant($"{micros} µs") : Invariant($"{micros / 1000.0:0.0} ms");

    private static string Ratio(double ratio) => Invariant($"{ratio:0.00}");

    private static string Number(double value) => Invariant($"{value:#,##0}");

    private static string Seconds(double seconds) => Invariant($"{seconds:0.00} s");

    private static string Megabytes(long bytes) => Invariant($"{bytes / 1e6:0} MB");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
