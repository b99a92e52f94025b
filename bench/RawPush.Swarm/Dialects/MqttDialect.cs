using System.Buffers.Binary;
using System.Text;

namespace RawPush.Swarm.Dialects;

/// <summary>MQTT 3.1.1 inside WebSocket frames, QoS 0. A keep-alive of 0 means that the client need not ping (section 3.1.2.10).</summary>
internal sealed class MqttDialect : Dialect
{
    private static int _clientNumber;

    public override byte[] Request(string host, string target, string channel) => UpgradeRequest(host, target, "mqtt");

    public override byte[] AfterOpen(string channel) => ClientFrame.Make(ClientFrame.Binary, [.. Connect(), .. Subscribe(channel)]);

    public override byte[] Echo(ReadOnlySpan<byte> payload)
    {
        Clients.Payload.TryRead(payload, out var read);
        return ClientFrame.Make(ClientFrame.Binary, Publish($"c{read.Channel}", payload));
    }

    public static byte[] Connect() => Packet(0x10, [.. Text("MQTT"), 4, 2, 0, 0, .. Text($"swarm{Environment.ProcessId}-{Interlocked.Increment(ref _clientNumber)}")]);

    public static byte[] Publish(string topic, ReadOnlySpan<byte> payload) => Packet(0x30, [.. Text(topic), .. payload]);

    private static byte[] Subscribe(string topic) => Packet(0x82, [0, 1, .. Text(topic), 0]);

    private static byte[] Text(string text)
    {
        byte[] field = new byte[2 + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)(field.Length - 2));
        Encoding.UTF8.GetBytes(text, field.AsSpan(2));
        return field;
    }

    // Section 2.2.3: the remaining length, seven bits a byte.
    private static byte[] Packet(byte type, ReadOnlySpan<byte> body)
    {
        var packet = new List<byte>(body.Length + 5) { type };
        int length = body.Length;
        do
        {
            packet.Add((byte)((length & 127) | (length > 127 ? 128 : 0)));
            length >>= 7;
        }
        while (length > 0);

        packet.AddRange(body);
        return [.. packet];
    }
}
