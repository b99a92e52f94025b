using System.Globalization;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>What a process takes at the moment, as the kernel says (proc(5)).</summary>
internal sealed class ProcessMonitor(int processId)
{
    private const double TicksPerSecond = 100;   // USER_HZ, the same on every Linux that .NET runs on.

    public long ResidentBytes => Field($"/proc/{processId}/statm", 1) * Environment.SystemPageSize;

    public double ProcessorSeconds
    {
        get
        {
            // The name in the second field may hold blanks; what counts is behind its bracket.
            string stat = File.ReadAllText($"/proc/{processId}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (Parse(fields[11]) + Parse(fields[12])) / TicksPerSecond;
        }
    }

    public int Descriptors => Directory.GetFileSystemEntries($"/proc/{processId}/fd").Length;

    private static long Field(string path, int index) => Parse(File.ReadAllText(path).Split(' ')[index]);

    private static long Parse(string number) => long.Parse(number, CultureInfo.InvariantCulture);
}
