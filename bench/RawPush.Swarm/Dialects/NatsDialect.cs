using System.Text;

namespace RawPush.Swarm.Dialects;

/// <summary>The NATS client protocol inside WebSocket frames.</summary>
internal sealed class NatsDialect : Dialect
{
    public const string Connect = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":false}\r\n";

    private static readonly byte[] Pong = Line("PONG\r\n");

    public override byte[] Request(string host, string target, string channel) => UpgradeRequest(host, target, null);

    public override byte[] AfterOpen(string channel) => Line($"{Connect}SUB {channel} 1\r\n");

    // The client's own subject: it has subscribed to its channel, and for an echo each client has one of its own.
    public override byte[] Echo(ReadOnlySpan<byte> payload)
    {
        Payload(payload, out int channel);
        return Line($"PUB c{channel} {payload.Length}\r\n{Encoding.ASCII.GetString(payload)}\r\n");
    }

    public override byte[]? AnswerTo(ReadOnlySpan<byte> data) => data.StartsWith("PING"u8) ? Pong : null;

    private static void Payload(ReadOnlySpan<byte> bytes, out int channel)
    {
        Clients.Payload.TryRead(bytes, out var payload);
        channel = payload.Channel;
    }

    private static byte[] Line(string text) => ClientFrame.Make(ClientFrame.Binary, Encoding.ASCII.GetBytes(text));
}
