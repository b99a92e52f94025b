namespace RawPush.Server.Tests.Fixture;

public sealed class PushHostTests
{
    [Fact]
    public async Task TheHostServesTheApplicationsRoutesAndItsOwn()
    {
        await using var host = await PushHost.StartAsync();
        Assert.Equal(PushHost.Hello, await host.Http.GetStringAsync("/hello", Patience.Token));
        await using var client = await host.UpgradeAsync("/channels/a");
        await host.PublishAsync("a", "x");
        Assert.Equal("x", (await client.ReadFrameAsync()).Text);
    }
}
