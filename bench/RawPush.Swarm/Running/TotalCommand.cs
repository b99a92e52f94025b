using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace RawPush.Swarm.Running;

/// <summary>The command <c>total</c>: adds up runs that were one load spread over several servers.</summary>
internal static class TotalCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "Results of run.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("total", "Adds up runs that went on at the same time.") { files };
        command.SetAction(result => Print([.. result.GetValue(files)!.Select(Read)]));
        return command;
    }

    private static RunResult Read(string file) => JsonSerializer.Deserialize(File.ReadAllText(file), ResultJson.Default.RunResult)!;

    private static void Print(RunResult[] runs)
    {
        Line("servers", runs.Length, "0");
        Line("clients that came in", runs.Sum(run => run.Ramp!.Opened), "#,##0");
        Line("handshakes that failed", runs.Sum(run => run.Ramp!.Failed), "#,##0");
        Line("seconds held", runs.Min(run => run.Idle!.Seconds), "0");
        Line("bytes of RSS per client", runs.Average(run => run.Idle!.RssBytesPerClient), "#,##0");
        Line("CPU of all servers while idle, % of a core", runs.Sum(run => run.Idle!.CpuPercentOfCore), "0.0");
        Line("messages expected", runs.Sum(run => run.Load!.Expected), "#,##0");
        Line("messages delivered", runs.Sum(run => run.Load!.Deliveries), "#,##0");
        Line("delivery p99 in ms, the slowest server's", runs.Max(run => run.Load!.P99Ms), "#,##0");
        Console.WriteLine($"{"truth",-45} {(runs.All(run => run.Truth == "kept") ? "kept" : runs.First(run => run.Truth != "kept").Truth)}");
    }

    private static void Line(string name, double value, string format) => Console.WriteLine($"{name,-45} {value.ToString(format, CultureInfo.InvariantCulture)}");
}
