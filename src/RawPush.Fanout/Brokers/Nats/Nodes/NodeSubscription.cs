using System.Buffers;
using NATS.Client.Core;

namespace RawPush.Fanout.Brokers.Nats.Nodes;

/// <summary>Hands what comes on a subject to a handler, on the connection's own reader, which must not wait: a handler takes down what it needs and returns. The bytes are lent.</summary>
internal sealed class NodeSubscription(INatsConnection connection, string subject, NodeMessageHandler handler)
    : NatsSubBase(connection, connection.SubscriptionManager, subject, queueGroup: null, opts: null, CancellationToken.None)
{
    protected override ValueTask ReceiveInternalAsync(string subject, string? replyTo, ReadOnlySequence<byte>? headersBuffer, ReadOnlySequence<byte> payloadBuffer)
    {
        handler(subject, replyTo, payloadBuffer);
        return ValueTask.CompletedTask;
    }

    protected override void TryComplete()
    {
        // There is no queue of its own to be completed.
    }
}

/// <summary>Takes a message. Must not wait, nor throw.</summary>
internal delegate void NodeMessageHandler(string subject, string? replyTo, in ReadOnlySequence<byte> payload);
