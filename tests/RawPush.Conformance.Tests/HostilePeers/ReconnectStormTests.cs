using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>Ten thousand clients that are cut at one moment and come back at the next.</summary>
[Collection(nameof(Siege))]
public sealed class ReconnectStormTests
{
    private const int Count = 10_000;

    [Fact]
    public async Task AllComeBackAtOnceAndEachGetsTheNextMessage()
    {
        await using var siege = await Siege.OfProcessAsync();
        await using var publisher = await Publisher.ConnectAsync(siege.InternalPort);
        var first = await Peers.ManyAsync(Count, OpenAsync);
        await siege.MeasureAsync("during");
        long start = Stopwatch.GetTimestamp();
        Array.ForEach(first, Peers.Reset);
        var storm = Peers.ManyAsync(Count, OpenAsync);
        await siege.MeasureUntilAsync(storm);
        var peers = await storm;
        Siege.Print($"         {Count} cut and back in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        siege.AssertGrowth(Count, 32 * 1024);

        // Those that were cut are gone when the last of them is: until then they are counted as well.
        var patience = Patience.Token;
        while (await publisher.PublishAsync("storm", "back?") != Count)
        {
            Assert.False(patience.IsCancellationRequested, "Those that were cut are still subscribed.");
        }

        byte[] expected = [0x81, 5, .. Encoding.ASCII.GetBytes("back?")];
        foreach (var peer in peers)
        {
            Assert.Equal(expected, await Peers.ReadExactlyAsync(peer, expected.Length));
            peer.Dispose();
        }

        await publisher.DisposeAsync();
        await siege.AssertEverybodyHasLeftAsync();

        Task<Socket> OpenAsync(int number) => Peers.OpenAsync(siege.PublicPort, number, Heads.Upgrade("/channels/storm"));
    }
}
