using System.Buffers.Binary;
using System.Security.Cryptography;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>Messages in more pieces than anybody needs.</summary>
[Collection(nameof(Siege))]
public sealed class FragmentFloodTests
{
    private const int Count = 10;

    [Fact]
    public async Task AMillionEmptyFragmentsEndTheirClientAtTheLimit()
    {
        await using var siege = await Siege.OfProcessAsync();
        byte[] fragment = ClientFrames.Frame(Opcode.Continuation, [], isFinal: false);
        byte[] thousand = [.. Enumerable.Range(0, 1000).SelectMany(_ => fragment)];
        await siege.MeasureUntilAsync(Peers.ManyAsync(Count, async i =>
        {
            using var peer = await Peers.OpenAsync(siege.PublicPort, i, Heads.Upgrade("/echo"));
            var reading = Peers.ReadToEndAsync(peer);
            Assert.True(await Peers.TrySendAsync(peer, ClientFrames.Frame(Opcode.Binary, [], isFinal: false)));
            for (int sent = 0; sent < 1000 && await Peers.TrySendAsync(peer, thousand); sent++)
            {
            }

            byte[] close = await reading;
            Assert.Equal((0x88, 1008), (close[0], BinaryPrimitives.ReadUInt16BigEndian(close.AsSpan(2))));
            return true;
        }));
        siege.AssertGrowth(Count, 1024 * 1024);
        await siege.AssertEverybodyHasLeftAsync();
    }

    [Fact]
    public async Task ALegalMessageInVeryManyFragmentsArrives()
    {
        await using var siege = await Siege.OfProcessAsync();
        byte[] payload = RandomNumberGenerator.GetBytes(4 * 1024 * 1024);
        byte[][] parts = [.. payload.Chunk(64), []];
        Assert.Equal(65_537, parts.Length);
        await using var client = await RawClient.ConnectAsync(siege.PublicPort);
        await client.SendAsync(Heads.Upgrade("/echo"));
        await client.ReadHeadAsync();
        var sending = client.SendAsync(ClientFrames.Fragments(Opcode.Binary, parts));
        await siege.MeasureUntilAsync(sending);
        var echoed = await client.ReadFrameAsync();
        Assert.True(payload.AsSpan().SequenceEqual(echoed.Payload));
    }
}
