using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.Proxies;

/// <summary>HAProxy asks a server whether it is ready, as <c>docs/proxies.md</c> has it, and sends clients to none that is not.</summary>
public sealed class HealthCheckTests
{
    [Fact]
    public async Task AServerThatIsNotReadyGetsNoClients_UntilItIs()
    {
        var broker = new TroubledBroker();
        await using var host = await PushHost.StartAsync(setup => setup.Services = broker.Replace);
        string server = $"server one {host.Public.Authority}";

        // More often than in the document, but for the first answer not in less time: it has to be compiled.
        await using var proxy = await Proxy.StartAsync(ProxyKind.HAProxy, host.Public, configuration => configuration
            .With(server, $"option httpchk GET /health/ready\n    timeout check 30s\n    {server} check port {host.Internal.Port} inter 100ms"));
        broker.Trouble = "cut off";
        await proxy.WaitForLogAsync("Server rawpush/one is DOWN, reason: Layer7 wrong status, code: 503");
        Assert.StartsWith("HTTP/1.1 503 ", await AskAsync(), StringComparison.Ordinal);

        broker.Trouble = null;
        await proxy.WaitForLogAsync("Server rawpush/one is UP");
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(), StringComparison.Ordinal);

        async Task<string> AskAsync()
        {
            await using var client = await RawClient.ConnectAsync(proxy.Plain.Port);
            await client.SendAsync(Heads.Get("/channels/a"));
            return (await client.ReadResponseAsync()).Head;
        }
    }
}
