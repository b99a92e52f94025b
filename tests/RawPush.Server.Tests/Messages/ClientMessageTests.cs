using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using RawPush.Protocol;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Messages;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Messages;

public sealed class ClientMessageTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AHandlerThatThrowsEndsItsConnectionWith1011AndAnErrorInTheLog(bool isLate)
    {
        var release = new TaskCompletionSource();
        await using var host = await StartAsync(async (_, _) =>
        {
            if (isLate)
            {
                await release.Task;
            }

            throw new InvalidOperationException("a bug");
        });
        await using var client = await host.UpgradeAsync("/handler");
        await using var neighbour = await host.UpgradeAsync("/echo");
        await client.SendAsync(ClientFrames.Text("x"));
        release.SetResult();
        var close = await client.ReadFrameAsync();
        Assert.Equal((1011, "the server made a mistake"), (close.Status, close.Reason));
        await client.SendAsync(ClientFrames.Close(1011));
        Assert.Empty(await client.ReadToEndAsync());
        await host.Metrics.WaitForEndedAsync("Fault");
        var line = Assert.Single(host.Logs.AboveDebug);
        Assert.Equal((LogLevel.Error, "SessionFault"), (line.Level, line.EventId.Name));
        Assert.Equal("a bug", line.Exception?.Message);
        await EchoAsync(neighbour);
    }

    [Fact]
    public async Task TheNextMessageWaitsForTheHandlerAndOthersDoNot()
    {
        var started = new ConcurrentQueue<string>();
        var release = new SemaphoreSlim(0);
        await using var host = await StartAsync(async (client, payload) =>
        {
            started.Enqueue(Encoding.UTF8.GetString(payload));
            await release.WaitAsync(Patience.Token);
            client.TrySend(MessageKind.Text, payload);
        });
        await using var client = PipeClient.Connect(host);
        await client.SendAsync(Heads.Upgrade("/handler"));
        client.Forget();
        await client.SendAsync((byte[])[.. ClientFrames.Text("1"), .. ClientFrames.Text("2"), .. ClientFrames.Text("3")]);
        Assert.Equal(["1"], started);
        await using (var neighbour = await host.UpgradeAsync("/echo"))
        {
            await EchoAsync(neighbour);
        }

        Assert.Equal(["1"], started);
        release.Release(3);
        Assert.Equal("\u0081\u00011\u0081\u00012\u0081\u00013", Encoding.Latin1.GetString(await client.ReceiveAsync(9)));
        Assert.Equal(["1", "2", "3"], started);
    }

    [Fact]
    public async Task AClientMayLeaveWhileItsHandlerWorks()
    {
        var started = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var sent = new TaskCompletionSource<bool>();
        await using var host = await StartAsync(async (client, payload) =>
        {
            started.SetResult();
            await release.Task;
            sent.SetResult(client.TrySend(MessageKind.Text, payload));
        });
        await using var client = await host.UpgradeAsync("/handler");
        await client.SendAsync(ClientFrames.Text("x"));
        await started.Task.WaitAsync(Patience.Token);
        client.Reset();
        release.SetResult();
        await sent.Task.WaitAsync(Patience.Token);
        await host.Metrics.WaitForEndedAsync("ClientGone");
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AnyThreadMaySendAndAfterTheEndIsToldNo()
    {
        var connected = new TaskCompletionSource<IClientConnection>();
        await using var host = await StartAsync((client, _) =>
        {
            connected.SetResult(client);
            return ValueTask.CompletedTask;
        });
        await using var client = await host.UpgradeAsync("/handler");
        await client.SendAsync(ClientFrames.Text("x"));
        var connection = await connected.Task.WaitAsync(Patience.Token);
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(connection.TrySend(MessageKind.Text, Encoding.UTF8.GetBytes($"{i}")));
        }

        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal($"{i}", (await client.ReadFrameAsync()).Text);
        }

        client.Reset();
        await host.Metrics.WaitForEndedAsync("ClientGone");
        Assert.False(connection.TrySend(MessageKind.Text, "too late"u8));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RepliesToAClientThatDoesNotReadAreBoundedAndThoseThatWereTakenArrive(bool isOtherThread)
    {
        const int Length = 10_000;
        const int Limit = 2 * 1024 * 1024 + 64 * 1024 + 64 * 1024;
        var done = new TaskCompletionSource<int>();
        await using var host = await StartAsync(async (client, _) =>
        {
            if (isOtherThread)
            {
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }

            int taken = 0;
            while (taken < 10 * Limit / Length && client.TrySend(MessageKind.Binary, BitConverter.GetBytes(taken).Concat(new byte[Length - 4]).ToArray()))
            {
                taken++;
            }

            done.SetResult(taken);
        });
        await using var client = PipeClient.Connect(host);
        await client.SendAsync(Heads.Upgrade("/handler"));
        client.Forget();
        await client.SendAsync(ClientFrames.Text("x"));
        int taken = await done.Task.WaitAsync(Patience.Token);
        Assert.InRange(taken * (long)Length, 1024 * 1024, Limit);
        byte[] wire = await client.ReceiveAsync(taken * (Length + 4));
        Assert.Equal(taken * (Length + 4), wire.Length);
        Assert.All(Enumerable.Range(0, taken), i => Assert.Equal(i, BitConverter.ToInt32(wire, i * (Length + 4) + 4)));
        await using var neighbour = await host.UpgradeAsync("/echo");
        await EchoAsync(neighbour);
    }

    [Fact]
    public async Task AClientThatSendsAndDoesNotReadStopsItselfAndLosesNothing()
    {
        const int Count = 400;
        const int Length = 10_000;
        int handled = 0;
        await using var host = await StartAsync((client, payload) =>
        {
            Interlocked.Increment(ref handled);
            Assert.True(client.TrySend(MessageKind.Binary, payload));
            return ValueTask.CompletedTask;
        });
        await using var client = PipeClient.Connect(host);
        await client.SendAsync(Heads.Upgrade("/handler"));
        client.Forget();
        var sending = SendAllAsync();
        for (int i = 0; i < 1000; i++)
        {
            await host.SettleAsync();
        }

        Assert.False(sending.IsCompleted);
        Assert.InRange(Volatile.Read(ref handled), 1, 64);
        byte[] wire = await client.ReceiveAsync(Count * (Length + 4));
        await sending;
        Assert.All(Enumerable.Range(0, Count), i => Assert.Equal(i, BitConverter.ToInt32(wire, i * (Length + 4) + 4)));
        Assert.Empty(host.Logs.AboveDebug);

        async Task SendAllAsync()
        {
            for (int i = 0; i < Count; i++)
            {
                await client.SendFreely(ClientFrames.Binary([.. BitConverter.GetBytes(i), .. new byte[Length - 4]]));
            }
        }
    }

    [Fact]
    public async Task AHandlerWithoutAPathTakesTheMessagesOfChannels()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Handlers.Add((null, new EchoHandler(), 5)));
        await using var client = await host.UpgradeAsync("/channels/a");
        await client.SendAsync(ClientFrames.Text("hello"));
        Assert.Equal("hello", (await client.ReadFrameAsync()).Text);
        await host.PublishAsync("a", "published");
        Assert.Equal("published", (await client.ReadFrameAsync()).Text);
        await client.SendAsync(ClientFrames.Text("hello!"));
        Assert.Equal(1009, (await client.ReadFrameAsync()).Status);
    }

    private static Task<PushHost> StartAsync(Func<IClientConnection, byte[], ValueTask> onMessage) =>
        PushHost.StartAsync(setup =>
        {
            setup.Options = options => options.Shards = 1;
            setup.Handlers.Add(("/handler", new DelegateHandler(onMessage), 0));
        });

    private static async Task EchoAsync(RawClient client)
    {
        await client.SendAsync(ClientFrames.Text("echo"));
        var frame = await client.ReadFrameAsync();
        Assert.Equal((Opcode.Text, "echo"), (frame.Opcode, frame.Text));
    }
}
