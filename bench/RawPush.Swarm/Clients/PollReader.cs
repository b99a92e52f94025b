using System.Globalization;
using System.Text;

namespace RawPush.Swarm.Clients;

/// <summary>One answer to a poll.</summary>
/// <param name="Status">200 with a message, 204 or 304 without one, anything else is an error.</param>
/// <param name="ETag">To be carried into the next request.</param>
/// <param name="LastModified">Likewise.</param>
/// <param name="Body">The message, or nothing.</param>
internal sealed record PollAnswer(int Status, string? ETag, string? LastModified, byte[] Body);

/// <summary>Cuts a kept-alive connection's bytes into answers. They must say their length; polls need no chunks.</summary>
internal sealed class PollReader
{
    private readonly List<byte> _bytes = [];

    public void Add(ReadOnlySpan<byte> bytes) => _bytes.AddRange(bytes);

    /// <summary>Takes the next whole answer; null if there is none yet.</summary>
    public PollAnswer? TryTake()
    {
        byte[] bytes = [.. _bytes];
        int end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        string[] head = Encoding.Latin1.GetString(bytes, 0, end).Split("\r\n");
        int length = int.Parse(Field(head, "Content-Length") ?? "0", CultureInfo.InvariantCulture);
        int whole = end + 4 + length;
        if (bytes.Length < whole)
        {
            return null;
        }

        _bytes.RemoveRange(0, whole);
        int status = int.Parse(head[0].Split(' ')[1], CultureInfo.InvariantCulture);
        return new PollAnswer(status, Field(head, "ETag"), Field(head, "Last-Modified"), bytes[(end + 4)..whole]);
    }

    private static string? Field(string[] head, string name) =>
        head.FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();
}
