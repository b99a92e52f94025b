using System.Diagnostics;
using System.Globalization;
using HdrHistogram;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Measuring;
using RawPush.Swarm.Publishing;

namespace RawPush.Swarm.Running;

/// <summary>Takes one run through its phases: warm-up, ramp, idle, load, echo, storms.</summary>
internal sealed class Coordinator(RunOptions options, IProgressView view)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    // Without a step forward for so long, a phase is over as it stands.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly RunResult _result = new()
    {
        Name = options.Name,
        Scenario = options.Scenario,
        Started = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        Machine = MachineInfo.Describe(),
        Clients = options.Clients,
        Transport = options.TransportName,
    };

    public async Task<RunResult> RunAsync()
    {
        if (options.WarmsUp)
        {
            await WarmUpAsync();
        }

        var before = ReadServer();
        var kernelBefore = KernelUsage.Read();
        using var swarm = new Swarm(WorkerPlans.Of(options, options.Clients));
        await RampAsync(swarm);
        await IdleAsync(swarm, before, kernelBefore);
        if (options.MessagesPerSecond > 0 && IsTruthful(swarm))
        {
            await LoadAsync(swarm);
        }

        if (options.EchoSeconds > 0)
        {
            await EchoAsync(swarm);
        }

        for (int i = 0; i < options.Storms && IsTruthful(swarm); i++)
        {
            await StormAsync(swarm);
        }

        if (options.HostilePeers > 0)
        {
            _result.Hostile = (await swarm.ReportAsync()).Sum.Hostile;
        }

        _result.LastError = swarm.LastError;
        _result.Truth = _result.Verdict?.Sentence() ?? (options.KeepsTruth ? swarm.Lie ?? "kept" : null);
        return _result;
    }

    private static bool IsTruthful(Swarm swarm) => swarm.Lie is null;

    private TreeUsage ReadServer() => options.ServerPid == 0 ? default : ProcessTree.Read(options.ServerPid);

    /// <summary>A few hundred clients do everything once, so that what is compiled at its first use is not counted.</summary>
    private async Task WarmUpAsync()
    {
        view.Phase("warm-up");
        using (var swarm = new Swarm(WorkerPlans.Of(options with { SlowPercent = 0, HostilePercent = 0, RampPerSecond = 0, KeepsTruth = false, Transports = [], Processes = 1 }, Math.Min(options.Clients, 300))))
        {
            swarm.Order("open");
            await WaitAsync(() => swarm.Open, swarm.Clients);
            if (options.MessagesPerSecond > 0)
            {
                await PublishAsync(swarm, Math.Min(options.MessagesPerSecond, 200), Math.Min(options.LoadSeconds, 3));
            }

            if (options.EchoSeconds > 0)
            {
                swarm.Order("echo on");
                await Task.Delay(TimeSpan.FromSeconds(Math.Min(options.EchoSeconds, 3)));
            }
        }

        await Task.Delay(TimeSpan.FromSeconds(1));
    }

    private async Task RampAsync(Swarm swarm)
    {
        view.Phase("ramp");
        var server = ReadServer();
        long started = Stopwatch.GetTimestamp();
        swarm.Order("open");
        await WaitAsync(() => swarm.Open, swarm.Clients);
        double cpu = ReadServer().CpuSeconds - server.CpuSeconds;
        _result.Ramp = new RampFigures(Seconds(started), swarm.Opened, swarm.Failed, cpu, Per(swarm.Opened, cpu));
    }

    private async Task IdleAsync(Swarm swarm, TreeUsage before, KernelUsage kernelBefore)
    {
        view.Phase("settle");
        await Task.Delay(TimeSpan.FromSeconds(options.SettleSeconds));
        var settled = ReadServer();
        var kernel = KernelUsage.Read();
        long started = Stopwatch.GetTimestamp();
        view.Phase("idle");
        await Task.Delay(TimeSpan.FromSeconds(options.HoldSeconds));
        double seconds = Seconds(started);
        double clients = Math.Max(swarm.Open, 1);
        double kernelBytes = kernel.SlabBytes - kernelBefore.SlabBytes + kernel.TcpBufferBytes - kernelBefore.TcpBufferBytes;
        _result.Idle = new IdleFigures(
            (settled.RssBytes - before.RssBytes) / clients,
            (settled.PssBytes - before.PssBytes) / clients,
            kernelBytes / clients,
            seconds,
            options.HoldSeconds > 0 ? 100 * (ReadServer().CpuSeconds - settled.CpuSeconds) / seconds : 0);
    }

    private async Task LoadAsync(Swarm swarm)
    {
        view.Phase("load");
        swarm.Order("reset");
        if (options.ChurnPerSecond > 0)
        {
            swarm.Order($"churn {options.ChurnPerSecond}");
        }

        swarm.Order(string.Create(CultureInfo.InvariantCulture, $"reconnect {options.ReconnectEverySeconds}"));

        await swarm.ReportAsync();
        var meter = new BusyMeter(options.ServerPid, swarm);
        var published = await PublishAsync(swarm, options.MessagesPerSecond, options.LoadSeconds);
        long expected = ExpectedDeliveries(published);
        if (options.IsResuming)
        {
            await DrainAsync(swarm, published);
        }
        else
        {
            await WaitAsync(() => swarm.Messages, expected);
        }

        var busy = meter.Read();
        var (sum, latencies) = await swarm.ReportAsync();
        _result.Load = LoadOf(published, expected, sum, latencies, busy);
        _result.Verdict = sum.Verdict;
        if (options.KeepsTruth && options.ChurnPerSecond == 0 && !options.IsResuming)
        {
            swarm.Order("end " + string.Join(',', published.Select(publisher => publisher.Published)));
            await swarm.ReportAsync();
        }

        swarm.Order("churn 0");
    }

    /// <summary>Nobody leaves any more, and everybody comes to the last message of its channel, or has had the time for it.</summary>
    private async Task DrainAsync(Swarm swarm, Publisher[] published)
    {
        view.Phase("drain");
        swarm.Order("churn 0");
        swarm.Order("reconnect 0");
        swarm.Order("last " + string.Join(',', Enumerable.Range(0, options.Channels).Select(channel => PublishedTo(channel, published))));
        long started = Stopwatch.GetTimestamp();
        while (swarm.Behind is not 0 && Seconds(started) < options.DrainSeconds)
        {
            view.Update(swarm.Clients - (swarm.Behind ?? swarm.Clients), swarm.Clients);
            await Task.Delay(Poll);
        }

        // Whatever a server still sends is something that it has sent before.
        await Task.Delay(TimeSpan.FromSeconds(1));
    }

    private LoadFigures LoadOf(Publisher[] published, long expected, WorkerReport sum, LongHistogram latencies, Busy busy) => new()
    {
        Published = published.Sum(publisher => publisher.Published),
        Expected = expected,
        Deliveries = sum.Messages,
        Seconds = busy.Seconds,
        CpuSeconds = busy.ServerSeconds,
        DeliveriesPerCpuSecond = Per(sum.Messages, busy.ServerSeconds),
        MessagesPerRead = Per(sum.Messages, sum.Reads),
        WireBytesPerDelivery = Per(sum.WireBytes, sum.Messages),
        Inflated = options.Compression ? sum.Inflated : null,
        P50Ms = Ms(latencies, 50),
        P90Ms = Ms(latencies, 90),
        P99Ms = Ms(latencies, 99),
        MaxMs = Ms(latencies, 100),
        PublisherLagMs = published.Max(publisher => publisher.LagMicros) / 1000.0,
        ServerBusyPercent = busy.ServerPercent,
        SwarmBusyPercent = busy.SwarmPercent,
        MachineBusyPercent = busy.MachinePercent,
        Saturated = busy.Saturated,
    };

    private async Task<Publisher[]> PublishAsync(Swarm swarm, double perSecond, double seconds)
    {
        string host = $"{options.Host}:{options.PublishPort}";
        var filling = Filling.Of(options.Payload, options.MessageBytes);
        Publisher[] publishers = [.. Enumerable.Range(0, options.Publishers).Select(number => new Publisher(
            number, options.Host, options.PublishPort, PublishDialect.Of(options.PublishDialect, host, options.PublishPath), filling))];
        var tasks = publishers.Select((publisher, number) => Task.Factory.StartNew(
            () => publisher.Run(perSecond / publishers.Length, seconds, options.ShareOf(number), options.MessageBytes), TaskCreationOptions.LongRunning)).ToArray();
        while (!tasks.All(task => task.IsCompleted) && IsTruthful(swarm))
        {
            view.Update(publishers.Sum(publisher => publisher.Published), (long)(perSecond * seconds));
            await Task.WhenAny(Task.WhenAll(tasks), Task.Delay(Poll));
        }

        if (IsTruthful(swarm))
        {
            await Task.WhenAll(tasks);
        }

        return publishers;
    }

    /// <summary>Clients that read, per channel, times what was published there. Clients that resume need not get what went before their first message.</summary>
    private long ExpectedDeliveries(Publisher[] publishers)
    {
        long[] readers = new long[options.Channels];
        for (int id = 0; id < options.Clients; id++)
        {
            readers[id % options.Channels] += id % 100 < options.SlowPercent ? 0 : 1;
        }

        return Enumerable.Range(0, options.Channels).Sum(channel => readers[channel] * PublishedTo(channel, publishers));
    }

    private long PublishedTo(int channel, Publisher[] publishers) =>
        publishers.Select((publisher, number) => (long)options.ShareOf(number).LastNumberOf(channel, publisher.Published)).Sum();

    private async Task EchoAsync(Swarm swarm)
    {
        view.Phase("echo");
        swarm.Order("echo on");
        await Task.Delay(TimeSpan.FromSeconds(1));
        swarm.Order("reset");
        await swarm.ReportAsync();
        var meter = new BusyMeter(options.ServerPid, swarm);
        await Task.Delay(TimeSpan.FromSeconds(options.EchoSeconds));
        var (sum, latencies) = await swarm.ReportAsync();
        var busy = meter.Read();
        swarm.Order("echo off");
        _result.Echo = new EchoFigures(
            sum.Echoes, busy.Seconds, busy.ServerSeconds, Per(sum.Echoes, busy.ServerSeconds), Ms(latencies, 50), Ms(latencies, 99), busy.ServerPercent, busy.SwarmPercent);
    }

    private async Task StormAsync(Swarm swarm)
    {
        view.Phase("storm");
        var server = ReadServer();
        long failed = swarm.Failed;
        long opened = swarm.Opened;
        long started = Stopwatch.GetTimestamp();
        swarm.Order($"storm {options.StormJitterMs}");
        await WaitAsync(() => swarm.Opened - opened, swarm.Clients);
        _result.Storms.Add(new StormFigures(Seconds(started), ReadServer().CpuSeconds - server.CpuSeconds, swarm.Failed - failed));
        await Task.Delay(TimeSpan.FromSeconds(options.SettleSeconds));
        await WaitAsync(() => swarm.Open, swarm.Clients);
    }

    private async Task WaitAsync(Func<long> read, long goal)
    {
        long last = -1;
        long moved = Stopwatch.GetTimestamp();
        for (long now = read(); now < goal; now = read())
        {
            if (now != last)
            {
                last = now;
                moved = Stopwatch.GetTimestamp();
            }
            else if (Stopwatch.GetElapsedTime(moved) > Patience)
            {
                return;
            }

            view.Update(now, goal);
            await Task.Delay(Poll);
        }

        view.Update(goal, goal);
    }

    private static double Seconds(long started) => Stopwatch.GetElapsedTime(started).TotalSeconds;

    private static double Per(double count, double of) => of > 0 ? count / of : 0;

    private static double Ms(LongHistogram latencies, double percentile) => latencies.TotalCount == 0 ? 0 : latencies.GetValueAtPercentile(percentile) / 1000.0;
}
