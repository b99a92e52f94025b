using System.Buffers.Binary;
using System.Net.Sockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>Clients that send pings as fast as they can.</summary>
[Collection(nameof(Siege))]
public sealed class PingFloodTests
{
    private const int Count = 10;
    private const int Pings = 15_000;

    [Fact]
    public async Task AFloodOfPingsIsReadAtTheLimitAndItsLastPingIsAnswered()
    {
        await using var host = await PushHost.StartAsync();
        await using var siege = await Siege.OfHostAsync(host);
        await siege.MeasureUntilAsync(Peers.ManyAsync(Count, async i =>
        {
            using var peer = await Peers.OpenAsync(siege.PublicPort, i, Heads.Upgrade("/channels/a"));
            var reading = ReadPongsAsync(peer);
            Assert.True(await Peers.TrySendAsync(peer, Flood()));
            await reading;
            return true;
        }));
        siege.AssertGrowth(Count, 1024 * 1024);
        Assert.InRange(host.Metrics.Throttled("Messages"), Count, long.MaxValue);
        await siege.AssertEverybodyHasLeftAsync();
    }

    private static byte[] Flood()
    {
        var flood = new List<byte>();
        byte[] number = new byte[4];
        for (int i = 0; i < Pings; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(number, i);
            flood.AddRange(ClientFrames.Ping(number));
        }

        return [.. flood];
    }

    // A pong may answer several pings (RFC 6455 section 5.5.3), but none goes back.
    private static async Task ReadPongsAsync(Socket peer)
    {
        int last = -1;
        while (last < Pings - 1)
        {
            byte[] pong = await Peers.ReadExactlyAsync(peer, 6);
            Assert.Equal([0x8A, 4], pong[..2]);
            int number = BinaryPrimitives.ReadInt32BigEndian(pong.AsSpan(2));
            Assert.InRange(number, last + 1, Pings - 1);
            last = number;
        }
    }
}
