using RawPush.Server.Connections;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;
using RawPush.Server.Transport;

namespace RawPush.Server.Tests.Transport;

/// <summary>A host on one event loop, whatever transport the rest of the suite is run on, so that a test knows on which loop things happen.</summary>
internal static class LoopHost
{
    public static Task<PushHost> StartAsync(Action<PushHostSetup>? configure = null) => PushHost.StartAsync(setup =>
    {
        configure?.Invoke(setup);
        var further = setup.Options;
        setup.Options = options =>
        {
            options.Transport = PushTransport.Epoll;
            options.Shards = 1;
            further?.Invoke(options);
        };
    });

    public static EventLoop LoopOf(this PushHost host) => (EventLoop)host.Get<ConnectionLoops>().All[0].Shard;

    /// <summary>Keeps the loop from doing anything until it is disposed, so that all that happens meanwhile is one turn's work.</summary>
    public static async Task<Hold> HoldAsync(this PushHost host)
    {
        var hold = new Hold();
        host.LoopOf().Post(hold.Wait);
        await hold.Reached.WaitAsync(Patience.Token);
        return hold;
    }

    internal sealed class Hold : IDisposable
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _release = new();

        public Task Reached => _reached.Task;

        public void Wait()
        {
            _reached.SetResult();
            _release.Wait(Patience.Limit);
        }

        public void Dispose() => _release.Set();
    }
}
