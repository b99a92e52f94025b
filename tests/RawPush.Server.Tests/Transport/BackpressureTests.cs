using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Channels;
using RawPush.Protocol;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Transport;

/// <summary>Writes to a socket that is full: wherever the kernel cuts, every byte arrives once and in order.</summary>
public sealed class BackpressureTests
{
    private const int Smallest = 4096;

    [Theory]
    [InlineData(1, 1_000_000)]
    [InlineData(10, 100_000)]
    [InlineData(500, 1_000)]
    [InlineData(3_000, 17)]
    public async Task AClientThatReadsLateGetsEverything(int messages, int bytes)
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Options = options =>
        {
            options.LogEntriesMax = Math.Max(messages, 64);
            options.LogBytesMax = 2L * messages * (bytes + 10);
            options.SocketSendBytes = Smallest;
            options.SocketUnsentBytesMax = Smallest;
        });
        await using var client = await OpenAsync(host, Heads.Upgrade("/channels/a"));
        byte[][] payloads = [.. Enumerable.Range(0, messages).Select(_ => RandomNumberGenerator.GetBytes(bytes))];
        foreach (byte[] payload in payloads)
        {
            await host.Publisher.PublishAsync(ChannelName.Parse("a"), new PushMessage(MessageKind.Binary, payload), Patience.Token);
        }

        await host.SettleAsync();
        foreach (byte[] payload in payloads)
        {
            Assert.Equal(payload, (await client.ReadFrameAsync()).Payload);
        }

        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    [Fact]
    public async Task AReplyThatIsTakenInPiecesArrivesWhole()
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Options = options => options.SocketSendBytes = Smallest);
        await using var client = await OpenAsync(host, Heads.Upgrade("/echo"));
        byte[] payload = RandomNumberGenerator.GetBytes(3_000_000);
        await client.SendAsync(ClientFrames.Binary(payload));
        await client.SendAsync(ClientFrames.Text("and on"));
        Assert.Equal(payload, (await client.ReadFrameAsync()).Payload);
        Assert.Equal("and on", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task AClientThatSendsAndDoesNotReadStopsItself()
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Options = options =>
        {
            options.SocketSendBytes = Smallest;
            options.ClientBytesPerSecond = 0;
        });
        await using var client = await OpenAsync(host, Heads.Upgrade("/echo"));

        // Far more than all buffers on the way hold: at some point the server takes no more, and our sends wait.
        const int Messages = 400;
        byte[] payload = RandomNumberGenerator.GetBytes(100_000);
        var sending = SendAllAsync();
        for (int i = 0; i < Messages; i++)
        {
            Assert.Equal(payload, (await client.ReadFrameAsync()).Payload);
        }

        await sending;

        async Task SendAllAsync()
        {
            for (int i = 0; i < Messages; i++)
            {
                await client.SendAsync(ClientFrames.Binary(payload));
            }
        }
    }

    [Fact]
    public async Task APingThatHadToWaitBehindALongMessageIsGivenItsTime()
    {
        const int Length = 1_000_000;
        const int BytesPerSecond = 25_000;
        var time = new FakeTimeProvider();
        await using var host = await LoopHost.StartAsync(setup =>
        {
            setup.Time = time;
            setup.Options = options => options.SocketSendBytes = Smallest;
        });
        await using var client = await OpenAsync(host, Heads.Upgrade("/channels/a"));
        await host.AdvanceAsync(TimeSpan.FromSeconds(20));
        await host.PublishAsync("a", new string('x', Length));

        // The ping falls due after five of forty seconds, and cannot be answered before all of the message was taken.
        for (int taken = 0; taken < Length; taken += BytesPerSecond)
        {
            await client.ReadExactlyAsync(BytesPerSecond);
            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        await client.ReadExactlyAsync(10);   // as long as the frame's header was
        Assert.Equal(Opcode.Ping, (await client.ReadFrameAsync()).Opcode);
        await host.AdvanceAsync(TimeSpan.FromSeconds(18));
        Assert.Equal(0, host.Metrics.EndedInAll);
        await client.SendAsync(ClientFrames.Pong([]));
        await host.AdvanceAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    [Fact]
    public async Task AClientThatTakesNothingIsCutAndOneThatTakesALittleIsNot()
    {
        var time = new FakeTimeProvider();
        await using var host = await LoopHost.StartAsync(setup =>
        {
            setup.Time = time;
            setup.Options = options =>
            {
                options.SocketSendBytes = Smallest;
                options.LogBytesMax = 100_000_000;
            };
        });
        await using var dead = await OpenAsync(host, Heads.Events("/channels/a"));
        await using var slow = await OpenAsync(host, Heads.Events("/channels/a"));
        await host.PublishAsync("a", new string('x', 1_000_000));
        await host.SettleAsync();
        for (int second = 0; second < 60 && host.Metrics.EndedInAll == 0; second++)
        {
            await slow.ReadExactlyAsync(10_000);
            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        Assert.Equal((1, 1), (host.Metrics.Ended("IdleTimeout"), host.Metrics.Active));
    }

    /// <summary>A client with little room for what it has not read yet.</summary>
    private static async Task<RawClient> OpenAsync(PushHost host, string head)
    {
        var client = await RawClient.ConnectAsync(host.Public.Port, receiveBufferBytes: Smallest);
        await client.SendAsync(head);
        await client.ReadHeadAsync();
        return client;
    }
}
