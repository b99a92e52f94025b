using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Running;

/// <summary>A worker process: takes its plan and its orders, a line each, on standard input, and reports on standard output.</summary>
internal static class WorkerMain
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(200);

    public static int Run()
    {
        var plan = JsonSerializer.Deserialize(Console.ReadLine()!, WorkerJson.Default.WorkerPlan)!;
        var loop = new ClientLoop(plan);
        var orders = new BlockingCollection<string>();
        new Thread(() => ReadOrders(orders)) { IsBackground = true }.Start();
        long reported = 0;
        while (true)
        {
            while (orders.TryTake(out string? order))
            {
                if (!Obey(loop, plan, order.Split(' ')))
                {
                    return 0;
                }
            }

            loop.RunOnce();
            if (Stopwatch.GetElapsedTime(reported) >= ReportInterval)
            {
                reported = Stopwatch.GetTimestamp();
                Report(loop, withLatencies: false);
            }
        }
    }

    private static void ReadOrders(BlockingCollection<string> orders)
    {
        while (Console.ReadLine() is { } line)
        {
            orders.Add(line);
        }

        // The coordinator is gone, however it ended.
        orders.Add("exit");
    }

    private static bool Obey(ClientLoop loop, WorkerPlan plan, string[] order)
    {
        switch (order[0])
        {
            case "open":
                loop.Open();
                break;
            case "reset":
                loop.ResetCounts();
                break;
            case "echo":
                loop.Echo(order[1] == "on");
                break;
            case "storm":
                loop.Storm(int.Parse(order[1], CultureInfo.InvariantCulture));
                break;
            case "churn":
                loop.Churn(int.Parse(order[1], CultureInfo.InvariantCulture));
                break;
            case "reconnect":
                loop.ReconnectEvery(double.Parse(order[1], CultureInfo.InvariantCulture));
                break;
            case "begin":
                loop.BeginLoad();
                break;
            case "mark":
                loop.Mark();
                break;
            case "last":
                loop.End(Fates.Read(order[1]));
                break;
            case "end":
                long[] published = [.. order[1].Split(',').Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
                loop.Truth?.CheckEnd(loop.Readers, published, plan.Channels);
                break;
            case "report":
                Report(loop, withLatencies: true);
                break;
            default:
                return false;
        }

        return true;
    }

    private static void Report(ClientLoop loop, bool withLatencies) =>
        Console.WriteLine(JsonSerializer.Serialize(loop.Report(withLatencies), WorkerJson.Default.WorkerReport));
}
