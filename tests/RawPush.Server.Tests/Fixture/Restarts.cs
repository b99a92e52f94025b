namespace RawPush.Server.Tests.Fixture;

/// <summary>For clients that come back by themselves: a server where another one was.</summary>
internal static class Restarts
{
    /// <summary>Stops the host and starts another one at its addresses.</summary>
    public static async Task<PushHost> RestartAsync(this PushHost host)
    {
        await host.StopAsync();
        return await host.StartSuccessorAsync();
    }

    /// <summary>Starts another host at the addresses of one that has stopped.</summary>
    public static Task<PushHost> StartSuccessorAsync(this PushHost host) => PushHost.StartAsync(setup => setup.Options = options =>
    {
        options.Public = host.Public.Authority;
        options.Internal = host.Internal.Authority;
    });
}
