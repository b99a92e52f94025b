using System.Buffers;
using RawPush.Protocol.Http;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.Http;

/// <summary>Asserts that no way of cutting a head changes what the parser makes of it.</summary>
internal static class HeadCuts
{
    /// <summary>Parses <paramref name="wire"/> whole and in every other way, and returns the one outcome they share.</summary>
    public static HeadOutcome AssertIndifferent(byte[] wire, RequestHeadLimits limits, bool declines = false)
    {
        HeadOutcome whole = HeadOutcome.Of(limits, declines, new ReadOnlySequence<byte>(wire));

        for (int cut = 0; cut <= wire.Length; cut++)
        {
            var prefix = new ReadOnlySequence<byte>(wire, 0, cut);
            ReadOnlySequence<byte> split = SplitSequence.At(wire, cut);
            Assert.Equal(whole, HeadOutcome.Of(limits, declines, split));
            Assert.Equal(whole, HeadOutcome.Of(limits, declines, prefix, new ReadOnlySequence<byte>(wire)));
            Assert.Equal(whole, HeadOutcome.Of(limits, declines, prefix, split));
        }

        Assert.Equal(whole, HeadOutcome.Of(limits, declines, SplitSequence.EveryByte(wire)));
        Assert.Equal(whole, HeadOutcome.Of(limits, declines, SplitSequence.Every(7, wire)));
        Assert.Equal(whole, HeadOutcome.Of(limits, declines, ByteByByte(wire)));
        return whole;
    }

    /// <summary>The head as it grows, one byte longer each time.</summary>
    public static ReadOnlySequence<byte>[] ByteByByte(byte[] wire) =>
        [.. Enumerable.Range(1, wire.Length).Select(length => new ReadOnlySequence<byte>(wire, 0, length))];
}
