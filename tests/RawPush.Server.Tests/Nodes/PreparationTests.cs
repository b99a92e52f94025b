using Microsoft.Extensions.DependencyInjection;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Server.Connections;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Nodes;

/// <summary>A client is let in when the other nodes know of its channels, and not before.</summary>
public sealed class PreparationTests
{
    public static TheoryData<FeedKind> Streams => Feed.Streams;

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task TheAnswerComesWhenTheBrokerIsReady_AndWhatIsPublishedThenArrives(FeedKind kind)
    {
        var broker = new SlowBroker();
        await using var host = await StartAsync(broker);
        var opening = Feed.OpenAsync(host, kind, "a");
        await broker.AskedAsync();
        await host.PublishAsync("a", "too early");
        await host.SettleAsync();
        Assert.False(opening.IsCompleted);

        broker.Answer(null);
        await using var feed = await opening;
        await host.PublishAsync("a", "in time");
        Assert.Equal("in time", (await feed.NextAsync()).Data);
    }

    [Fact]
    public async Task FramesThatWereSentEarlyAreNotLost()
    {
        var broker = new SlowBroker();
        await using var host = await StartAsync(broker);
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Upgrade("/channels/a"));
        await client.SendAsync(TestKit.ClientFrames.Close(1000));
        await broker.AskedAsync();
        broker.Answer(null);
        await client.ReadHeadAsync();
        var close = await client.ReadFrameAsync();
        Assert.Equal(1000, close.Status);
    }

    [Fact]
    public async Task WhoLeavesMeanwhileLeavesNothingBehind()
    {
        var broker = new SlowBroker();
        await using var host = await StartAsync(broker);
        var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Upgrade("/channels/a"));
        await broker.AskedAsync();
        await host.CutAsync();
        await client.DisposeAsync();
        broker.Answer(null);
        var patience = Patience.Token;
        while (host.Get<ConnectionLoops>().Count > 0)
        {
            await Task.Delay(5, patience);
        }

        Assert.Equal(0, (await host.PublishAsync("a", "anybody there?")).Subscribers);
    }

    [Theory]
    [InlineData("GET /channels/a HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n")]
    [InlineData("GET /channels/a?wait=10 HTTP/1.1\r\nHost: h\r\n\r\n")]
    public async Task WithoutTheOthersItIsRefused_WhereThatIsAskedFor(string head)
    {
        var broker = new SlowBroker();
        await using var host = await StartAsync(broker);
        await using var client = await host.ConnectAsync();
        await client.SendAsync(head);
        await broker.AskedAsync();
        broker.Answer(new BusUnavailableException());
        var (answer, _) = await client.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.Contains("Retry-After: 2", answer, StringComparison.Ordinal);
        var patience = Patience.Token;
        while (host.Get<ConnectionLoops>().Count > 0)
        {
            await Task.Delay(5, patience);
        }
    }

    private static Task<PushHost> StartAsync(SlowBroker broker) => PushHost.StartAsync(setup => setup.Services = services => services.AddSingleton<IBroker>(broker));

    /// <summary>A broker whose readiness the test decides about.</summary>
    private sealed class SlowBroker : IBroker
    {
        private readonly InProcessBroker _inner = new(TimeProvider.System);
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ulong Epoch => _inner.Epoch;

        public Task AskedAsync() => _asked.Task.WaitAsync(Patience.Token);

        public void Answer(Exception? exception)
        {
            if (exception is null)
            {
                _ready.SetResult();
            }
            else
            {
                _ready.SetException(exception);
            }
        }

        public Task PrepareAsync(IReadOnlyList<ChannelFilter> channels, StartPoint start)
        {
            _asked.TrySetResult();
            return _ready.Task;
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
}
