using System.Buffers;
using NATS.Client.Core;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>One subject that the node listens to. All share one inbox: that keeps the order of the connection, and a channel of interest has no queue of its own.</summary>
internal sealed class BusSubscription(INatsConnection connection, string subject, BusInbox inbox, Interest? interest = null)
    : NatsSubBase(connection, connection.SubscriptionManager, subject, queueGroup: null, opts: null, CancellationToken.None)
{
    private volatile bool _isOver;

    /// <summary>The channel or pattern that it is for; null: it is for the node itself.</summary>
    public Interest? Interest { get; } = interest;

    /// <summary>What still comes is somebody else's.</summary>
    public bool IsOver
    {
        get => _isOver;
        set => _isOver = value;
    }

    protected override ValueTask ReceiveInternalAsync(string subject, string? replyTo, ReadOnlySequence<byte>? headersBuffer, ReadOnlySequence<byte> payloadBuffer)
    {
        if (!_isOver)
        {
            inbox.Add(this, subject, headersBuffer ?? ReadOnlySequence<byte>.Empty, payloadBuffer);
        }

        return ValueTask.CompletedTask;
    }

    protected override void TryComplete()
    {
        // There is no queue of its own to be completed.
    }
}
