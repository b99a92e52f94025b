using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Protocol;
using RawPush.Protocol.ServerSentEvents;
using RawPush.Protocol.WebSockets;

namespace RawPush.Fanout.Formats;

/// <summary>Makes an entry's encoded forms, once per entry and format, however many subscribers there are; and gap notices, one for each who has a gap.</summary>
internal static class EntryEncoder
{
    /// <summary>The name of the event that tells of a gap.</summary>
    private const string GapEvent = "rawpush.gap";

    // Payloads go out as they came in: what is legal UTF-8 in a JSON string needs no \u escapes, and no browser parses this as HTML.
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private const int KeptBytesMax = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _jsonBuffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    public static byte[] Encode(Entry entry, WireFormat format) => format switch
    {
        WireFormat.WebSocketJson => EncodeJson(entry, WriteEnvelope, FrameJson),
        WireFormat.JsonLine => EncodeJson(entry, WriteEnvelope, EndLine),
        WireFormat.WebSocketRawDeflated => FrameDeflater.Deflate(entry.GetForm(WireFormat.WebSocketRaw), entry.CompressionBytesMin),
        WireFormat.WebSocketJsonDeflated => FrameDeflater.Deflate(entry.GetForm(WireFormat.WebSocketJson), entry.CompressionBytesMin),
        WireFormat.ServerSentEvent => EncodeEvent(entry, entry.Traits?.EventName),
        WireFormat.ServerSentEventJson => EncodeEvent(entry.Id, [], EncodeJson(entry, WriteEnvelope, static json => json.ToArray())),
        WireFormat.ServerSentEventNamed => EncodeEvent(entry, entry.Traits?.EventName ?? entry.Channel.Value),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "This form is not made by encoding."),
    };

    /// <summary>A gap notice on a wire that has a place for one.</summary>
    public static byte[] Encode(in GapNotice gap, WireFormat format) => format switch
    {
        WireFormat.WebSocketJson or WireFormat.WebSocketJsonDeflated => EncodeJson(gap, WriteGapEnvelope, FrameJson),
        WireFormat.JsonLine => EncodeJson(gap, WriteGapEnvelope, EndLine),
        WireFormat.ServerSentEvent or WireFormat.ServerSentEventNamed or WireFormat.ServerSentEventJson =>
            EncodeEvent(gap.Position, Encoding.UTF8.GetBytes(GapEvent), Encode(gap)),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "This format has no place for a gap notice."),
    };

    /// <summary>What a gap notice says, as a JSON object.</summary>
    public static byte[] Encode(in GapNotice gap) => EncodeJson(gap, WriteGap, static json => json.ToArray());

    private static byte[] EncodeEvent(Entry entry, string? eventName)
    {
        byte[] name = eventName is null ? [] : Encoding.UTF8.GetBytes(eventName);
        if (entry.Kind == MessageKind.Text)
        {
            return EncodeEvent(entry.Id, name, entry.Payload);
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(Base64.GetMaxEncodedToUtf8Length(entry.Payload.Length));
        Base64.EncodeToUtf8(entry.Payload, rented, out _, out int written);
        byte[] form = EncodeEvent(entry.Id, name, rented.AsSpan(0, written));
        ArrayPool<byte>.Shared.Return(rented);
        return form;
    }

    private static byte[] EncodeEvent(MessageId position, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> data)
    {
        Span<byte> idBytes = stackalloc byte[MessageId.LengthMax];
        position.TryFormat(idBytes, out int idLength);
        var id = idBytes[..idLength];
        byte[] form = GC.AllocateUninitializedArray<byte>(SseEventWriter.GetEventLength(id, eventName, data));
        SseEventWriter.WriteEvent(form, id, eventName, data);
        return form;
    }

    private static byte[] EncodeJson<T>(T value, Action<Utf8JsonWriter, T> write, Func<ReadOnlySpan<byte>, byte[]> wrap)
    {
        // A buffer and a writer per thread.
        var buffer = _jsonBuffer ??= new ArrayBufferWriter<byte>(KeptBytesMax / 4);
        var writer = _writer ??= new Utf8JsonWriter(buffer, JsonOptions);
        buffer.ResetWrittenCount();
        writer.Reset(buffer);
        write(writer, value);
        writer.Flush();

        byte[] form = wrap(buffer.WrittenSpan);
        if (buffer.Capacity > KeptBytesMax)
        {
            // What a large message has made large is not kept, nor is the writer, which holds it as well.
            _jsonBuffer = null;
            _writer = null;
        }

        return form;
    }

    private static byte[] FrameJson(ReadOnlySpan<byte> json)
    {
        int headerLength = FrameHeaderWriter.GetLength(json.Length);
        byte[] frame = GC.AllocateUninitializedArray<byte>(headerLength + json.Length);
        FrameHeaderWriter.Write(frame, Opcode.Text, json.Length);
        json.CopyTo(frame.AsSpan(headerLength));
        return frame;
    }

    private static byte[] EndLine(ReadOnlySpan<byte> json) => [.. json, (byte)'\n'];

    private static void WriteEnvelope(Utf8JsonWriter writer, Entry entry)
    {
        writer.WriteStartObject();
        writer.WriteString("channel"u8, entry.Channel.Value);
        WriteId(writer, "id"u8, entry.Id);
        WriteIfAny(writer, "event"u8, entry.Traits?.EventName);
        WriteIfAny(writer, "key"u8, entry.Traits?.Key);
        if (entry.Kind == MessageKind.Text)
        {
            writer.WriteString("data"u8, entry.Payload);
        }
        else
        {
            writer.WriteBase64String("data"u8, entry.Payload);
            writer.WriteString("encoding"u8, "base64"u8);
        }

        writer.WriteEndObject();
    }

    private static void WriteGapEnvelope(Utf8JsonWriter writer, GapNotice gap)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("gap"u8);
        WriteGap(writer, gap);
        WriteId(writer, "id"u8, gap.Position);
        writer.WriteEndObject();
    }

    private static void WriteGap(Utf8JsonWriter writer, GapNotice gap)
    {
        writer.WriteStartObject();
        WriteIfAny(writer, "channel"u8, gap.Channel == default ? null : gap.Channel.Value);
        WriteId(writer, "from"u8, gap.From);
        WriteId(writer, "to"u8, gap.To);
        writer.WriteString("reason"u8, gap.Reason switch { GapReason.Retention => "retention"u8, GapReason.Slow => "slow"u8, GapReason.Bus => "bus"u8, _ => "epoch"u8 });
        writer.WriteEndObject();
    }

    private static void WriteId(Utf8JsonWriter writer, ReadOnlySpan<byte> name, MessageId id)
    {
        Span<byte> text = stackalloc byte[MessageId.LengthMax];
        id.TryFormat(text, out int length);
        writer.WriteString(name, text[..length]);
    }

    private static void WriteIfAny(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }
}
