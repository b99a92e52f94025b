using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Tests.Formats;

public sealed class GapFormTests
{
    private const string Json = """{"channel":"a.*","from":"ab-7","to":"ab-9","reason":"slow"}""";

    private static readonly GapNotice Gap = new(ChannelFilter.Parse("a.*"), new MessageId(0xab, 7), new MessageId(0xab, 9), GapReason.Slow)
    {
        Position = new MessageId(0xab, 8),
    };

    [Theory]
    [InlineData(WireFormat.ServerSentEvent)]
    [InlineData(WireFormat.ServerSentEventNamed)]
    [InlineData(WireFormat.ServerSentEventJson)]
    internal void It_is_an_event_whose_id_is_where_to_go_on(WireFormat format)
    {
        Assert.Equal($"id: ab-8\nevent: rawpush.gap\ndata: {Json}\n\n", Encoding.UTF8.GetString(EntryEncoder.Encode(Gap, format)));
    }

    [Fact]
    public void It_is_a_text_message_with_a_gap_in_it()
    {
        byte[] body = Encoding.UTF8.GetBytes($$"""{"gap":{{Json}},"id":"ab-8"}""");
        Assert.Equal([0x81, (byte)body.Length, .. body], EntryEncoder.Encode(Gap, WireFormat.WebSocketJson));
    }

    [Fact]
    public void It_is_a_line() => Assert.Equal($$"""{"gap":{{Json}},"id":"ab-8"}""" + "\n", Encoding.UTF8.GetString(EntryEncoder.Encode(Gap, WireFormat.JsonLine)));

    [Fact]
    public void It_is_an_object_by_itself() => Assert.Equal(Json, Encoding.UTF8.GetString(EntryEncoder.Encode(Gap)));

    [Theory]
    [InlineData(GapReason.Retention, "retention")]
    [InlineData(GapReason.Slow, "slow")]
    [InlineData(GapReason.Epoch, "epoch")]
    public void It_says_why_and_leaves_out_a_channel_that_it_has_not(GapReason reason, string text)
    {
        string json = Encoding.UTF8.GetString(EntryEncoder.Encode(Gap with { Channel = default, Reason = reason }));
        Assert.Equal($$"""{"from":"ab-7","to":"ab-9","reason":"{{text}}"}""", json);
    }

    [Fact]
    public void A_raw_message_has_no_place_for_it() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => EntryEncoder.Encode(Gap, WireFormat.WebSocketRaw));
}
