using System.CommandLine;
using System.Text.Json;

namespace RawPush.Swarm.Running;

/// <summary>The command <c>run</c>: its options, what it prints, and its exit code.</summary>
internal static class RunCommand
{
    private const int LieExitCode = 3;

    // Sockets are not all that a process has open.
    private const int ClientsPerProcess = 18_000;

    public static Command Create()
    {
        var o = new RunCommandOptions();
        var command = new Command("run", "Opens clients, publishes or echoes, and says what it cost the server and how long it took.");
        foreach (var option in o.All)
        {
            command.Options.Add(option);
        }

        command.SetAction((result, _) => RunAsync(o.Read(result)));
        return command;
    }

    public static int ProcessesFor(int clients) => (clients + ClientsPerProcess - 1) / ClientsPerProcess;

    private static async Task<int> RunAsync(RunOptions options)
    {
        if (options.Contradiction() is { } contradiction)
        {
            Console.Error.WriteLine($"swarm: {contradiction}");
            return 1;
        }

        var result = await ProgressViews.ShowAsync(view => new Coordinator(options, view).RunAsync());
        string json = JsonSerializer.Serialize(result, ResultJson.Default.RunResult);
        if (options.JsonFile is null)
        {
            Console.WriteLine(json);
        }
        else
        {
            await File.WriteAllTextAsync(options.JsonFile, json + "\n");
        }

        Console.Error.Write(result.Verdict?.Summary());
        return ExitCodeOf(result);
    }

    private static int ExitCodeOf(RunResult result)
    {
        if (result.Truth is not null and not "kept")
        {
            Console.Error.WriteLine($"swarm: the server lied: {result.Truth}");
            return LieExitCode;
        }

        if (result.Ramp is { } ramp && ramp.Opened < result.Clients)
        {
            Console.Error.WriteLine($"swarm: only {ramp.Opened} of {result.Clients} clients came in: {result.LastError}");
            return 1;
        }

        return 0;
    }
}
