using System.Text;
using RawPush.Protocol.WebSockets;

namespace RawPush.Protocol.Tests.WebSockets;

/// <summary>Writes down what a reader tells, one line each, so that two ways of reading can be compared.</summary>
internal readonly struct Transcript(bool stopsEachTime) : IMessageHandler
{
    public List<string> Lines { get; } = [];

    public bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload) => Add($"{kind} {Describe(payload)}");

    public bool OnPing(ReadOnlySpan<byte> payload) => Add($"Ping {Describe(payload)}");

    public bool OnPong(ReadOnlySpan<byte> payload) => Add($"Pong {Describe(payload)}");

    public void OnClose(CloseStatus status, ReadOnlySpan<byte> reason) => Add($"Close {(int)status} {Encoding.UTF8.GetString(reason)}");

    /// <summary>Hexadecimal while a person could read it; a length and a hash, which holds within one process, beyond.</summary>
    public static string Describe(ReadOnlySpan<byte> payload)
    {
        if (payload.Length <= 200)
        {
            return Convert.ToHexString(payload);
        }

        var hash = new HashCode();
        hash.AddBytes(payload);
        return $"{payload.Length} bytes, hash {hash.ToHashCode()}";
    }

    private bool Add(string line)
    {
        Lines.Add(line);
        return !stopsEachTime;
    }
}
