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

/// <summary>Makes an entry's encoded forms. Runs once per entry and format, however many subscribers there are.</summary>
internal static class EntryEncoder
{
    // Payloads go out as they came in: what is legal UTF-8 in a JSON string needs no \u escapes, and no browser parses this as HTML.
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private const int KeptBytesMax = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _jsonBuffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    public static byte[] Encode(Entry entry, WireFormat format) => format switch
    {
        WireFormat.WebSocketJson => EncodeJson(entry),
        WireFormat.ServerSentEvent => EncodeEvent(entry, []),
        WireFormat.ServerSentEventNamed => EncodeEvent(entry, Encoding.UTF8.GetBytes(entry.Channel.Value)),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "This form is not made by encoding."),
    };

    private static byte[] EncodeEvent(Entry entry, ReadOnlySpan<byte> eventName)
    {
        Span<byte> idBytes = stackalloc byte[MessageId.LengthMax];
        entry.Id.TryFormat(idBytes, out int idLength);
        var id = idBytes[..idLength];
        if (entry.Kind == MessageKind.Text)
        {
            return EncodeEvent(id, eventName, entry.Payload);
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(Base64.GetMaxEncodedToUtf8Length(entry.Payload.Length));
        Base64.EncodeToUtf8(entry.Payload, rented, out _, out int written);
        byte[] form = EncodeEvent(id, eventName, rented.AsSpan(0, written));
        ArrayPool<byte>.Shared.Return(rented);
        return form;
    }

    private static byte[] EncodeEvent(ReadOnlySpan<byte> id, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> data)
    {
        byte[] form = GC.AllocateUninitializedArray<byte>(SseEventWriter.GetEventLength(id, eventName, data));
        SseEventWriter.WriteEvent(form, id, eventName, data);
        return form;
    }

    private static byte[] EncodeJson(Entry entry)
    {
        // A buffer and a writer per thread.
        var buffer = _jsonBuffer ??= new ArrayBufferWriter<byte>(KeptBytesMax / 4);
        var writer = _writer ??= new Utf8JsonWriter(buffer, JsonOptions);
        buffer.ResetWrittenCount();
        writer.Reset(buffer);
        WriteEnvelope(writer, entry);
        writer.Flush();

        var body = buffer.WrittenSpan;
        int headerLength = FrameHeaderWriter.GetLength(body.Length);
        byte[] form = GC.AllocateUninitializedArray<byte>(headerLength + body.Length);
        FrameHeaderWriter.Write(form, Opcode.Text, body.Length);
        body.CopyTo(form.AsSpan(headerLength));
        if (buffer.Capacity > KeptBytesMax)
        {
            // What a large message has made large is not kept, nor is the writer, which holds it as well.
            _jsonBuffer = null;
            _writer = null;
        }

        return form;
    }

    private static void WriteEnvelope(Utf8JsonWriter writer, Entry entry)
    {
        Span<byte> id = stackalloc byte[MessageId.LengthMax];
        entry.Id.TryFormat(id, out int idLength);
        writer.WriteStartObject();
        writer.WriteString("channel"u8, entry.Channel.Value);
        writer.WriteString("id"u8, id[..idLength]);
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
}
