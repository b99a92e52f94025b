using System.Buffers.Binary;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Fanout.Tests.Channels;
using RawPush.Protocol;
using RawPush.TestKit;

namespace RawPush.Fanout.Tests.Formats;

public sealed class EntryFormTests
{
    private static readonly byte[] EveryByte = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];

    public static TheoryData<WireFormat> Formats => [.. Enum.GetValues<WireFormat>()];

    public static TheoryData<string> Texts =>
    [
        "",
        "hello",
        "{\"a\": [1, \"two\"]}",
        "\"quoted\" and \\ back",
        "\0\u0001\b\t\n\f\r\u001b\u001f\u007f",
        "line\nline\r\nline\rline\n\n",
        "café 中文 \u2028\u2029\u0085",
        "\U0001F600\U0010FFFF \ufeff\ufffe\uffff\ufffd",
        "<script>&'+</script>",
        string.Concat(Enumerable.Repeat("0123456789", 7_000)),
    ];

    [Theory]
    [InlineData(0, new byte[] { 0 })]
    [InlineData(1, new byte[] { 1 })]
    [InlineData(125, new byte[] { 125 })]
    [InlineData(126, new byte[] { 126, 0, 126 })]
    [InlineData(65_535, new byte[] { 126, 0xFF, 0xFF })]
    [InlineData(65_536, new byte[] { 127, 0, 0, 0, 0, 0, 1, 0, 0 })]
    public void A_raw_form_is_one_unmasked_frame(int length, byte[] lengthField)
    {
        byte[] payload = new byte[length];
        new Random(1).NextBytes(payload);

        Assert.Equal([0x81, .. lengthField, .. payload], CreateEntry(MessageKind.Text, payload).GetForm(WireFormat.WebSocketRaw));
        Assert.Equal([0x82, .. lengthField, .. payload], CreateEntry(MessageKind.Binary, payload).GetForm(WireFormat.WebSocketRaw));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public void A_raw_form_shares_its_bytes_with_the_payload(int length)
    {
        byte[] payload = new byte[length];
        new Random(1).NextBytes(payload);
        var entry = CreateEntry(MessageKind.Binary, payload);
        byte[] form = entry.GetForm(WireFormat.WebSocketRaw);

        Assert.Equal(payload, entry.Payload.ToArray());
        Assert.Equal(form.Length, entry.PayloadBytes);
        Assert.True(length == 0 || form.AsSpan(form.Length - length).Overlaps(entry.Payload, out int offset) && offset == 0);
    }

    [Fact]
    public void An_entry_keeps_its_own_copy_of_the_payload()
    {
        byte[] payload = [1, 2, 3];
        var entry = CreateEntry(MessageKind.Binary, payload);
        payload[0] = 9;
        Assert.Equal([1, 2, 3], entry.Payload.ToArray());
    }

    [Fact]
    public void A_text_envelope_has_channel_id_and_data()
    {
        byte[] form = CreateEntry("hi").GetForm(WireFormat.WebSocketJson);
        const string Body = """{"channel":"a.é","id":"ab-7","data":"hi"}""";
        byte[] body = Encoding.UTF8.GetBytes(Body);
        Assert.Equal([0x81, (byte)body.Length, .. body], form);
    }

    [Fact]
    public void A_binary_envelope_says_that_it_is_base64()
    {
        byte[] form = CreateEntry(MessageKind.Binary, [0xFB, 0xFF, 0]).GetForm(WireFormat.WebSocketJson);
        const string Body = """{"channel":"a.é","id":"ab-7","data":"+/8A","encoding":"base64"}""";
        byte[] body = Encoding.UTF8.GetBytes(Body);
        Assert.Equal([0x81, (byte)body.Length, .. body], form);
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_client_reads_the_text_out_of_its_envelope(string text)
    {
        using var envelope = ParseEnvelope(CreateEntry(text));
        Assert.Equal(["channel", "id", "data"], envelope.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal("a.é", envelope.RootElement.GetProperty("channel").GetString());
        Assert.Equal("ab-7", envelope.RootElement.GetProperty("id").GetString());
        Assert.Equal(text, envelope.RootElement.GetProperty("data").GetString());
    }

    [Fact]
    public void A_client_reads_the_bytes_out_of_their_envelope()
    {
        for (int length = 0; length <= EveryByte.Length; length++)
        {
            byte[] payload = EveryByte[..length];
            using var envelope = ParseEnvelope(CreateEntry(MessageKind.Binary, payload));
            Assert.Equal(payload, envelope.RootElement.GetProperty("data").GetBytesFromBase64());
            Assert.Equal("base64", envelope.RootElement.GetProperty("encoding").GetString());
        }
    }

    [Fact]
    public void What_is_not_escaped_in_JSON_is_sent_as_it_came()
    {
        byte[] form = CreateEntry("café <b>&'").GetForm(WireFormat.WebSocketJson);
        Assert.Contains("café <b>&'", Encoding.UTF8.GetString(form), StringComparison.Ordinal);
    }

    [Fact]
    public void An_envelope_of_any_size_follows_one_of_any_other()
    {
        // The thread's buffer grows, is dropped and starts again.
        foreach (int length in new[] { 10, 100_000, 10, 16_384, 65_500, 65_536, 1_000_000, 0, 300 })
        {
            string text = new('y', length);
            using var envelope = ParseEnvelope(CreateEntry(text));
            Assert.Equal(text, envelope.RootElement.GetProperty("data").GetString());
        }
    }

    [Fact]
    public void An_event_has_id_and_data()
    {
        Assert.Equal("id: ab-7\ndata: hi\n\n", Encoding.UTF8.GetString(CreateEntry("hi").GetForm(WireFormat.ServerSentEvent)));
        Assert.Equal("id: ab-7\ndata: +/8A\n\n", Encoding.UTF8.GetString(CreateEntry(MessageKind.Binary, [0xFB, 0xFF, 0]).GetForm(WireFormat.ServerSentEvent)));
    }

    [Fact]
    public void A_named_event_has_the_channel_as_well()
    {
        Assert.Equal("id: ab-7\nevent: a.é\ndata: hi\n\n", Encoding.UTF8.GetString(CreateEntry("hi").GetForm(WireFormat.ServerSentEventNamed)));
    }

    [Fact]
    public void A_line_is_the_envelope_and_its_end()
    {
        byte[] frame = CreateEntry("two\nlines").GetForm(WireFormat.WebSocketJson);
        Assert.Equal([.. frame[2..], (byte)'\n'], CreateEntry("two\nlines").GetForm(WireFormat.JsonLine));
        Assert.Equal(1, CreateEntry("two\nlines").GetForm(WireFormat.JsonLine).Count(value => value == '\n'));
    }

    [Fact]
    public void An_envelope_has_the_event_and_the_key()
    {
        var traits = new MessageTraits { EventName = "né\"w", Key = "k", IdempotencyKey = "secret", Expires = TimeSpan.FromSeconds(1) };
        byte[] form = CreateEntry(MessageKind.Text, "hi"u8.ToArray(), traits).GetForm(WireFormat.JsonLine);
        Assert.Equal("""{"channel":"a.é","id":"ab-7","event":"né\"w","key":"k","data":"hi"}""" + "\n", Encoding.UTF8.GetString(form));
    }

    [Fact]
    public void A_name_of_its_own_goes_before_the_channels()
    {
        var entry = CreateEntry(MessageKind.Text, "hi"u8.ToArray(), new MessageTraits { EventName = "new" });
        Assert.Equal("id: ab-7\nevent: new\ndata: hi\n\n", Encoding.UTF8.GetString(entry.GetForm(WireFormat.ServerSentEvent)));
        Assert.Equal("id: ab-7\nevent: new\ndata: hi\n\n", Encoding.UTF8.GetString(entry.GetForm(WireFormat.ServerSentEventNamed)));
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void An_event_stream_client_reads_the_text(string text)
    {
        string lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        AssertEvent(CreateEntry(text), WireFormat.ServerSentEvent, "message", lines);
        AssertEvent(CreateEntry(text), WireFormat.ServerSentEventNamed, "a.é", lines);
    }

    [Fact]
    public void An_event_stream_client_reads_bytes_as_base64()
    {
        for (int length = 0; length <= EveryByte.Length; length++)
        {
            var entry = CreateEntry(MessageKind.Binary, EveryByte[..length]);
            string base64 = Convert.ToBase64String(EveryByte, 0, length);
            AssertEvent(entry, WireFormat.ServerSentEvent, "message", base64);
            AssertEvent(entry, WireFormat.ServerSentEventNamed, "a.é", base64);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_form_is_made_once_also_when_threads_race_for_it(WireFormat format)
    {
        const int Threads = 8;
        const int Entries = 200;
        var entries = Enumerable.Range(0, Entries).Select(i => CreateEntry($"text {i}")).ToArray();
        var seen = new byte[Threads][][];
        using var start = new Barrier(Threads);
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            start.SignalAndWait();
            seen[number] = [.. entries.Select(entry => entry.GetForm(format))];
        })).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        for (int i = 0; i < Entries; i++)
        {
            Assert.All(seen, forms => Assert.Same(entries[i].GetForm(format), forms[i]));
        }
    }

    private static Entry CreateEntry(string text) => CreateEntry(MessageKind.Text, Encoding.UTF8.GetBytes(text));

    private static Entry CreateEntry(MessageKind kind, byte[] payload, MessageTraits? traits = null) =>
        TestEntry.Create(ChannelName.Parse("a.é"), new PushMessage(kind, payload, traits), new MessageId(0xab, 7));

    /// <summary>Takes the frame apart by hand: text, whole, unmasked, its length in the shortest form.</summary>
    private static JsonDocument ParseEnvelope(Entry entry)
    {
        byte[] form = entry.GetForm(WireFormat.WebSocketJson);
        Assert.Equal(0x81, form[0]);
        int header = form[1] switch { 126 => 4, 127 => 10, _ => 2 };
        long length = form[1] switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(form.AsSpan(2)),
            127 => BinaryPrimitives.ReadInt64BigEndian(form.AsSpan(2)),
            var small => small,
        };
        Assert.Equal(form.Length - header, length);
        Assert.Equal(length switch { <= 125 => 2, <= 65_535 => 4, _ => 10 }, header);
        return JsonDocument.Parse(form.AsMemory(header));
    }

    private static void AssertEvent(Entry entry, WireFormat format, string type, string data)
    {
        byte[] form = entry.GetForm(format);
        var reference = SseReferenceParser.Parse(form);
        Assert.Equal(new SseReferenceEvent("ab-7", type, data), Assert.Single(reference.Events));
        Assert.True(reference.IsComplete);

        var item = Assert.Single(SseParser.Create(new MemoryStream(form)).Enumerate());
        Assert.Equal((type, "ab-7", data), (item.EventType, item.EventId, item.Data));
    }
}
