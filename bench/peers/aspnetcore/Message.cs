using System.Text;

namespace AspNetCorePeer;

/// <summary>A message and its forms, each made once for all subscribers.</summary>
internal sealed class Message(byte[] text)
{
    private byte[]? _event;

    public static Message EventStreamHeartbeat { get; } = new([]) { _event = ":\n\n"u8.ToArray() };

    public byte[] Text => text;

    // Two publishers never share a message, so the race to encode has one runner.
    public byte[] Event => _event ??= Encoding.UTF8.GetBytes($"data: {Encoding.UTF8.GetString(text).Replace("\n", "\ndata: ", StringComparison.Ordinal)}\n\n");
}
