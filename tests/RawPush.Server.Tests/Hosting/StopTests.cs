using Microsoft.Extensions.Time.Testing;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Connections;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Hosting;

public sealed class StopTests
{
    [Fact]
    public async Task ClientsAreToldThatTheServerIsGoingAway()
    {
        await using var host = await PushHost.StartAsync();
        await using var webSocket = await host.UpgradeAsync("/channels/a");
        await using var events = await host.OpenEventsAsync("/channels/a");
        await host.PublishAsync("a", "last words");
        var stopping = host.StopAsync();
        Assert.Equal("last words", (await webSocket.ReadFrameAsync()).Text);
        var close = await webSocket.ReadFrameAsync();
        Assert.Equal((1001, "the server is going away"), (close.Status, close.Reason));
        await webSocket.SendAsync(ClientFrames.Close(1001));
        Assert.Empty(await webSocket.ReadToEndAsync());
        Assert.Matches("data: last words\n\nretry: [1-5][0-9]{3}\n\n\\z", await events.ReadTextToEndAsync());
        await stopping;
        Assert.Equal((2, 2, 0), (host.Metrics.Ended("ServerDraining"), host.Metrics.EndedInAll, host.Metrics.Active));
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task ConnectionsThatHaveNotSaidWhatTheyWantDoNotDelayTheStop()
    {
        // Time stands still: whatever waited for a timer would wait for ever.
        await using var host = await PushHost.StartAsync(setup => setup.Time = new FakeTimeProvider());
        await using var silent = await host.ConnectAsync();
        await using var half = await host.ConnectAsync();
        await half.SendAsync("GET /channels/a HTTP/1.1\r\nHost");
        await using var keptAlive = await host.ConnectAsync();
        await keptAlive.SendAsync(Heads.Get("/hello"));
        await keptAlive.ReadResponseAsync();
        var stopping = host.StopAsync();
        Assert.Empty(await silent.ReadToEndAsync());
        string answer = await half.ReadTextToEndAsync();
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 503 ", StringComparison.Ordinal), answer);
        await half.DisposeAsync();
        Assert.Empty(await keptAlive.ReadToEndAsync());
        await stopping;
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AHeadThatIsHalfThereWhenTheServerStopsIsAnswered503()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Time = new FakeTimeProvider());
        await using var client = PipeClient.Connect(host);
        await client.SendAsync("GET /channels/a HTTP/1.1\r\nHost");
        await host.StopAsync();
        await host.SettleAsync();
        Assert.StartsWith("HTTP/1.1 503 ", client.ReceivedText, StringComparison.Ordinal);
        Assert.EndsWith("the server is going away\n", client.ReceivedText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AConnectionThatComesWhileTheServerStopsDoesNotDelayTheStop()
    {
        var time = new FakeTimeProvider();
        await using var host = await PushHost.StartAsync(setup => setup.Time = time);
        await using var polite = await host.UpgradeAsync("/channels/a");
        var stopping = host.StopAsync();
        Assert.Equal(1001, (await polite.ReadFrameAsync()).Status);

        // The listener is still open: it is closed when the clients have left.
        await using var silent = await host.ConnectAsync();
        Assert.Empty(await silent.ReadToEndAsync());
        await using var late = await host.ConnectAsync();
        await late.SendAsync(Heads.Upgrade("/channels/a"));
        await late.ReadUntilGoneAsync();
        await late.DisposeAsync();
        await polite.SendAsync(ClientFrames.Close(1001));
        await stopping;
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AClientThatIgnoresTheGoodbyeIsCutAfterTheDrainTimeout()
    {
        var time = new FakeTimeProvider();
        await using var host = await PushHost.StartAsync(setup => setup.Time = time);
        await using var client = await host.UpgradeAsync("/channels/a");
        var stopping = host.StopAsync();
        Assert.Equal(1001, (await client.ReadFrameAsync()).Status);
        Assert.False(stopping.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        await client.ReadUntilGoneAsync();
        await stopping;
        Assert.Equal((1, 0), (host.Metrics.Ended("ServerDraining"), host.Metrics.Active));
    }

    [Fact]
    public async Task AClientWhoseHandlerNeverEndsIsCutToo()
    {
        var time = new FakeTimeProvider();
        var started = new TaskCompletionSource();
        await using var host = await PushHost.StartAsync(setup =>
        {
            setup.Time = time;
            setup.Handlers.Add(("/never", new DelegateHandler(async (_, _) =>
            {
                started.SetResult();
                await new TaskCompletionSource().Task;
            }), 0));
        });
        await using var client = await host.UpgradeAsync("/never");
        await client.SendAsync(ClientFrames.Text("x"));
        await started.Task.WaitAsync(Patience.Token);
        var stopping = host.StopAsync();
        Assert.Equal(1001, (await client.ReadFrameAsync()).Status);
        time.Advance(TimeSpan.FromSeconds(1));
        await client.ReadUntilGoneAsync();
        await stopping;
        Assert.Equal(0, host.Metrics.Active);
    }

    [Fact]
    public async Task EveryConnectionEndsForOneReason()
    {
        await using var host = await PushHost.StartAsync();
        await using var closes = await host.UpgradeAsync("/channels/a");
        await using var breaks = await host.UpgradeAsync("/channels/a");
        await using var resets = await host.UpgradeAsync("/channels/a");
        await using var leaves = await host.OpenEventsAsync("/channels/a");
        await using var stays = await host.OpenEventsAsync("/channels/a");
        await host.Metrics.WaitForActiveAsync(5);
        await closes.SendAsync((byte[])[.. ClientFrames.Close(1000), .. ClientFrames.Close(1000)]);
        await closes.ReadToEndAsync();
        await closes.DisposeAsync();
        await breaks.SendAsync((byte[])[.. ClientFrames.Frame((Opcode)3, []), .. ClientFrames.Close(1000)]);
        breaks.EndSending();
        await breaks.ReadToEndAsync();
        resets.Reset();
        await leaves.DisposeAsync();
        await host.Metrics.WaitForActiveAsync(1);
        await host.StopAsync();
        Assert.Equal(0, host.Metrics.Active);
        Assert.Equal(5, host.Metrics.EndedInAll);
        Assert.Equal(
            (2, 1, 1, 1),
            (host.Metrics.Ended("ClientClosed"), host.Metrics.Ended("ProtocolViolation"), host.Metrics.Ended("ClientGone"), host.Metrics.Ended("ServerDraining")));
        Assert.Equal(0, host.Get<ConnectionLoops>().Count);
    }
}
