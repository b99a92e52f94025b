using System.Text;
using RawPush.Swarm.Dialects;

namespace RawPush.Swarm.Publishing;

/// <summary>How to publish to one kind of server: bytes out, and acknowledgements counted in what comes back.</summary>
internal abstract class PublishDialect
{
    /// <summary>Messages sent and not yet acknowledged; 0 where the protocol acknowledges nothing.</summary>
    public abstract int WindowMax { get; }

    public static PublishDialect Of(string name, string host, string? path) => name switch
    {
        "http" => new HttpPublish(host, path ?? "/channels/{channel}"),
        "batch" => new BatchPublish(host, path ?? "/channels"),
        "nats" => new NatsPublish(),
        "mqtt" => new MqttPublish(),
        _ => throw new ArgumentException($"'{name}' is no way to publish; there are http, batch, nats and mqtt"),
    };

    /// <summary>Sent once, when the connection is there.</summary>
    public virtual byte[] Begin() => [];

    public abstract void Append(List<byte> output, string channel, ReadOnlySpan<byte> payload);

    /// <summary>Nothing more is due at this moment: what was appended may go.</summary>
    public virtual void EndTurn(List<byte> output)
    {
    }

    /// <summary>Takes what came back and returns how many publishes it answers; a refusal throws.</summary>
    public abstract int CountAnswers(ReadOnlySpan<byte> bytes, List<byte> reply);

    /// <summary>HTTP/1.1 with requests pipelined. Answers are counted by their status lines.</summary>
    private sealed class HttpPublish(string host, string path) : PublishDialect
    {
        private readonly byte[] _status = "HTTP/1.1 "u8.ToArray();
        private int _matched;

        public override int WindowMax => 256;

        public override void Append(List<byte> output, string channel, ReadOnlySpan<byte> payload)
        {
            string target = path.Replace("{channel}", channel, StringComparison.Ordinal);
            output.AddRange(Encoding.ASCII.GetBytes(
                $"POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\nContent-Length: {payload.Length}\r\n\r\n"));
            output.AddRange(payload);
        }

        public override int CountAnswers(ReadOnlySpan<byte> bytes, List<byte> reply)
        {
            int answers = 0;
            foreach (byte b in bytes)
            {
                if (_matched == _status.Length)
                {
                    _matched = 0;
                    answers += b == '2' ? 1 : throw new InvalidOperationException($"the server refused a publish with {(char)b}xx");
                }
                else
                {
                    _matched = b == _status[_matched] ? _matched + 1 : b == _status[0] ? 1 : 0;
                }
            }

            return answers;
        }
    }

    private sealed class NatsPublish : PublishDialect
    {
        public override int WindowMax => 0;

        public override byte[] Begin() => Encoding.ASCII.GetBytes(NatsDialect.Connect);

        public override void Append(List<byte> output, string channel, ReadOnlySpan<byte> payload)
        {
            output.AddRange(Encoding.ASCII.GetBytes($"PUB {channel} {payload.Length}\r\n"));
            output.AddRange(payload);
            output.AddRange("\r\n"u8);
        }

        public override int CountAnswers(ReadOnlySpan<byte> bytes, List<byte> reply)
        {
            if (bytes.IndexOf("PING\r\n"u8) >= 0)
            {
                reply.AddRange("PONG\r\n"u8);
            }

            return 0;
        }
    }

    private sealed class MqttPublish : PublishDialect
    {
        public override int WindowMax => 0;

        public override byte[] Begin() => MqttDialect.Connect();

        public override void Append(List<byte> output, string channel, ReadOnlySpan<byte> payload) => output.AddRange(MqttDialect.Publish(channel, payload));

        public override int CountAnswers(ReadOnlySpan<byte> bytes, List<byte> reply) => 0;
    }
}
