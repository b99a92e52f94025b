using System.Text;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>Connections that take their time for a request head, or never begin one.</summary>
[Collection(nameof(Siege))]
public sealed class SlowHeadTests
{
    private const int Count = 1000;

    [Fact]
    public async Task AHeadThatComesAByteAtATimeAndThenStopsGets408AtItsDeadline()
    {
        await using var siege = await Siege.OfProcessAsync("RawPush:HandshakeTimeout=00:00:03");
        var peers = await Peers.ManyAsync(Count, i => Peers.ConnectAsync(siege.PublicPort, i));
        byte[] head = Encoding.ASCII.GetBytes(Heads.Upgrade("/channels/a"));
        for (int i = 0; i < 6; i++)
        {
            foreach (var peer in peers)
            {
                await Peers.TrySendAsync(peer, head.AsMemory(i, 1));
            }

            await siege.Honest.RoundAsync(5);
        }

        await siege.MeasureAsync("during");
        siege.AssertGrowth(Count, 64 * 1024);
        foreach (var peer in peers)
        {
            Assert.StartsWith("HTTP/1.1 408 ", Encoding.ASCII.GetString(await Peers.ReadToEndAsync(peer)), StringComparison.Ordinal);
            peer.Dispose();
        }

        await siege.AssertEverybodyHasLeftAsync();
    }

    [Fact]
    public async Task ConnectionsThatNeverSpeakEndAtTheDeadlineWithoutAWord()
    {
        await using var siege = await Siege.OfProcessAsync("RawPush:HandshakeTimeout=00:00:03");
        var peers = await Peers.ManyAsync(Count, i => Peers.ConnectAsync(siege.PublicPort, i));
        await siege.MeasureAsync("during");
        siege.AssertGrowth(Count, 64 * 1024);
        foreach (var peer in peers)
        {
            Assert.Empty(await Peers.ReadToEndAsync(peer));
            peer.Dispose();
        }

        await siege.AssertEverybodyHasLeftAsync();
    }
}
