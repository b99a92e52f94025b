using System.Runtime.CompilerServices;
using RawPush.Fanout.Formats;
using RawPush.Protocol;
using RawPush.Protocol.WebSockets;

namespace RawPush.Fanout.Channels;

/// <summary>A message in a channel's log, with its encoded forms. Immutable but for the forms, each of which is made once, at its first use.</summary>
/// <remarks>
/// <code>
/// _frame:  | WebSocket frame header, 2 to 10 bytes | payload … |
/// </code>
/// The payload is stored behind its own frame header, so the commonest form costs a few bytes and not a second copy.
/// Any thread may read; forms are shared by all subscribers and must not be written to.
/// </remarks>
internal sealed class Entry
{
    private readonly byte[] _frame;
    private readonly int _payloadStart;
    private FormSlots _forms;

    public Entry(ChannelName channel, MessageKind kind, byte[] frame, MessageId id, long previousSequence)
    {
        Channel = channel;
        Kind = kind;
        Id = id;
        PreviousSequence = previousSequence;
        _frame = frame;
        _payloadStart = PayloadStartOf(frame);
    }

    public ChannelName Channel { get; }

    public MessageKind Kind { get; }

    public MessageId Id { get; }

    /// <summary>Sequence of the message before this one in the same channel; 0 where this node knows of none.</summary>
    public long PreviousSequence { get; }

    public ReadOnlySpan<byte> Payload => _frame.AsSpan(_payloadStart);

    /// <summary>Bytes that this entry holds for its payload. Other forms come on top, while somebody uses them.</summary>
    public int PayloadBytes => _frame.Length;

    /// <summary>Copies a message into the buffer that its entry will own. Apart from the constructor, so that no lock is held over the copy.</summary>
    public static byte[] CreateFrame(in PushMessage message)
    {
        var payload = message.Payload.Span;
        int headerLength = FrameHeaderWriter.GetLength(payload.Length);
        byte[] frame = GC.AllocateUninitializedArray<byte>(headerLength + payload.Length);
        FrameHeaderWriter.Write(frame, message.Kind == MessageKind.Text ? Opcode.Text : Opcode.Binary, payload.Length);
        payload.CopyTo(frame.AsSpan(headerLength));
        return frame;
    }

    /// <summary>The bytes of this entry on one kind of wire.</summary>
    public byte[] GetForm(WireFormat format) =>
        format == WireFormat.WebSocketRaw ? _frame : Volatile.Read(ref _forms[(int)format]) ?? EncodeOnce(format);

    private byte[] EncodeOnce(WireFormat format)
    {
        // Two shards may ask at the same moment. The frame array is private to this entry, which makes it a lock that costs nothing.
        lock (_frame)
        {
            ref byte[]? slot = ref _forms[(int)format];
            if (slot is null)
            {
                Volatile.Write(ref slot, EntryEncoder.Encode(this, format));
            }

            return slot!;
        }
    }

    // RFC 6455 section 5.2: the seven length bits say how long the header is. A server's frame carries no mask.
    private static int PayloadStartOf(byte[] frame) => (frame[1] & 0x7F) switch { 126 => 4, 127 => 10, _ => 2 };

    [InlineArray((int)WireFormat.ServerSentEventNamed + 1)]
    private struct FormSlots
    {
        private byte[]? _first;
    }
}
