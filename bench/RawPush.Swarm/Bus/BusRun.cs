using System.Globalization;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Cluster;
using RawPush.Swarm.Measuring;
using RawPush.Swarm.Resuming;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Bus;

/// <summary>Measures all ways of all stages in turns of a second, so that whatever else the machine does meets all of them alike.</summary>
internal sealed class BusRun(BusOptions options, string folder, IProgressView view)
{
    private const double TurnSeconds = 1;

    public async Task<BusResult> RunAsync()
    {
        var stages = new List<BusStage>();
        try
        {
            foreach (string stage in options.Stages)
            {
                view.Phase($"servers: {stage}");
                stages.Add(await OpenAsync(stage));
            }

            await MeasureAsync([.. stages.SelectMany(stage => stage.Paths)]);
            return ResultOf(stages);
        }
        finally
        {
            foreach (var stage in stages)
            {
                await stage.DisposeAsync();
            }
        }
    }

    private Task<BusStage> OpenAsync(string stage)
    {
        var members = new MemberOptions
        {
            Promise = stage == "core" ? Promise.Core : Promise.JetStream,
            Nodes = 2,
            NatsServers = stage == "jetstream-r3" ? 3 : 1,
            IsPinned = true,
            Server = options.Server,
            Settings = options.Settings,
        };
        return BusStage.OpenAsync(stage, members, Directory.CreateDirectory(Path.Combine(folder, stage)).FullName);
    }

    private async Task MeasureAsync(BusPath[] paths)
    {
        var load = new SteadyLoad(options.MessagesPerSecond, TurnSeconds, options.PayloadBytes, Filling.Of("json", options.PayloadBytes));
        int rounds = Math.Max(1, (int)Math.Round(options.Seconds / TurnSeconds));
        view.Phase("warm-up");
        await RunRoundsAsync(Math.Min(rounds, 3), paths, load, isMeasured: false);
        view.Phase($"{paths.Length} ways, {rounds} turns of {TurnSeconds} s each");
        await RunRoundsAsync(rounds, paths, load, isMeasured: true);
    }

    private async Task RunRoundsAsync(int rounds, BusPath[] paths, SteadyLoad load, bool isMeasured)
    {
        for (int round = 0; round < rounds; round++)
        {
            foreach (var path in paths)
            {
                await path.RunAsync(load, isMeasured);
            }

            view.Update(round + 1, rounds);
        }
    }

    private BusResult ResultOf(List<BusStage> stages)
    {
        var rows = new List<BusRow>();
        foreach (var stage in stages)
        {
            var raw = stage.Paths[0].ToRow(null);
            rows.AddRange(stage.Paths.Select(path => path.ToRow(raw)));
        }

        return new BusResult
        {
            Started = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            Machine = MachineInfo.Describe(),
            MessagesPerSecond = options.MessagesPerSecond,
            PayloadBytes = options.PayloadBytes,
            Seconds = options.Seconds,
            Rows = rows,
        };
    }
}
