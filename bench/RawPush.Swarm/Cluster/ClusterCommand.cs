using System.CommandLine;
using System.Text.Json;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Cluster;

/// <summary>The command <c>cluster</c>: its options, what it prints, and its exit code.</summary>
internal static class ClusterCommand
{
    private const int LieExitCode = 3;

    public static Command Create()
    {
        var o = new ClusterCommandOptions();
        var command = new Command("cluster", "Starts NATS servers and nodes, kills them, and checks that clients and publishers which move between them are told the truth.");
        foreach (var option in o.All)
        {
            command.Options.Add(option);
        }

        command.SetAction((result, _) => RunAsync(o.Read(result)));
        return command;
    }

    private static async Task<int> RunAsync(ClusterOptions options)
    {
        if (!File.Exists(options.Server))
        {
            Console.Error.WriteLine($"swarm: there is no server at {options.Server}; --server says where it is");
            return 1;
        }

        string folder = options.Folder is null ? Directory.CreateTempSubdirectory("rawpush-cluster-").FullName : Directory.CreateDirectory(options.Folder).FullName;
        var result = await ProgressViews.ShowAsync(view => new ClusterRun(options, folder, view).RunAsync());
        await WriteAsync(result, options.JsonFile);
        ClusterTable.Write(result);
        if (!result.IsKept)
        {
            Console.Error.WriteLine($"swarm: the nodes lied: {result.Truth}\nswarm: their logs are in {folder}");
            return LieExitCode;
        }

        if (options.Folder is null)
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    private static async Task WriteAsync(ClusterResult result, string? file)
    {
        string json = JsonSerializer.Serialize(result, ClusterJson.Default.ClusterResult);
        if (file is null)
        {
            Console.WriteLine(json);
        }
        else
        {
            await File.WriteAllTextAsync(file, json + "\n");
        }
    }
}
