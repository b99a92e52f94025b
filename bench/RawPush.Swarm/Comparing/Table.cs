using System.Globalization;
using System.Text;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Comparing;

/// <summary>The results as a Markdown table: a row per figure, a column per server, medians over the rounds.</summary>
internal static class Table
{
    public static string Write(List<RunResult> results, Dictionary<string, string> titles)
    {
        string[] names = [.. titles.Keys.Where(name => results.Any(result => result.Name == name))];
        var text = new StringBuilder();
        text.Append("| |").AppendJoin('|', names.Select(name => $" {titles[name]} ")).AppendLine("|");
        text.Append("|---|").Append(string.Concat(Enumerable.Repeat("---:|", names.Length))).AppendLine();
        foreach (var figure in Figure.All.Where(figure => names.Any(name => figure.Median(results, name) is not null)))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {figure.Title} |").AppendJoin('|', names.Select(name => $" {Cell(figure, results, name)} ")).AppendLine("|");
        }

        return text.AppendLine().AppendLine(Conditions(results)).ToString();
    }

    private static string Cell(Figure figure, List<RunResult> results, string name) =>
        figure.Median(results, name) is not { } value ? "–" : value.ToString(figure.Format, CultureInfo.InvariantCulture) + Beside(figure, results, name);

    /// <summary>What a delivery figure must not be read without: messages per read at the client, and who could not have done more.</summary>
    private static string Beside(Figure figure, List<RunResult> results, string name)
    {
        var loads = results.Where(result => result.Name == name && result.Scenario == figure.Scenario).Select(result => result.Load).OfType<LoadFigures>().ToList();
        if (!figure.IsOfDelivery || loads.Count == 0)
        {
            return string.Empty;
        }

        string saturated = string.Join(", ", loads.Select(load => load.Saturated).Distinct().Where(who => who != "nobody"));
        return string.Create(CultureInfo.InvariantCulture, $"<br><sub>{loads.Average(load => load.MessagesPerRead):0.0} per read{(saturated.Length > 0 ? "; " + saturated : string.Empty)}</sub>");
    }

    private static string Conditions(List<RunResult> results)
    {
        var first = results[0];
        int rounds = results.GroupBy(result => (result.Name, result.Scenario)).Max(group => group.Count());
        var incomplete = results.Where(result => result.Load is { } load && load.Deliveries < load.Expected)
            .Select(result => $"{result.Name} delivered {100.0 * result.Load!.Deliveries / result.Load.Expected:0.0} % in {result.Scenario}").Distinct();
        string losses = string.Join("; ", incomplete);
        return $"{first.Started[..10]}, {first.Machine}; medians of {rounds} {(rounds == 1 ? "round" : "rounds")}, alternating; loopback, plain TCP, " +
            $"{results.Max(result => result.Clients).ToString("#,##0", CultureInfo.InvariantCulture)} clients where nothing else is said, 128-byte messages. " +
            "CPU-seconds are those of the server's process tree. Under a delivery figure: messages per read at the client, and who was saturated, if anybody." + (losses.Length > 0 ? $" Not everything arrived: {losses}." : string.Empty);
    }
}
