using System.Diagnostics;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Resuming;

namespace RawPush.Swarm.Cluster;

/// <summary>The one publisher of a channel. It publishes a message when it knows what has become of the last, moves between nodes, and tries again what was refused.</summary>
/// <remarks>A message that may have been published is tried again only where the nodes know it again by its key; elsewhere its number is left behind as unknown.</remarks>
internal sealed class ChannelPublisher(int channel, string name, ClusterOptions options, ClusterMembers members, Filling filling, PublishCounts counts) : IDisposable
{
    // Long enough for a cluster to have elected new leaders, several times over.
    private static readonly TimeSpan GraceAtTheEnd = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);

    private readonly PublishConnection[] _connections = [.. members.InternalPorts.Select(port => new PublishConnection(port))];
    private readonly Random _random = new(options.Seed + channel);
    private readonly byte[] _payload = new byte[Math.Max(options.MessageBytes, Payload.HeaderLength)];
    private int _node;
    private long _moveAt;

    public ChannelLedger Ledger { get; } = new();

    /// <summary>Publishes for a time, at the channel's part of the rate.</summary>
    public async Task RunAsync(long started)
    {
        double perSecond = options.MessagesPerSecond / options.Channels;
        long total = (long)(perSecond * options.Seconds);

        // The channels' turns are spread over the time between two messages.
        double first = (double)channel / options.Channels;
        long end = started + (long)((options.Seconds + GraceAtTheEnd.TotalSeconds) * Stopwatch.Frequency);
        Move();
        for (uint number = 1; number <= total && Stopwatch.GetTimestamp() < end; number++)
        {
            long due = started + (long)((number - 1 + first) / perSecond * Stopwatch.Frequency);
            await WaitUntilAsync(due);
            if (!await TryPublishAsync(number, due, end))
            {
                return;
            }
        }
    }

    public void Dispose() => Array.ForEach(_connections, connection => connection.Dispose());

    /// <summary>Publishes a message for sure, or leaves it as unknown. False: no node has taken it, and there is no time left.</summary>
    private async Task<bool> TryPublishAsync(uint number, long due, long end)
    {
        bool isUnknown = false;
        while (true)
        {
            if (Stopwatch.GetTimestamp() >= _moveAt)
            {
                Move();
            }

            int life = members.LifeOf(_node);
            new Payload(life, channel, number, due).WriteTo(_payload, filling);
            var answer = await _connections[_node].PublishAsync(name, _payload, options.Promise == Promise.JetStream ? $"{name}-{number}" : null);
            if (answer.Fate == PublishFate.Acknowledged)
            {
                Ledger.Add(life, isAcknowledged: true);
                counts.Acknowledge((Stopwatch.GetTimestamp() - due) / (Stopwatch.Frequency / 1_000_000));
                return true;
            }

            counts.Refuse(answer);
            isUnknown |= answer.Fate == PublishFate.Unknown;
            bool isOver = Stopwatch.GetTimestamp() >= end;
            if (isUnknown && (options.Promise == Promise.Core || isOver))
            {
                Ledger.Add(life, isAcknowledged: false);
                counts.Give(PublishFate.Unknown);
                Move();
                return true;
            }

            if (isOver)
            {
                counts.Give(PublishFate.Refused);
                return false;
            }

            await Task.Delay(RetryPause);
            Move();
        }
    }

    /// <summary>To another node, if there is one.</summary>
    private void Move()
    {
        _node = _connections.Length == 1 ? 0 : (_node + 1 + _random.Next(_connections.Length - 1)) % _connections.Length;
        _moveAt = options.MoveEverySeconds == 0
            ? long.MaxValue
            : Stopwatch.GetTimestamp() + (long)(-Math.Log(1 - _random.NextDouble()) * options.MoveEverySeconds * Stopwatch.Frequency);
    }

    private static async Task WaitUntilAsync(long due)
    {
        long ms = (due - Stopwatch.GetTimestamp()) * 1000 / Stopwatch.Frequency;
        if (ms > 0)
        {
            await Task.Delay((int)ms);
        }
    }
}
