using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>A network of its own behind a pair of virtual cables, which can be cut so that not even a reset comes through (ip-netns(8), veth(4)).</summary>
internal sealed class NetworkNamespace : IDisposable
{
    private const int NewNetwork = 0x40000000;

    private readonly string _name = $"rp{Environment.ProcessId}";
    private readonly string _network = $"10.{200 + (Environment.ProcessId % 50)}.{Environment.ProcessId / 50 % 250}";

    public NetworkNamespace()
    {
        try
        {
            Run("ip", $"netns add {_name}");
            Run("ip", $"link add {_name}h type veth peer name {_name}p netns {_name}");
            Run("ip", $"addr add {_network}.1/30 dev {_name}h");
            Run("ip", $"link set {_name}h up");
            Run("ip", $"-n {_name} addr add {_network}.2/30 dev {_name}p");
            Run("ip", $"-n {_name} link set {_name}p up");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>This side of the cable, as the other one sees it.</summary>
    public IPAddress HostAddress => IPAddress.Parse($"{_network}.1");

    /// <summary>Runs something whose sockets then belong to the other side, wherever they are used.</summary>
    public T Within<T>(Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? fault = null;

        // A thread that ends: it cannot take the namespace anywhere else.
        var thread = new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle($"/var/run/netns/{_name}");
                Assert.True(SetNamespace((int)file.DangerousGetHandle(), NewNetwork) == 0, $"setns failed with errno {Marshal.GetLastPInvokeError()}; this test needs root.");
                result = work();
            }
            catch (Exception exception)
            {
                fault = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        fault?.Throw();
        return result;
    }

    /// <summary>From now on nothing comes through, in either direction, and nobody is told.</summary>
    public void Cut()
    {
        Run("ip", $"netns exec {_name} iptables -I INPUT -j DROP");
        Run("ip", $"netns exec {_name} iptables -I OUTPUT -j DROP");
    }

    public void Dispose()
    {
        // The cable first: sockets keep a namespace, and what is in it, for as long as they are open.
        TryRun("ip", $"link del {_name}h", out _);
        TryRun("ip", $"netns del {_name}", out _);
    }

    private static void Run(string program, string arguments)
    {
        bool isDone = TryRun(program, arguments, out string error);
        Assert.True(isDone, $"'{program} {arguments}' failed: {error} This test needs root, ip and iptables: apt-get install iproute2 iptables.");
    }

    private static bool TryRun(string program, string arguments, out string error)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception exception)
        {
            error = exception.Message;
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetNamespace(int descriptor, int kind);
}
