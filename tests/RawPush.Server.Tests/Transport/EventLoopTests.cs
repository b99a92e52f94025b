using System.Net.Sockets;
using RawPush.Protocol;
using RawPush.Server.Connections;
using RawPush.Server.Messages;
using RawPush.Server.Sessions;
using RawPush.Server.Tests.Fixture;
using RawPush.Server.Transport;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Transport;

public sealed class EventLoopTests
{
    [Fact]
    public async Task WorkFromAnyThreadRunsOnTheLoopInOrder()
    {
        const int Posters = 4;
        const int PiecesEach = 20_000;
        using var loop = new EventLoop(0);
        int[] last = new int[Posters];
        int wrong = 0;
        int done = 0;   // not interlocked: the loop is the lock
        var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var posters = Enumerable.Range(0, Posters).Select(poster => new Thread(() =>
        {
            for (int piece = 1; piece <= PiecesEach; piece++)
            {
                int number = piece;
                loop.Post(() => Run(poster, number));
            }
        })).ToArray();
        Array.ForEach(posters, poster => poster.Start());

        await finished.Task.WaitAsync(Patience.Token);
        Assert.Equal(0, wrong);
        Assert.All(last, number => Assert.Equal(PiecesEach, number));

        void Run(int poster, int number)
        {
            wrong += loop.IsCurrent && last[poster] == number - 1 ? 0 : 1;
            last[poster] = number;
            if (++done == Posters * PiecesEach)
            {
                finished.SetResult();
            }
        }
    }

    [Fact]
    public async Task ALoopThatSleepsIsWokenByEveryPost()
    {
        // A wake-up that is lost is lost for ever: the next piece is posted only when this one has run.
        using var loop = new EventLoop(0);
        using var ran = new SemaphoreSlim(0);
        for (int i = 0; i < 20_000; i++)
        {
            loop.Post(() => ran.Release());
            Assert.True(await ran.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task WhatIsAskedOfALoopThatHasEndedDoesNotWaitForIt()
    {
        var loop = new EventLoop(0);
        int runs = 0;
        await loop.RunAsync(() => runs++);
        loop.Dispose();
        await loop.RunAsync(() => runs++).WaitAsync(Patience.Token);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task MessagesOfOneTurnLeaveInOneSendPerSubscriber()
    {
        await using var host = await LoopHost.StartAsync();
        await using var first = await host.UpgradeAsync("/channels/a");
        await using var second = await host.UpgradeAsync("/channels/a");
        await using var events = await host.OpenEventsAsync("/channels/a");
        await host.SettleAsync();
        long before = host.LoopOf().Sends;
        using (await host.HoldAsync())
        {
            for (int i = 0; i < 10; i++)
            {
                await host.PublishAsync("a", $"number {i}");
            }
        }

        for (int i = 0; i < 10; i++)
        {
            Assert.Equal($"number {i}", (await first.ReadFrameAsync()).Text);
            Assert.Equal($"number {i}", (await second.ReadFrameAsync()).Text);
            await events.ReadUntilAsync($"data: number {i}\n\n");
        }

        await host.SettleAsync();
        Assert.Equal(3, host.LoopOf().Sends - before);
    }

    [Fact]
    public async Task AnswersToTheMessagesOfOneReadLeaveInOneSend()
    {
        await using var host = await LoopHost.StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        await host.SettleAsync();
        long before = host.LoopOf().Sends;
        await client.SendAsync((byte[])[.. Enumerable.Range(0, 10).SelectMany(i => ClientFrames.Text($"echo {i}")), .. ClientFrames.Ping("p"u8)]);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal($"echo {i}", (await client.ReadFrameAsync()).Text);
        }

        Assert.Equal("p", (await client.ReadFrameAsync()).Text);
        await host.SettleAsync();
        Assert.Equal(1, host.LoopOf().Sends - before);
    }

    [Fact]
    public async Task AnswersThatDoNotFitTogetherKeepTheirOrder()
    {
        await using var host = await LoopHost.StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        string large = new('x', EventLoop.ReceiveBytes);
        _ = client.SendAsync((byte[])[.. ClientFrames.Text("before"), .. ClientFrames.Text(large), .. ClientFrames.Text("after")]);
        Assert.Equal("before", (await client.ReadFrameAsync()).Text);
        Assert.Equal(large, (await client.ReadFrameAsync()).Text);
        Assert.Equal("after", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task AnEventOfAConnectionThatHasEndedDoesNotReachTheOneThatComesNext()
    {
        // One batch of events: a message at which the server cuts the victim, a newcomer, and – last – the victim's own reset. Were the victim's descriptor closed at
        // once, the newcomer would get its number, and the reset with it.
        var killer = new Killer();
        await using var host = await LoopHost.StartAsync(setup => setup.Handlers.Add(("/kill", killer, 100)));
        for (int round = 0; round < 50; round++)
        {
            await using var victim = await host.UpgradeAsync("/kill");
            await victim.SendAsync(ClientFrames.Text("me"));
            await host.SettleAsync();
            await using var other = await host.UpgradeAsync("/kill");
            RawClient newcomer;
            using (await host.HoldAsync())
            {
                await other.SendAsync(ClientFrames.Text("kill"));
                newcomer = await host.ConnectAsync();
                victim.Reset();
            }

            await newcomer.SendAsync(Heads.Upgrade("/echo"));
            Assert.StartsWith("HTTP/1.1 101 ", await newcomer.ReadHeadAsync(), StringComparison.Ordinal);
            await newcomer.SendAsync(ClientFrames.Text("here"));
            Assert.Equal("here", (await newcomer.ReadFrameAsync()).Text);
            await newcomer.DisposeAsync();
            await host.Metrics.WaitForEndedAsync("IdleTimeout", round + 1);
        }

        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AClientThatSendsWithoutPauseDoesNotKeepOthersWaiting()
    {
        await using var host = await LoopHost.StartAsync();
        await using var quiet = await host.UpgradeAsync("/echo");
        await using var busy = await host.UpgradeAsync("/channels/a");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Patience.Token);
        byte[] pongs = [.. Enumerable.Range(0, 1000).SelectMany(_ => ClientFrames.Pong(new byte[100]))];
        var sending = SendWithoutPauseAsync();
        for (int i = 0; i < 100; i++)
        {
            await quiet.SendAsync(ClientFrames.Text($"{i}"));
            Assert.Equal($"{i}", (await quiet.ReadFrameAsync()).Text);

            // However many events tell of it, it waits for one turn at a time.
            int queued = 0;
            await host.LoopOf().RunAsync(() => queued = host.LoopOf().ReadersQueued).WaitAsync(Patience.Token);
            Assert.InRange(queued, 0, 1);
        }

        await stop.CancelAsync();
        await sending;

        async Task SendWithoutPauseAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                await busy.Socket.SendAsync(pongs, SocketFlags.None);
            }
        }
    }

    /// <summary>Remembers who sent "me", and cuts that connection when another one sends "kill".</summary>
    private sealed class Killer : IClientMessageHandler
    {
        private IClientConnection? _victim;

        public ValueTask OnMessageAsync(IClientConnection client, MessageKind kind, ReadOnlySpan<byte> payload)
        {
            if (payload.SequenceEqual("me"u8))
            {
                _victim = client;
            }
            else
            {
                ((ClientSession)_victim!).End(ConnectionEndReason.IdleTimeout);
            }

            return default;
        }
    }
}
