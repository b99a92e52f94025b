using System.Globalization;
using RawPush.Server.Connections;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>One at a time: they take the machine, and each other's figures.</summary>
[CollectionDefinition(nameof(Siege), DisableParallelization = true)]
public sealed class Sieges;

/// <summary>A server with honest clients, and what it takes before, during and after its hostile ones. The figures are printed; only counts are asserted.</summary>
internal sealed class Siege : IAsyncDisposable
{
    private const string Sample = "RawPush.Sample.Backend.dll";

    // What a server that has just started grows by in any case: code that is compiled at its first use, and a heap that finds its size.
    private const long WarmUpBytes = 64 * 1024 * 1024;

    private readonly ServerProcess? _process;
    private readonly ProcessMonitor _monitor;
    private long _residentBefore;
    private readonly Func<int> _countHeld;
    private int _heldBefore;

    private Siege(ServerProcess? process, int processId, Func<int>? countHeld, int publicPort, int internalPort, HonestClients honest)
    {
        _process = process;
        _monitor = new ProcessMonitor(processId);
        _countHeld = countHeld ?? (() => _monitor.Descriptors);
        PublicPort = publicPort;
        InternalPort = internalPort;
        Honest = honest;
    }

    public int PublicPort { get; }

    public int InternalPort { get; }

    public HonestClients Honest { get; }

    /// <summary>A server in a process of its own, so that its figures are nobody else's.</summary>
    public static async Task<Siege> OfProcessAsync(params string[] settings)
    {
        var process = await ServerProcess.StartAsync(Sample, settings);
        return await BeginAsync(process, process.Id, null, process.Ports[0], process.Ports[1]);
    }

    /// <summary>A server in this process, for what only its metrics or its clock can tell. The figures then hold the clients as well.</summary>
    public static Task<Siege> OfHostAsync(PushHost host) => BeginAsync(null, Environment.ProcessId, () => host.Get<ConnectionLoops>().Count, host.Public.Port, host.Internal.Port);

    /// <summary>Messages to the honest clients, all of which arrive; and the figures of that time.</summary>
    public Task MeasureAsync(string phase) => MeasureUntilAsync(Task.CompletedTask, phase);

    /// <summary>The same again and again until something has come to its end, and once in any case. The figures are of all that time.</summary>
    public async Task MeasureUntilAsync(Task end, string phase = "during")
    {
        double cpu = _monitor.ProcessorSeconds;
        var latencies = new List<double>();
        do
        {
            latencies.AddRange(await Honest.RoundAsync(50));
        }
        while (!end.IsCompleted);
        await end;
        latencies.Sort();
        double now = _monitor.ProcessorSeconds;
        Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{phase,-8} RSS {_monitor.ResidentBytes / 1e6:F1} MB, {_monitor.Descriptors} descriptors, CPU {now:F2} s, {now - cpu:F2} s of it now; honest clients: {latencies.Count} deliveries, median {latencies[latencies.Count / 2]:F2} ms, p99 {latencies[latencies.Count * 99 / 100]:F2} ms"));
    }

    public static void Print(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    /// <summary>The server has not grown by more than this for each hostile peer. In the tests' own process, where the peers are as well, it is only printed.</summary>
    public void AssertGrowth(int peers, int bytesEachMax)
    {
        long grown = _monitor.ResidentBytes - _residentBefore;
        Print(string.Create(CultureInfo.InvariantCulture, $"         grown by {grown / 1e6:F1} MB beside {peers} hostile peers"));
        Assert.True(_process is null || grown <= WarmUpBytes + ((long)peers * bytesEachMax), $"It has grown by {grown} bytes.");
    }

    /// <summary>Ends when the server has as many open descriptors as before the hostile peers came – in the tests' own process: connections –, with honest clients served meanwhile.</summary>
    public async Task AssertEverybodyHasLeftAsync()
    {
        var patience = Patience.Token;
        while (_countHeld() > _heldBefore)
        {
            Assert.False(patience.IsCancellationRequested, $"There are {_countHeld()}, and there were {_heldBefore}.");
            await Honest.RoundAsync(1);
        }

        await MeasureAsync("after");
    }

    public async ValueTask DisposeAsync()
    {
        await Honest.DisposeAsync();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }

    private static async Task<Siege> BeginAsync(ServerProcess? process, int processId, Func<int>? countHeld, int publicPort, int internalPort)
    {
        var siege = new Siege(process, processId, countHeld, publicPort, internalPort, await HonestClients.StartAsync(publicPort, internalPort));

        // The first round pays for what is compiled at its first use.
        await siege.Honest.RoundAsync(50);
        await siege.MeasureAsync("before");
        siege._residentBefore = siege._monitor.ResidentBytes;
        siege._heldBefore = siege._countHeld();
        return siege;
    }
}
