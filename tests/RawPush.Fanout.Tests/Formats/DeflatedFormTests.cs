using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Fanout.Tests.Channels;
using RawPush.Protocol;
using RawPush.TestKit;

namespace RawPush.Fanout.Tests.Formats;

public sealed class DeflatedFormTests
{
    private const int BytesMin = 256;
    private const byte FinalCompressedText = 0xC1;
    private const byte FinalCompressedBinary = 0xC2;

    private static readonly string LongText = string.Concat(Enumerable.Repeat("{\"price\":1.25,\"size\":100},", 40));

    [Theory]
    [InlineData(MessageKind.Text, FinalCompressedText)]
    [InlineData(MessageKind.Binary, FinalCompressedBinary)]
    internal void A_raw_form_is_one_frame_with_the_reserved_bit_of_the_extension(MessageKind kind, byte first)
    {
        byte[] form = CreateEntry(kind, Encoding.UTF8.GetBytes(LongText)).GetForm(WireFormat.WebSocketRawDeflated);

        Assert.Equal(first, form[0]);
        Assert.InRange(form.Length, 1, LongText.Length / 4);
        Assert.Equal(LongText, Encoding.UTF8.GetString(Compressed.Inflate(form.AsSpan(form[1] == 126 ? 4 : 2))));
    }

    [Fact]
    public void An_envelope_is_the_same_deflated()
    {
        var entry = CreateEntry(MessageKind.Text, Encoding.UTF8.GetBytes(LongText));
        byte[] plain = entry.GetForm(WireFormat.WebSocketJson);
        byte[] deflated = entry.GetForm(WireFormat.WebSocketJsonDeflated);

        Assert.Equal(FinalCompressedText, deflated[0]);
        Assert.Equal(plain.AsSpan(4).ToArray(), Compressed.Inflate(deflated.AsSpan(deflated[1] == 126 ? 4 : 2)));
    }

    [Fact]
    public void A_form_is_made_once()
    {
        var entry = CreateEntry(MessageKind.Text, Encoding.UTF8.GetBytes(LongText));

        Assert.Same(entry.GetForm(WireFormat.WebSocketRawDeflated), entry.GetForm(WireFormat.WebSocketRawDeflated));
        Assert.NotSame(entry.GetForm(WireFormat.WebSocketRaw), entry.GetForm(WireFormat.WebSocketRawDeflated));
    }

    [Theory]
    [InlineData(BytesMin - 1, true)]
    [InlineData(BytesMin, false)]
    public void A_short_message_has_one_form_for_both(int length, bool isPlain)
    {
        var entry = CreateEntry(MessageKind.Text, new byte[length]);

        Assert.Equal(isPlain, entry.GetForm(WireFormat.WebSocketRaw) == entry.GetForm(WireFormat.WebSocketRawDeflated));
    }

    [Fact]
    public void A_message_that_cannot_be_deflated_has_one_form_for_both()
    {
        byte[] noise = new byte[10_000];
        new Random(7692).NextBytes(noise);
        var entry = CreateEntry(MessageKind.Binary, noise);

        Assert.Same(entry.GetForm(WireFormat.WebSocketRaw), entry.GetForm(WireFormat.WebSocketRawDeflated));
    }

    [Fact]
    public void A_namespace_that_does_not_compress_has_one_form_for_both()
    {
        var entry = CreateEntry(MessageKind.Text, Encoding.UTF8.GetBytes(LongText), compresses: false);

        Assert.Same(entry.GetForm(WireFormat.WebSocketRaw), entry.GetForm(WireFormat.WebSocketRawDeflated));
        Assert.Same(entry.GetForm(WireFormat.WebSocketJson), entry.GetForm(WireFormat.WebSocketJsonDeflated));
    }

    [Fact]
    public void The_budget_counts_each_form_once()
    {
        var budget = new MemoryBudget(long.MaxValue);
        var state = CreateNamespace(compresses: true, budget);
        var shared = CreateEntry(MessageKind.Text, new byte[10], state);
        shared.AddHolder();
        long before = budget.LogBytes;

        shared.GetForm(WireFormat.WebSocketRawDeflated);
        Assert.Equal(before, budget.LogBytes);

        int json = shared.GetForm(WireFormat.WebSocketJsonDeflated).Length;
        Assert.Equal(before + json, budget.LogBytes);

        shared.RemoveHolder();
        Assert.Equal(0, budget.LogBytes);
    }

    private static Entry CreateEntry(MessageKind kind, byte[] payload, bool compresses = true) =>
        CreateEntry(kind, payload, CreateNamespace(compresses, new MemoryBudget(long.MaxValue)));

    private static Entry CreateEntry(MessageKind kind, byte[] payload, NamespaceState state) =>
        TestEntry.Create(ChannelName.Parse("a"), new PushMessage(kind, payload), new MessageId(1, 1), state);

    private static NamespaceState CreateNamespace(bool compresses, MemoryBudget budget) => new(
        new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), Compresses = compresses }, new ChannelLimits { CompressionBytesMin = BytesMin }, budget, TimeProvider.System);
}
