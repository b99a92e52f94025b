using Microsoft.Extensions.Time.Testing;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Connections;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>Clients that announce a long message and send it a byte at a time. The clock is the test's, since the grace they have is ten seconds.</summary>
[Collection(nameof(Siege))]
public sealed class SlowFrameTests
{
    private const int Count = 500;

    [Fact]
    public async Task AMessageThatComesAByteAtATimeEndsItsClient()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Time = new FakeTimeProvider());
        await using var siege = await Siege.OfHostAsync(host);
        var peers = await Peers.ManyAsync(Count, i => Peers.OpenAsync(siege.PublicPort, i, Heads.Upgrade("/echo")));
        byte[] header = ClientFrames.Header(Opcode.Binary, 1_000_000);
        foreach (var peer in peers)
        {
            Assert.True(await Peers.TrySendAsync(peer, header));
        }

        for (int second = 1; second <= 10; second++)
        {
            foreach (var peer in peers)
            {
                Assert.True(await Peers.TrySendAsync(peer, new byte[1]));
            }

            await HeldAsync(host, second * Count);
            await siege.Honest.RoundAsync(2);
            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        await siege.MeasureAsync("during");
        siege.AssertGrowth(Count, 64 * 1024);
        Assert.Equal(0, host.Metrics.EndedInAll);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        foreach (var peer in peers)
        {
            byte[] close = await Peers.ReadExactlyAsync(peer, 4);
            Assert.Equal([0x88, 1008 >> 8, 1008 & 0xFF], [close[0], close[2], close[3]]);
            peer.Dispose();
        }

        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        await host.Metrics.WaitForEndedAsync("MessageTooSlow", Count);
        await siege.AssertEverybodyHasLeftAsync();
    }

    private static async Task HeldAsync(PushHost host, int bytes)
    {
        var patience = Patience.Token;
        while (host.Get<ConnectionLoops>().HeldBytes != bytes)
        {
            Assert.False(patience.IsCancellationRequested, $"The server holds {host.Get<ConnectionLoops>().HeldBytes} of {bytes} bytes.");
            await host.SettleAsync();
        }
    }
}
