using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Transport;

/// <summary>Descriptors are the whole process's: no other test may open or close any.</summary>
[CollectionDefinition(nameof(DescriptorTests), DisableParallelization = true)]
[Collection(nameof(DescriptorTests))]
public sealed class DescriptorTests
{
    [Fact]
    public async Task AHostThatStopsGivesEveryDescriptorBack()
    {
        // Whatever is made once – the runtime's own epoll sets, timers – is there after the first.
        await RunOnceAsync();
        int before = OpenDescriptors();
        for (int i = 0; i < 3; i++)
        {
            await RunOnceAsync();
        }

        // Each host has an epoll set and an eventfd for each of its shards, listeners and clients.
        Assert.InRange(OpenDescriptors() - before, int.MinValue, 2);

        static async Task RunOnceAsync()
        {
            var clients = new List<RawClient>();
            await using (var host = await LoopHost.StartAsync())
            {
                for (int i = 0; i < 10; i++)
                {
                    clients.Add(await host.UpgradeAsync("/channels/a"));
                }
            }

            // Only now: what was open at the server had to go with the host.
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    private static int OpenDescriptors() => Directory.GetFiles("/proc/self/fd").Length;
}
