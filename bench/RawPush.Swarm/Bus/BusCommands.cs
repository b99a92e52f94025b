using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Bus;

/// <summary>The commands that measure nodes on NATS: <c>bus</c>, <c>interest</c> and <c>forward</c>. Each prints a table, for people and for Markdown.</summary>
internal static class BusCommands
{
    private static readonly string[] Modes = ["core", "jetstream"];

    public static Command CreateBus()
    {
        var o = new BusCommandOptions([.. Modes, "jetstream-r3"], rate: 500, seconds: 20, channels: 1);
        return Create("bus", "Measures how long messages take from node to node, in turns with NATS alone.", o, o.Except("--channels"),
            (options, folder, view) => new BusRun(options, folder, view).RunAsync(), BusJson.Default.BusResult, BusTables.Write);
    }

    public static Command CreateInterest()
    {
        var o = new BusCommandOptions(["alone", .. Modes], rate: 1, seconds: 1, channels: 100_000);
        return Create("interest", "Measures what a node and NATS need for channels of interest, and how long they are deaf when NATS is killed.", o, o.Except("--rate", "--seconds"),
            (options, folder, view) => new InterestRun(options, folder, view).RunAsync(), BusJson.Default.InterestResult, BusTables.Write);
    }

    public static Command CreateForward()
    {
        var o = new BusCommandOptions(Modes, rate: 5000, seconds: 5, channels: 1000);
        return Create("forward", "Measures a node's CPU time per message that comes from NATS, and how many it takes in.", o, o.Except(),
            (options, folder, view) => new ForwardRun(options, folder, view).RunAsync(), BusJson.Default.ForwardResult, BusTables.Write);
    }

    private static Command Create<T>(string name, string description, BusCommandOptions o, IEnumerable<Option> used, Func<BusOptions, string, IProgressView, Task<T>> run, JsonTypeInfo<T> json, Func<T, string> table)
        where T : class
    {
        var command = new Command(name, description);
        foreach (var option in used)
        {
            command.Options.Add(option);
        }

        command.SetAction((result, _) => RunAsync(o.Read(result), run, json, table));
        return command;
    }

    private static async Task<int> RunAsync<T>(BusOptions options, Func<BusOptions, string, IProgressView, Task<T>> run, JsonTypeInfo<T> json, Func<T, string> table)
        where T : class
    {
        if (!File.Exists(options.Server))
        {
            Console.Error.WriteLine($"swarm: there is no server at {options.Server}; --server says where it is");
            return 1;
        }

        string folder = options.Folder is null ? Directory.CreateTempSubdirectory("rawpush-bus-").FullName : Directory.CreateDirectory(options.Folder).FullName;
        var result = await ProgressViews.ShowAsync(view => run(options, folder, view));
        if (options.JsonFile is not null)
        {
            await File.WriteAllTextAsync(options.JsonFile, JsonSerializer.Serialize(result, json) + "\n");
        }

        Console.Write(table(result));
        if (options.Folder is null)
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }
}
