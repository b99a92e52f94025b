using System.Net.Sockets;
using System.Text;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>Clients that connect, leave at once in every way there is, and come again.</summary>
[Collection(nameof(Siege))]
public sealed class CloseFloodTests
{
    private const int Count = 6000;

    [Fact]
    public async Task ClientsThatComeOnlyToLeaveLeaveNothingBehind()
    {
        await using var siege = await Siege.OfProcessAsync();
        await siege.MeasureUntilAsync(Peers.ManyAsync(Count, i => ComeAndGoAsync(siege.PublicPort, i)));
        siege.AssertGrowth(Count, 32 * 1024);
        await siege.AssertEverybodyHasLeftAsync();
        await using var publisher = await Publisher.ConnectAsync(siege.InternalPort);
        Assert.Equal(0, await publisher.PublishAsync("a", "anybody there?"));
    }

    private static async Task<bool> ComeAndGoAsync(int port, int number)
    {
        string upgrade = Heads.Upgrade("/channels/a");
        byte[] close = ClientFrames.Close(1000);
        using var peer = (number % 6) switch
        {
            0 or 1 or 2 => await Peers.OpenAsync(port, number, upgrade),
            3 => await Peers.OpenAsync(port, number, Heads.Events("/channels/a")),
            _ => await Peers.ConnectAsync(port, number),
        };
        switch (number % 6)
        {
            case 0:
                Assert.True(await Peers.TrySendAsync(peer, close));
                Assert.Equal([0x88, 2, 1000 >> 8, 1000 & 0xFF], await Peers.ReadToEndAsync(peer));
                break;
            case 1:
                Peers.Reset(peer);
                break;
            case 2:
                peer.Shutdown(SocketShutdown.Send);
                Assert.Empty(await Peers.ReadToEndAsync(peer));
                break;
            case 4:
                Assert.True(await Peers.TrySendAsync(peer, (byte[])[.. Encoding.ASCII.GetBytes(upgrade), .. close]));
                Assert.Equal([0x88, 2, 1000 >> 8, 1000 & 0xFF], (await Peers.ReadToEndAsync(peer))[^4..]);
                break;
            default:
                // A reader of events, and one that never spoke: closed by the end of this method.
                break;
        }

        return true;
    }
}
