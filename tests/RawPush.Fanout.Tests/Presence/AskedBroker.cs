using RawPush.Fanout.Brokers;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;

namespace RawPush.Fanout.Tests.Presence;

/// <summary>A broker whose other nodes are the test.</summary>
internal sealed class AskedBroker : IBroker
{
    private readonly InProcessBroker _inner = new(TimeProvider.System);
    private int _asked;

    /// <summary>What the others say.</summary>
    public Func<ChannelFilter, bool, Task<PeerAnswers>> Answer { get; set; } = static (_, _) => Task.FromResult(PeerAnswers.None);

    /// <summary>How often they were asked.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public bool IsConnected { get; set; } = true;

    public ulong Epoch => _inner.Epoch;

    public Task<PeerAnswers> AskPeersAsync(ChannelFilter channel, bool withUsers)
    {
        Interlocked.Increment(ref _asked);
        return Answer(channel, withUsers);
    }

    public void Attach(ChannelHub hub) => _inner.Attach(hub);

    public ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default) => _inner.PublishAsync(channel, message, cancellationToken);

    public void AddInterest(ChannelFilter channel)
    {
    }

    public void RemoveInterest(ChannelFilter channel)
    {
    }
}
