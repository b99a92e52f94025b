using Microsoft.Extensions.Time.Testing;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Connections;

/// <summary>With the default times: a ping after 25 s, 20 s for the peer, 5 s for the close. Timers may be a second late, never early.</summary>
public sealed class TimeoutTests
{
    private static readonly byte[] Ping = [0x89, 0x00];

    [Fact]
    public async Task ASilentClientIsPingedAndOneThatAnswersStays()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        for (int round = 0; round < 4; round++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(24));
            Assert.Empty(client.Received);
            await host.AdvanceAsync(TimeSpan.FromSeconds(2));
            Assert.Equal(Ping, client.Received);
            await host.AdvanceAsync(TimeSpan.FromSeconds(18));
            await client.SendAsync(ClientFrames.Pong([]));
            client.Forget();
            Assert.False(client.IsCut);
        }
    }

    [Fact]
    public async Task AClientThatSendsIsNotPinged()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        for (int i = 0; i < 5; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(20));
            await client.SendAsync(ClientFrames.Pong([]));
        }

        Assert.Empty(client.Received);
    }

    [Fact]
    public async Task WhoAnswersWithinTheTickOfThePingStays()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        int pings = 0;
        for (int second = 0; second < 120; second++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
            if (client.Received.Length > 0)
            {
                pings++;
                client.Forget();
                await client.SendAsync(ClientFrames.Pong([]));
            }
        }

        Assert.False(client.IsCut);
        Assert.Equal(4, pings);
    }

    [Fact]
    public async Task TheIntervalCounts_WhenItIsShorterThanThePeersTime()
    {
        await using var host = await StartAsync(setup => setup.Options = options => options.PingInterval = TimeSpan.FromSeconds(5));
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        for (int ping = 0; ping < 10; ping++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(4));
            Assert.Empty(client.Received);
            await host.AdvanceAsync(TimeSpan.FromSeconds(2));
            Assert.Equal(Ping, client.Received);
            await client.SendAsync(ClientFrames.Pong([]));
            client.Forget();
        }

        // One ping is enough for who does not answer, and the peer's time is what it says.
        await host.AdvanceAsync(TimeSpan.FromSeconds(24));
        Assert.Equal(Ping, client.Received);
        Assert.False(client.IsCut);
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        await client.Served.WaitAsync(Patience.Token);
        Assert.Equal(1, host.Metrics.Ended("IdleTimeout"));
        Assert.Equal(Ping, client.Received);
    }

    [Fact]
    public async Task WhoDoesNotAnswerAPingIsCut()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        await host.AdvanceAsync(TimeSpan.FromSeconds(26));
        Assert.Equal(Ping, client.Received);
        await host.AdvanceAsync(TimeSpan.FromSeconds(18));
        Assert.False(client.IsCut);
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        await client.Served.WaitAsync(Patience.Token);
        await client.WaitForCutAsync();
        Assert.Equal(1, host.Metrics.Ended("IdleTimeout"));
        Assert.Equal(Ping, client.Received);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AClientWhoseHandlerTakesLongIsNotCutForThePongThatNobodyReads()
    {
        var release = new TaskCompletionSource();
        await using var host = await StartAsync(setup => setup.Handlers.Add(("/slow", new DelegateHandler(async (_, _) => await release.Task), 0)));
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/slow"));
        await client.SendAsync(ClientFrames.Text("x"));
        await host.AdvanceAsync(TimeSpan.FromSeconds(26));
        Assert.Equal(Ping, client.Received);
        await client.SendAsync(ClientFrames.Pong([]));
        await host.AdvanceAsync(TimeSpan.FromSeconds(120));
        Assert.False(client.IsCut);
        release.SetResult();
        await host.SettleAsync();
        await host.SettleAsync();
        await host.AdvanceAsync(TimeSpan.FromSeconds(20));
        Assert.False(client.IsCut);
        await host.AdvanceAsync(TimeSpan.FromSeconds(60));
        await client.Served.WaitAsync(Patience.Token);
        Assert.Equal(1, host.Metrics.Ended("IdleTimeout"));
    }

    [Fact]
    public async Task AQuietEventStreamGetsAComment()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Events("/channels/a"));
        await host.AdvanceAsync(TimeSpan.FromSeconds(24));
        Assert.Empty(client.Received);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(":\n\n", client.ReceivedText);
        await host.AdvanceAsync(TimeSpan.FromSeconds(26));
        Assert.Equal(":\n\n:\n\n", client.ReceivedText);
    }

    [Fact]
    public async Task AnEventPutsTheCommentOff()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Events("/channels/a"));
        await host.AdvanceAsync(TimeSpan.FromSeconds(20));
        await host.PublishAsync("a", "x");
        await host.SettleAsync();
        client.Forget();
        await host.AdvanceAsync(TimeSpan.FromSeconds(24));
        Assert.Empty(client.Received);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(":\n\n", client.ReceivedText);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AClientThatTakesNothingIsCut(bool isWebSocket)
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, isWebSocket ? Heads.Upgrade("/channels/a") : Heads.Events("/channels/a"));

        // Not at a time at which it would be looked at anyway.
        await host.AdvanceAsync(TimeSpan.FromSeconds(6));
        await host.PublishAsync("a", new string('x', 100_000));
        await host.SettleAsync();
        await host.AdvanceAsync(TimeSpan.FromSeconds(18));
        Assert.False(client.IsCut);
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        await client.Served.WaitAsync(Patience.Token);
        await client.WaitForCutAsync();
        Assert.Equal(1, host.Metrics.Ended("IdleTimeout"));
    }

    [Fact]
    public async Task AClientThatTakesOneLongMessageSlowlyStays()
    {
        const int Length = 1_000_000;
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Events("/channels/a"));
        await host.PublishAsync("a", new string('x', Length));
        await host.SettleAsync();

        // Four minutes in all, of which no twenty seconds go by without a part of it being taken.
        for (int taken = 64 * 1024; taken < Length; taken += 64 * 1024)
        {
            await client.ReceiveAsync(taken);
            await host.SettleAsync();
            await host.AdvanceAsync(TimeSpan.FromSeconds(15));
            Assert.False(client.IsCut);
        }

        await client.ReceiveAsync(Length);
        await host.SettleAsync();
        Assert.Contains(new string('x', Length), client.ReceivedText, StringComparison.Ordinal);
        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AClientThatTakesALittleAtATimeStays(bool isWebSocket)
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, isWebSocket ? Heads.Upgrade("/channels/a") : Heads.Events("/channels/a"));
        for (int i = 0; i < 10; i++)
        {
            await host.PublishAsync("a", new string('x', 100_000));
            await host.SettleAsync();
            await host.AdvanceAsync(TimeSpan.FromSeconds(15));
            Assert.False(client.IsCut);
            client.Forget();
            await host.SettleAsync();
            await client.SendAsync(isWebSocket ? ClientFrames.Pong([]) : []);
        }
    }

    [Fact]
    public async Task WhoDoesNotAnswerOurCloseIsCut()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        await client.SendAsync(ClientFrames.Text("not taken here"));
        Assert.Equal(0x88, client.Received[0]);
        await host.AdvanceAsync(TimeSpan.FromSeconds(4));
        Assert.False(client.Served.IsCompleted);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        await client.Served.WaitAsync(Patience.Token);
        await client.WaitForCutAsync();
        Assert.Equal(1, host.Metrics.Ended("UnsupportedData"));
    }

    [Fact]
    public async Task WhoDoesNotTakeOurCloseIsCut()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        await host.PublishAsync("a", new string('x', 100_000));
        await host.SettleAsync();
        await client.SendAsync(ClientFrames.Frame(Opcode.Text, [0xFF]));
        await host.AdvanceAsync(TimeSpan.FromSeconds(6));
        await client.Served.WaitAsync(Patience.Token);
        await client.WaitForCutAsync();
        Assert.Equal(1, host.Metrics.Ended("InvalidPayload"));
    }

    [Fact]
    public async Task WhoNeverEndsItsHalfAfterAViolationIsNotWaitedFor()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        await client.SendAsync(ClientFrames.Frame(Opcode.Text, [0xFF]));
        Assert.Equal(0x88, client.Received[0]);
        await client.SendAsync(new byte[1000]);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        await client.Served.WaitAsync(Patience.Token);
        Assert.Equal(1, host.Metrics.Ended("InvalidPayload"));
    }

    private static Task<PushHost> StartAsync(Action<PushHostSetup>? configure = null) => PushHost.StartAsync(setup =>
    {
        setup.Time = new FakeTimeProvider();
        configure?.Invoke(setup);
    });
}
