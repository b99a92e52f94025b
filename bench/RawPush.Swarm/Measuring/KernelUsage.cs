using System.Globalization;

namespace RawPush.Swarm.Measuring;

/// <summary>What the kernel holds for sockets, of both ends since both are on this machine, and how busy the machine is.</summary>
/// <param name="SlabBytes">Kernel objects (<c>/proc/meminfo</c>, Slab).</param>
/// <param name="TcpBufferBytes">Socket buffers (<c>/proc/net/sockstat</c>, TCP mem).</param>
/// <param name="BusySeconds">CPU time that was not idle, over all cores (<c>/proc/stat</c>).</param>
internal readonly record struct KernelUsage(long SlabBytes, long TcpBufferBytes, double BusySeconds)
{
    public static KernelUsage Read() => new(ReadSlab(), ReadTcpBuffers(), ReadBusy());

    private static long ReadSlab() => 1024 * NumberAfter(File.ReadLines("/proc/meminfo").First(line => line.StartsWith("Slab:", StringComparison.Ordinal)), "Slab:");

    private static long ReadTcpBuffers() =>
        Environment.SystemPageSize * NumberAfter(File.ReadLines("/proc/net/sockstat").First(line => line.StartsWith("TCP:", StringComparison.Ordinal)), "mem");

    private static double ReadBusy()
    {
        // user nice system idle iowait irq softirq steal, in hundredths of a second.
        long[] times = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9].Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
        return (times.Sum() - times[3] - times[4]) / 100.0;
    }

    private static long NumberAfter(string line, string name)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return long.Parse(words[Array.IndexOf(words, name) + 1], CultureInfo.InvariantCulture);
    }
}
