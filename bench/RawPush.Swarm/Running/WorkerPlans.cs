namespace RawPush.Swarm.Running;

/// <summary>How a run's clients are shared out to worker processes.</summary>
internal static class WorkerPlans
{
    public static WorkerPlan[] Of(RunOptions options, int clients)
    {
        int processes = Math.Min(options.Processes, clients);
        return [.. Enumerable.Range(0, processes).Select(index => PlanOf(options, clients, processes, index))];
    }

    /// <summary>One of the parts of a whole that differ by one at most.</summary>
    public static int Share(int whole, int parts, int index) => (int)((long)whole * (index + 1) / parts) - (int)((long)whole * index / parts);

    private static WorkerPlan PlanOf(RunOptions options, int clients, int processes, int index) => new()
    {
        Dialect = options.Dialect,
        Host = options.Host,
        Ports = [options.Port],
        Target = options.Target,
        FirstClient = (int)((long)clients * index / processes),
        Clients = Share(clients, processes, index),
        Channels = options.Channels,
        Publishers = options.Publishers,
        RampPerSecond = options.RampPerSecond / processes,
        SourceAddresses = options.SourceAddresses,
        SlowPercent = options.SlowPercent,
        SlowBytesPerSecond = options.SlowBytesPerSecond,
        HostilePeers = Share(options.HostilePeers, processes, index),
        Transports = options.Transports,
        PollEveryMs = options.PollEveryMs,
        Seed = options.Seed,
        IsTruthKept = options.KeepsTruth,
        MessageBytes = options.MessageBytes,
        Payload = options.Payload,
        Compression = options.Compression,
    };
}
