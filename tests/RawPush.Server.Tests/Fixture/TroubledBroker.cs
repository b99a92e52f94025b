using Microsoft.Extensions.DependencyInjection;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Channels;

namespace RawPush.Server.Tests.Fixture;

/// <summary>A broker that is in trouble when the test says so, and works all the same.</summary>
internal sealed class TroubledBroker : IBroker
{
    private readonly InProcessBroker _inner = new(TimeProvider.System);

    public string? Trouble { get; set; }

    public ulong Epoch => _inner.Epoch;

    /// <summary>Puts it in the place of the broker of the settings.</summary>
    public void Replace(IServiceCollection services) => services.AddSingleton<IBroker>(this);

    public void Attach(ChannelHub hub) => _inner.Attach(hub);

    public ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default) => _inner.PublishAsync(channel, message, cancellationToken);

    public void AddInterest(ChannelFilter channel)
    {
    }

    public void RemoveInterest(ChannelFilter channel)
    {
    }
}
