using System.Globalization;
using Spectre.Console;

namespace RawPush.Swarm.Cluster;

/// <summary>A run's result for a person's eyes, on standard error.</summary>
internal static class ClusterTable
{
    private const int LossesShown = 10;

    public static void Write(ClusterResult result)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Profile.Width = Math.Max(console.Profile.Width, 160);
        console.Write(Counts(result));
        if (result.Kills.Count > 0)
        {
            console.Write(Kills(result));
        }

        foreach (string fault in result.Verdict.Losses!.Take(LossesShown).Select(loss => loss.ToString()).Concat(result.Verdict.Faults.Where(fault => !fault.StartsWith("lost ", StringComparison.Ordinal))))
        {
            console.WriteLine($"  {fault}");
        }
    }

    private static Table Counts(ClusterResult result)
    {
        var verdict = result.Verdict;
        var table = new Table().AddColumns("what", "how often").Border(TableBorder.Simple);
        Row(table, "deliveries", $"{Number(result.Deliveries.Count)} ({Number(result.Deliveries.PerSecond)} per second), p50 {Ms(result.Deliveries.P50Ms)}, p99 {Ms(result.Deliveries.P99Ms)}, max {Ms(result.Deliveries.MaxMs)}");
        Row(table, "reconnects", $"{Number(verdict.Reconnects.Values.Sum())} ({Listed(verdict.Reconnects)}), of which moves to another node {Number(verdict.Moves)}; ended by a node {Number(verdict.EndedByServer)}");
        Row(table, "gaps announced", $"{Number(verdict.Gaps.Values.Sum())} ({Listed(verdict.Gaps)}), over {Number(verdict.MissedInGaps)} acknowledged messages");
        Row(table, "late, of another node", Number(verdict.Late));
        Row(table, "lies: lost", $"{Number(verdict.Lost)}; at the end {Number(verdict.LostAtEnd)} clients; of {Number(verdict.Losses!.Count)} that are listed, {Number(result.SilentLosses)} where the publishing node said no more");
        Row(table, "lies: repeated", Number(verdict.Repeated));
        Row(table, "lies: out of order", Number(verdict.OutOfOrder));
        Row(table, "lies: malformed, false gaps, epochs not announced", $"{Number(verdict.Malformed)}, {Number(verdict.FalseGaps)}, {Number(verdict.UnannouncedEpochs)}");
        Row(table, "published", $"{Number(result.Publishing.Acknowledged)} acknowledged, {Number(result.Publishing.Unknown)} unknown, {Number(result.Publishing.NeverTaken)} never taken; p50 {Ms(result.Publishing.P50Ms)}, p99 {Ms(result.Publishing.P99Ms)}, max {Ms(result.Publishing.MaxMs)}");
        foreach (var (what, count) in result.Publishing.Refusals)
        {
            Row(table, "  publishes not acknowledged", $"{Number(count)} {what}");
        }

        Row(table, "faults in the nodes' logs", Listed(result.FaultsLogged));
        return table;
    }

    private static Table Kills(ClusterResult result)
    {
        var table = new Table().AddColumns("killed", "at (UTC)", "start, s", "clients that got news since", "after, p50", "p99", "max").Border(TableBorder.Simple);
        foreach (var kill in result.Kills)
        {
            table.AddRow(kill.Server, kill.At, kill.StartSeconds.ToString("0.0", CultureInfo.InvariantCulture), Number(kill.Returned), Ms(kill.DownP50Ms), Ms(kill.DownP99Ms), Ms(kill.DownMaxMs));
        }

        return table;
    }

    private static void Row(Table table, string what, string howOften) => table.AddRow(new Text(what), new Text(howOften));

    private static string Listed(SortedDictionary<string, long> counts) => string.Join(", ", counts.Select(pair => $"{pair.Key} {Number(pair.Value)}"));

    private static string Number(double value) => value.ToString("#,##0", CultureInfo.InvariantCulture);

    private static string Ms(double value) => value.ToString("#,##0.0 ms", CultureInfo.InvariantCulture);
}
