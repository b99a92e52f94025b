using RawPush.Server.Tests.Fixture;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>Subscribers that read nothing of what they have asked for.</summary>
[Collection(nameof(Siege))]
public sealed class NeverReadTests
{
    private const int Count = 200;

    [Fact]
    public async Task WhoNeverReadsIsLetGoWhenTheLogHasPassedIt()
    {
        await using var siege = await Siege.OfProcessAsync("RawPush:LogEntriesMax=64", "RawPush:LogBytesMax=1048576", "RawPush:CloseTimeout=00:00:01");
        var peers = await Peers.ManyAsync(
            Count, i => Peers.OpenAsync(siege.PublicPort, i, i % 2 == 0 ? Heads.Upgrade("/channels/flood") : Heads.Events("/channels/flood"), receiveBytes: 4096));
        await siege.MeasureUntilAsync(PublishUntilNobodyIsLeftAsync(siege.InternalPort));
        siege.AssertGrowth(Count, 256 * 1024);
        await siege.AssertEverybodyHasLeftAsync();
        Array.ForEach(peers, peer => peer.Dispose());
    }

    private static async Task PublishUntilNobodyIsLeftAsync(int internalPort)
    {
        await using var publisher = await Publisher.ConnectAsync(internalPort);
        string message = new('x', 32 * 1024);
        var patience = Patience.Token;
        int left = Count;
        while (left > 0)
        {
            Assert.False(patience.IsCancellationRequested, $"{left} of {Count} are still subscribed.");
            left = await publisher.PublishAsync("flood", message);
        }
    }
}
