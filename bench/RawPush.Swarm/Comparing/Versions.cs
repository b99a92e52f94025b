using System.Diagnostics;

namespace RawPush.Swarm.Comparing;

/// <summary>What version of a peer was measured.</summary>
internal static class Versions
{
    public static string Of(Peer peer, string folder)
    {
        if (peer.VersionCommand is null)
        {
            return peer.Version ?? string.Empty;
        }

        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", peer.VersionCommand]) { RedirectStandardOutput = true, WorkingDirectory = Path.Combine(folder, peer.Name) })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Split('\n')[0].Trim();
    }
}
