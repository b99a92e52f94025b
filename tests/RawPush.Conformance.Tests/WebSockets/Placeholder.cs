using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.WebSockets;

public sealed class Placeholder
{
    [Fact]
    public async Task Starts()
    {
        await using var host = await PushHost.StartAsync();
        Assert.NotNull(host);
    }
}
