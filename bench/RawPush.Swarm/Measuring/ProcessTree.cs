using System.Globalization;

namespace RawPush.Swarm.Measuring;

/// <summary>What a process and its descendants use, from <c>/proc</c>.</summary>
/// <param name="CpuSeconds">User and system time so far.</param>
/// <param name="RssBytes">Resident memory.</param>
/// <param name="PssBytes">The same with shared pages divided among those who share them.</param>
internal readonly record struct TreeUsage(double CpuSeconds, long RssBytes, long PssBytes);

/// <summary>Reads the usage of process trees.</summary>
internal static class ProcessTree
{
    private const double TicksPerSecond = 100;   // USER_HZ, which is 100 on every Linux that we know of.

    public static TreeUsage Read(int root)
    {
        double cpu = 0;
        long rss = 0;
        long pss = 0;
        foreach (int pid in Members(root))
        {
            try
            {
                cpu += CpuOf(pid);
                var (processRss, processPss) = MemoryOf(pid);
                rss += processRss;
                pss += processPss;
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }

        return new TreeUsage(cpu, rss, pss);
    }

    private static List<int> Members(int root)
    {
        var parents = new Dictionary<int, int>();
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int pid) && TryReadStat(pid) is { } stat)
            {
                parents[pid] = int.Parse(stat[1], CultureInfo.InvariantCulture);
            }
        }

        var members = new List<int> { root };
        for (int i = 0; i < members.Count; i++)
        {
            members.AddRange(parents.Where(pair => pair.Value == members[i]).Select(pair => pair.Key));
        }

        return members;
    }

    private static double CpuOf(int pid) => TryReadStat(pid) is { } stat
        ? (long.Parse(stat[11], CultureInfo.InvariantCulture) + long.Parse(stat[12], CultureInfo.InvariantCulture)) / TicksPerSecond
        : 0;

    // proc(5): the name stands in parentheses and may hold anything; the fields after it are counted from "state".
    private static string[]? TryReadStat(int pid)
    {
        try
        {
            string text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static (long Rss, long Pss) MemoryOf(int pid)
    {
        long rss = 0;
        long pss = 0;
        foreach (string line in File.ReadLines($"/proc/{pid}/smaps_rollup"))
        {
            rss = line.StartsWith("Rss:", StringComparison.Ordinal) ? KiBOf(line) : rss;
            pss = line.StartsWith("Pss:", StringComparison.Ordinal) ? KiBOf(line) : pss;
        }

        return (rss * 1024, pss * 1024);
    }

    private static long KiBOf(string line) => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
