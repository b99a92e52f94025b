using System.Security.Cryptography;
using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers;

/// <summary>The broker of a node that is alone: an order for its messages, and nothing to install.</summary>
public sealed class InProcessBroker : IBroker
{
    // Held while a message gets its sequence and goes into its log, so that logs fill in the order of sequences. Channel locks nest in it.
    private readonly Lock _stream = new();
    private ChannelHub? _hub;
    private long _sequence;

    /// <summary>Makes a broker whose epoch no other one shares.</summary>
    /// <param name="time">Where the start of the epoch is read from.</param>
    public InProcessBroker(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);

        // 44 bits of milliseconds and 20 random ones: later epochs are larger, and two nodes that start together still differ.
        ulong started = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds();
        Epoch = (started << 20) | (uint)RandomNumberGenerator.GetInt32(1 << 20);
    }

    /// <inheritdoc/>
    public ulong Epoch { get; }

    /// <inheritdoc/>
    public void Attach(ChannelHub hub) => _hub = hub;

    /// <inheritdoc/>
    public ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var hub = _hub ?? throw new InvalidOperationException("The broker is not attached to a hub.");
        byte[]? frame = hub.IsWanted(channel) ? ChannelHub.CreateFrame(message) : null;
        AppendedMessage appended;
        lock (_stream)
        {
            if (message.Traits?.IdempotencyKey is { } key && hub.FindPublished(channel, key) is { } published)
            {
                return ValueTask.FromResult(new PublishReceipt(published, 0) { IsDuplicate = true });
            }

            appended = hub.Append(channel, message, frame, new MessageId(Epoch, ++_sequence));
        }

        var receipt = new PublishReceipt(appended.Id, appended.Subscribers);
        var delivery = appended.DeliverAsync();
        return delivery.IsCompletedSuccessfully ? ValueTask.FromResult(receipt) : PublishAwaited(delivery, receipt);
    }

    /// <summary>Notes that the node may not have listened to a channel or a pattern: the broker is its part of a larger one. Who subscribes to just that is told.</summary>
    internal void Miss(ChannelFilter filter)
    {
        lock (_stream)
        {
            _hub!.Miss(filter, ++_sequence);
        }
    }

    /// <summary>Notes that messages of a channel did not come through. All are told who would have got them.</summary>
    internal void Lose(ChannelName channel)
    {
        lock (_stream)
        {
            _hub!.Lose(channel, ++_sequence);
        }
    }

    /// <inheritdoc/>
    public void AddInterest(ChannelFilter channel)
    {
        // Every message of this node passes through it anyway.
    }

    /// <inheritdoc/>
    public void RemoveInterest(ChannelFilter channel)
    {
        // See AddInterest.
    }

    private static async ValueTask<PublishReceipt> PublishAwaited(Task delivery, PublishReceipt receipt)
    {
        await delivery;
        return receipt;
    }
}
