using System.Diagnostics;

namespace RawPush.Swarm.Measuring;

/// <summary>How busy everybody was over a time, in seconds of CPU and in per cent of one core.</summary>
internal readonly record struct Busy(double Seconds, double ServerSeconds, double SwarmSeconds, double MachineSeconds)
{
    public double ServerPercent => 100 * ServerSeconds / Seconds;

    public double SwarmPercent => 100 * SwarmSeconds / Seconds;

    public double MachinePercent => 100 * MachineSeconds / Seconds;

    /// <summary>Who could not have done more: the figures of a run in which it was the swarm say nothing of the server's limit.</summary>
    public string Saturated =>
        SwarmPercent > 95 ? "swarm" : MachinePercent > 95 * Environment.ProcessorCount ? "machine" : ServerPercent > 95 ? "server" : "nobody";
}

/// <summary>Measures from its making to each reading.</summary>
internal sealed class BusyMeter(int serverPid, Running.Swarm swarm)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly double _server = ServerSeconds(serverPid);
    private readonly double _swarm = swarm.CpuSeconds;
    private readonly double _machine = KernelUsage.Read().BusySeconds;

    public Busy Read() => new(
        Stopwatch.GetElapsedTime(_started).TotalSeconds, ServerSeconds(serverPid) - _server, swarm.CpuSeconds - _swarm, KernelUsage.Read().BusySeconds - _machine);

    private static double ServerSeconds(int pid) => pid == 0 ? 0 : ProcessTree.Read(pid).CpuSeconds;
}
