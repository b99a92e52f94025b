using Microsoft.Extensions.Time.Testing;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Transport;

/// <summary>Peers that vanish, break off and half-close, at every stage of a connection.</summary>
public sealed class PeerTests
{
    private const string Head = "GET /channels/a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

    [Theory]
    [InlineData("")]
    [InlineData("G")]
    [InlineData("GET /hello HT")]
    [InlineData("GET /channels/a HTTP/1.1\r\n")]
    [InlineData(Head)]
    public async Task AResetInTheMiddleOfTheHeadLeavesNothingBehind(string part)
    {
        await using var host = await LoopHost.StartAsync();
        var client = await host.ConnectAsync();
        await client.SendAsync(part);
        await host.SettleAsync();
        client.Reset();
        await AssertNobodyIsLeftAsync(host);
    }

    [Theory]
    [InlineData("")]
    [InlineData("G")]
    [InlineData("GET /channels/a HTTP/1.1\r\n")]
    [InlineData(Head)]
    public async Task AnEndInTheMiddleOfTheHeadIsAnsweredByAnEnd(string part)
    {
        await using var host = await LoopHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync(part);
        client.EndSending();

        // In order, and without a reset: what was unread has been taken out of the socket.
        Assert.Empty(await client.ReadToEndAsync());
        await AssertNobodyIsLeftAsync(host);
    }

    [Fact]
    public async Task AResetInTheMiddleOfAFrameEndsTheConnection()
    {
        await using var host = await LoopHost.StartAsync();
        var client = await host.UpgradeAsync("/echo");
        await client.SendAsync(ClientFrames.Header(Opcode.Binary, 1000));
        await client.SendAsync("some of it");
        await host.SettleAsync();
        client.Reset();
        await host.Metrics.WaitForEndedAsync("ClientGone");
        await AssertNobodyIsLeftAsync(host);
    }

    [Fact]
    public async Task WhatAClientHasNotTakenIsDroppedWithIt()
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Time = new FakeTimeProvider());
        await using var client = await RawClient.ConnectAsync(host.Public.Port, receiveBufferBytes: 4096);
        await client.SendAsync(Heads.Upgrade("/channels/a"));
        await client.ReadHeadAsync();
        await host.PublishAsync("a", new string('x', 1_000_000));
        await host.SettleAsync();
        await host.AdvanceAsync(TimeSpan.FromSeconds(45));
        await host.Metrics.WaitForEndedAsync("IdleTimeout");

        // The kernel would go on for as long as it has patience; so it is a reset and not the message's end.
        await Assert.ThrowsAsync<IOException>(client.ReadToEndAsync);
        await AssertNobodyIsLeftAsync(host);
    }

    [Fact]
    public async Task AResetWhileAHandlerWorksEndsTheConnectionAtOnce()
    {
        // Nothing is read from such a client, and time stands still: only the reset itself can tell.
        var working = new TaskCompletionSource();
        await using var host = await LoopHost.StartAsync(setup =>
        {
            setup.Time = new FakeTimeProvider();
            setup.Handlers.Add(("/work", new DelegateHandler((_, _) => new ValueTask(working.Task)), 100));
        });
        var client = await host.UpgradeAsync("/work");
        await client.SendAsync(ClientFrames.Text("work"));
        await host.SettleAsync();
        client.Reset();
        await host.Metrics.WaitForEndedAsync("ClientGone");
        await AssertNobodyIsLeftAsync(host);
        working.SetResult();
    }

    [Fact]
    public async Task AWebSocketThatEndsItsHalfWithoutAGoodbyeHasGone()
    {
        await using var host = await LoopHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await host.Metrics.WaitForEndedAsync("ClientGone");
        await AssertNobodyIsLeftAsync(host);
    }

    [Fact]
    public async Task ThePartingWordsOfAPeerAreReadBeforeItsEnd()
    {
        await using var host = await LoopHost.StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        using (await host.HoldAsync())
        {
            await client.SendAsync((byte[])[.. ClientFrames.Text("last"), .. ClientFrames.Close(1000)]);
            client.EndSending();
        }

        Assert.Equal("last", (await client.ReadFrameAsync()).Text);
        Assert.Equal(1000, (await client.ReadFrameAsync()).Status);
        Assert.Empty(await client.ReadToEndAsync());
        await host.Metrics.WaitForEndedAsync("ClientClosed");
    }

    [Fact]
    public async Task AnEventStreamWhoseReaderEndsItsHalfIsOver()
    {
        await using var host = await LoopHost.StartAsync();
        await using var client = await host.OpenEventsAsync("/channels/a");
        client.EndSending();
        Assert.Empty(await client.ReadToEndAsync());
        await host.Metrics.WaitForEndedAsync("ClientClosed");
        await AssertNobodyIsLeftAsync(host);
    }

    [Fact]
    public async Task ARequestRightBehindWhichThePeerEndsItsHalfIsAnswered()
    {
        await using var host = await LoopHost.StartAsync();
        await using var client = await host.ConnectAsync();
        using (await host.HoldAsync())
        {
            await client.SendAsync(Heads.Get("/channels/a?limit=0"));
            client.EndSending();
        }

        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadTextToEndAsync(), StringComparison.Ordinal);
        await AssertNobodyIsLeftAsync(host);
    }

    [Fact]
    public async Task ARefusalArrivesAlsoOverBytesThatNobodyReads()
    {
        // A socket that is closed over unread bytes sends a reset, which would throw the answer away at the client.
        await using var host = await LoopHost.StartAsync();
        for (int round = 0; round < 20; round++)
        {
            await using var client = await host.ConnectAsync();
            await client.SendAsync(Heads.Get("/channels/a?limit=0") + new string('x', 200_000));
            Assert.StartsWith("HTTP/1.1 400 ", (await client.ReadResponseAsync()).Head, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ARefusedPeerThatStaysIsCutWhenTheTimeToLingerIsOver()
    {
        var time = new FakeTimeProvider();
        await using var host = await LoopHost.StartAsync(setup => setup.Time = time);
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Get("/channels/a?limit=0"));
        await client.ReadToEndAsync();
        await host.SettleAsync();
        Assert.Equal(1, await ConnectionsAsync(host));
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        await AssertNobodyIsLeftAsync(host);
    }

    [Fact]
    public async Task AHalfOpenPeerIsFoundByItsSilence()
    {
        var time = new FakeTimeProvider();
        await using var host = await LoopHost.StartAsync(setup => setup.Time = time);
        await using var client = await host.UpgradeAsync("/channels/a");
        await host.AdvanceAsync(TimeSpan.FromSeconds(26));
        Assert.Equal(Opcode.Ping, (await client.ReadFrameAsync()).Opcode);
        await host.AdvanceAsync(TimeSpan.FromSeconds(21));
        Assert.Empty(await client.ReadToEndAsync());
        await host.Metrics.WaitForEndedAsync("IdleTimeout");
        await AssertNobodyIsLeftAsync(host);
    }

    [Fact]
    public async Task APeerThatAnswersItsPingsStays()
    {
        var time = new FakeTimeProvider();
        await using var host = await LoopHost.StartAsync(setup => setup.Time = time);
        await using var client = await host.UpgradeAsync("/channels/a");
        for (int round = 0; round < 5; round++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(26));
            Assert.Equal(Opcode.Ping, (await client.ReadFrameAsync()).Opcode);
            await client.SendAsync(ClientFrames.Pong([]));
            await host.SettleAsync();
        }

        await host.PublishAsync("a", "still here");
        Assert.Equal("still here", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task ASilentConnectionIsClosedAtItsDeadlineAndALateHeadIsAnswered408()
    {
        var time = new FakeTimeProvider();
        await using var host = await LoopHost.StartAsync(setup => setup.Time = time);
        await using var silent = await host.ConnectAsync();
        await using var slow = await host.ConnectAsync();
        await slow.SendAsync(Head);
        await host.SettleAsync();
        await host.AdvanceAsync(TimeSpan.FromSeconds(9));
        Assert.Equal(2, await ConnectionsAsync(host));
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Empty(await silent.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 408 ", await slow.ReadTextToEndAsync(), StringComparison.Ordinal);
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        await AssertNobodyIsLeftAsync(host);
    }

    private static async Task AssertNobodyIsLeftAsync(PushHost host)
    {
        // The peer's last packets are there; the loop has a few turns' work with them.
        for (int i = 0; i < 100 && await ConnectionsAsync(host) > 0; i++)
        {
            await host.SettleAsync();
        }

        Assert.Equal(0, await ConnectionsAsync(host));
        Assert.Equal(0, host.Metrics.Active);
        Assert.Empty(host.Logs.AboveDebug);
    }

    private static async Task<int> ConnectionsAsync(PushHost host)
    {
        int count = -1;
        await host.LoopOf().RunAsync(() => count = host.Get<Server.Connections.ConnectionLoops>().All[0].Count).WaitAsync(Patience.Token);
        return count;
    }
}
