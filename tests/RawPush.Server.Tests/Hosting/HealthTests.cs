using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Server.Connections;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Hosting;

public sealed class HealthTests
{
    [Fact]
    public async Task AServerThatIsAloneLivesAndIsReady()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.ConnectAsync(host.Internal);
        Assert.Equal((200, "{\"status\":\"alive\"}"), await AskAsync(client, "live"));
        Assert.Equal((200, "{\"status\":\"ready\"}"), await AskAsync(client, "ready"));
    }

    [Theory]
    [InlineData("live")]
    [InlineData("ready")]
    public async Task TheHeadAloneSaysTheSame(string what)
    {
        await using var host = await PushHost.StartAsync();
        using var answer = await host.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, new Uri($"/health/{what}", UriKind.Relative)), Patience.Token);
        Assert.Equal((200, "no-store"), ((int)answer.StatusCode, answer.Headers.CacheControl?.ToString()));
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Patience.Token));
    }

    [Theory]
    [InlineData("live")]
    [InlineData("ready")]
    public async Task ClientsAreNotTold(string what)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.ConnectAsync(host.Public);
        await client.SendAsync(Heads.Get($"/health/{what}"));
        Assert.StartsWith("HTTP/1.1 404 ", (await client.ReadResponseAsync()).Head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(BusReadiness.Required, 503, "{\"status\":\"not ready\",\"reasons\":[\"cut off from \\\"them\\\"\"]}")]
    [InlineData(BusReadiness.Ignored, 200, "{\"status\":\"ready\",\"warnings\":[\"cut off from \\\"them\\\"\"]}")]
    public async Task WithoutTheOtherNodesItIsReadyAsFarAsTheSettingsSay(BusReadiness readiness, int status, string answer)
    {
        var broker = new TroubledBroker { Trouble = "cut off from \"them\"" };
        await using var host = await PushHost.StartAsync(setup =>
        {
            setup.Options = options => options.Nats.Readiness = readiness;
            setup.Services = broker.Replace;
        });
        await using var client = await host.ConnectAsync(host.Internal);
        Assert.Equal((status, answer), await AskAsync(client, "ready"));
        Assert.Equal((200, "{\"status\":\"alive\"}"), await AskAsync(client, "live"));

        broker.Trouble = null;
        Assert.Equal((200, "{\"status\":\"ready\"}"), await AskAsync(client, "ready"));
    }

    [Fact]
    public async Task ChecksOfTheApplicationJoinIn()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Services = services =>
        {
            // Twice does no harm.
            services.AddRawPush();
            services.AddHealthChecks()
                .AddCheck("database", static () => HealthCheckResult.Unhealthy("the database is away"))
                .AddCheck("disk", static () => HealthCheckResult.Unhealthy(), ["live"]);
        });
        await using var client = await host.ConnectAsync(host.Internal);
        Assert.Equal((503, "{\"status\":\"not ready\",\"reasons\":[\"the database is away\",\"disk\"]}"), await AskAsync(client, "ready"));
        Assert.Equal((503, "{\"status\":\"not alive\",\"reasons\":[\"disk\"]}"), await AskAsync(client, "live"));
    }

    [Fact]
    public async Task AServerThatStopsIsNotReadyAnyMore_WhileItsClientsLeave()
    {
        // Time stands still, so the client that stays keeps the server from going on.
        await using var host = await PushHost.StartAsync(setup => setup.Time = new FakeTimeProvider());
        await using var staying = await host.UpgradeAsync("/channels/a");
        await using var balancer = await host.ConnectAsync(host.Internal);
        Assert.Equal((200, "{\"status\":\"ready\"}"), await AskAsync(balancer, "ready"));
        var stopping = host.StopAsync();
        Assert.Equal(1001, (await staying.ReadFrameAsync()).Status);
        Assert.Equal((503, "{\"status\":\"not ready\",\"reasons\":[\"the server is stopping\"]}"), await AskAsync(balancer, "ready"));
        Assert.Equal((200, "{\"status\":\"alive\"}"), await AskAsync(balancer, "live"));
        await balancer.DisposeAsync();
        await staying.SendAsync(ClientFrames.Close(1001));
        await stopping;
    }

    [Fact]
    public async Task ALoopThatDoesNotTurnIsSeen()
    {
        var time = new FakeTimeProvider();
        await using var host = await PushHost.StartAsync(setup => setup.Time = time);
        var health = host.Get<HealthCheckService>();
        var loop = host.Get<ConnectionLoops>().All[1];
        using var isHeld = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        loop.Shard.Post(() =>
        {
            isHeld.Set();
            mayGoOn.Wait(Patience.Token);
        });
        isHeld.Wait(Patience.Token);
        time.Advance(TimeSpan.FromSeconds(1));
        await SettleAsync(host.Get<ConnectionLoops>().All[0]);
        time.Advance(TimeSpan.FromSeconds(9));
        await SettleAsync(host.Get<ConnectionLoops>().All[0]);
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(Patience.Token)).Status);
        time.Advance(TimeSpan.FromSeconds(1));
        await SettleAsync(host.Get<ConnectionLoops>().All[0]);
        var report = await health.CheckHealthAsync(Patience.Token);
        Assert.Equal((HealthStatus.Unhealthy, "event loop 1 has not turned for 10 s"), (report.Status, report.Entries["rawpush.loops"].Description));

        mayGoOn.Set();
        await host.SettleAsync();
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(Patience.Token)).Status);
    }

    private static Task SettleAsync(ConnectionLoop loop)
    {
        var turned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Shard.Post(turned.SetResult);
        return turned.Task.WaitAsync(Patience.Token);
    }

    private static async Task<(int Status, string Answer)> AskAsync(RawClient client, string what)
    {
        await client.SendAsync(Heads.Get($"/health/{what}"));
        var (head, body) = await client.ReadResponseAsync();
        Assert.Equal("no-store", RawClient.FieldOf(head, "Cache-Control"));
        Assert.Equal("application/json", RawClient.FieldOf(head, "Content-Type"));
        return (int.Parse(head.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture), body);
    }
}
