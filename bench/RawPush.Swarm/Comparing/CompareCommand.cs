using System.CommandLine;
using System.Text.Json;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Comparing;

/// <summary>The command <c>compare</c>: every scenario against every server of its transport, in turn, and all of that again.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var peersFile = new Option<string>("--peers") { Description = "The servers: peers.json.", Required = true };
        var scenariosFile = new Option<string>("--scenarios") { Description = "The loads.", Required = true };
        var output = new Option<string>("--out") { Description = "Folder for the results.", Required = true };
        var rounds = new Option<int>("--rounds") { Description = "How often all of it is run.", DefaultValueFactory = _ => 2 };
        var again = new Option<string?>("--again") { Description = "Run nothing; write table and charts of these results.json anew." };
        var only = new Option<string[]>("--only") { Description = "Servers to run; all otherwise.", AllowMultipleArgumentsPerToken = true };
        var port = new Option<int>("--port") { Description = "First of the two ports that servers listen on.", DefaultValueFactory = _ => 19100 };
        var command = new Command("compare", "Runs the same loads against RawPush and its peers, alternating.") { peersFile, scenariosFile, output, rounds, again, only, port };
        command.SetAction(async (result, cancellation) =>
        {
            string[] names = result.GetValue(only) ?? [];
            string folder = Path.GetDirectoryName(Path.GetFullPath(result.GetValue(peersFile)!))!;
            var peers = Peer.ReadAll(result.GetValue(peersFile)!).Where(peer => names.Length == 0 || names.Contains(peer.Name)).ToList();
            var results = result.GetValue(again) is { } file
                ? JsonSerializer.Deserialize(await File.ReadAllTextAsync(file, cancellation), ResultJson.Default.ListRunResult)!
                : await RunAllAsync(folder, peers, Scenario.ReadAll(result.GetValue(scenariosFile)!), result.GetValue(rounds), result.GetValue(port));
            await WriteAsync(folder, result.GetValue(output)!, peers, results);
            return 0;
        });
        return command;
    }

    private static async Task<List<RunResult>> RunAllAsync(string folder, List<Peer> peers, List<Scenario> scenarios, int rounds, int port)
    {
        var results = new List<RunResult>();
        for (int round = 1; round <= rounds; round++)
        {
            foreach (var scenario in scenarios)
            {
                foreach (var peer in peers.Where(peer => Takes(peer, scenario)))
                {
                    Console.Error.WriteLine($"round {round} of {rounds}: {scenario.Title}: {peer.Title}");
                    try
                    {
                        results.Add(await RunOneAsync(folder, peer, scenario, port));
                    }
                    catch (InvalidOperationException exception)
                    {
                        // One server that fails must not cost the figures of all the others; its cell stays empty.
                        Console.Error.WriteLine($"{peer.Title}: {exception.Message}");
                    }
                }
            }
        }

        return results;
    }

    private static bool Takes(Peer peer, Scenario scenario) =>
        peer.Transport == scenario.Transport && (scenario.EchoSeconds == 0 || peer.Echo is not null) && (scenario.Channels == 1 || peer.HasChannels);

    private static async Task<RunResult> RunOneAsync(string folder, Peer peer, Scenario scenario, int port)
    {
        using var process = await PeerProcess.StartAsync(Path.Combine(folder, peer.Name), port, scenario);
        return await new Coordinator(OptionsOf(peer, scenario, port, process.Id), new PlainProgress()).RunAsync();
    }

    private static RunOptions OptionsOf(Peer peer, Scenario scenario, int port, int pid) => new()
    {
        Name = peer.Name,
        Scenario = scenario.Name,
        Dialect = peer.Dialect,
        Host = "127.0.0.1",
        Port = port,
        Target = scenario.EchoSeconds > 0 && peer.Echo!.StartsWith('/') ? peer.Echo : peer.Subscribe,
        PublishDialect = peer.Publish.Dialect,
        PublishPort = port + peer.Publish.PortOffset,
        PublishPath = peer.Publish.Path,
        ServerPid = pid,
        Clients = scenario.Clients,

        // An echo over a broker goes by way of a channel, and comes back only to the one who sent it if each has one of its own.
        Channels = scenario.EchoSeconds > 0 ? scenario.Clients : scenario.Channels,
        Processes = RunCommand.ProcessesFor(scenario.Clients),
        SourceAddresses = 4,
        RampPerSecond = 0,
        SettleSeconds = scenario.SettleSeconds,
        HoldSeconds = scenario.HoldSeconds,
        Publishers = scenario.Publishers,
        MessagesPerSecond = scenario.MessagesPerSecond,
        MessageBytes = scenario.MessageBytes,
        Payload = "x",
        Compression = false,
        LoadSeconds = scenario.LoadSeconds,
        EchoSeconds = scenario.EchoSeconds,
        SlowPercent = 0,
        SlowBytesPerSecond = 0,
        HostilePercent = 0,
        Storms = 0,
        StormJitterMs = 0,
        ChurnPerSecond = 0,
        Transports = [],
        ReconnectEverySeconds = 0,
        PollEveryMs = 0,
        DrainSeconds = 0,
        Seed = 0,
        KeepsTruth = false,
        WarmsUp = true,
        JsonFile = null,
    };

    private static async Task WriteAsync(string peersFolder, string folder, List<Peer> peers, List<RunResult> results)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "results.json"), JsonSerializer.Serialize(results, ResultJson.Default.ListRunResult) + "\n");
        var titles = peers.DistinctBy(peer => peer.Name).ToDictionary(peer => peer.Name, peer => $"{peer.Title} {Versions.Of(peer, peersFolder)}".Trim());
        string table = Table.Write(results, titles);
        await File.WriteAllTextAsync(Path.Combine(folder, "README.md"), table);
        Charts.Write(folder, results, peers.DistinctBy(peer => peer.Name).ToDictionary(peer => peer.Name, peer => peer.Title));
        Console.WriteLine(table);
    }
}
