using System.Runtime.InteropServices;

namespace RawPush.Swarm.Measuring;

/// <summary>The conditions that every figure depends on.</summary>
internal static class MachineInfo
{
    public static string Describe()
    {
        string model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown CPU";
        string kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        return $"{Environment.ProcessorCount} cores of {model}, Linux {kernel}, {RuntimeInformation.FrameworkDescription}";
    }
}
