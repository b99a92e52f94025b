using System.Runtime.CompilerServices;
using RawPush.Fanout.Formats;
using RawPush.Protocol.WebSockets;

namespace RawPush.Fanout.Channels;

/// <summary>A message in the log of its channel and of the patterns that match it, with its encoded forms. Immutable but for the forms, each of which is
/// made once, at its first use, and for who holds it.</summary>
/// <remarks>
/// <code>
/// _frame:  | WebSocket frame header, 2 to 10 bytes | payload … |
/// </code>
/// The payload is stored behind its own frame header, so the commonest form costs a few bytes and not a second copy.
/// Any thread may read; forms are shared by all subscribers and must not be written to.
/// </remarks>
internal sealed class Entry
{
    /// <summary>What an entry costs beside its payload and forms: the object, its arrays' heads, its places in logs.</summary>
    private const int OverheadBytes = 256;

    /// <summary>What a place in a dictionary of keys costs.</summary>
    private const int KeyBytes = 64;

    private readonly NamespaceState _namespace;
    private readonly byte[] _frame;
    private readonly int _payloadStart;
    private readonly long _expiresMs;
    private FormSlots _forms;
    private int _formBytes;
    private int _holders;

    /// <param name="channel">Where it was published.</param>
    /// <param name="message">What was published.</param>
    /// <param name="frame">From <see cref="CreateFrame"/>.</param>
    /// <param name="id">Its place in the stream.</param>
    /// <param name="namespace">Its channel's.</param>
    /// <param name="timeMs">When it came, in milliseconds of Unix time; 0 for now.</param>
    public Entry(ChannelName channel, in PushMessage message, byte[] frame, MessageId id, NamespaceState @namespace, long timeMs = 0)
    {
        Channel = channel;
        Kind = message.Kind;
        Traits = message.Traits;
        Id = id;
        TimeMs = timeMs > 0 ? timeMs : @namespace.NowMs;
        _expiresMs = message.Traits?.Expires is { } expires ? TimeMs + (long)expires.TotalMilliseconds : long.MaxValue;
        _namespace = @namespace;
        _frame = frame;
        _payloadStart = frame.Length - FrameHeaderWriter.PayloadOf(frame).Length;
    }

    public ChannelName Channel { get; }

    public Protocol.MessageKind Kind { get; }

    public MessageTraits? Traits { get; }

    public MessageId Id { get; }

    public long Sequence => Id.Sequence;

    /// <summary>When it came, in milliseconds of Unix time.</summary>
    public long TimeMs { get; }

    /// <summary>When it is of no more use; <see cref="long.MaxValue"/> for never.</summary>
    public long ExpiresMs => _expiresMs;

    /// <summary>Its channel's log still has it. Logs of patterns let go of what their channels let go of.</summary>
    public bool IsKept { get; set; }

    /// <summary>A newer one with the same key has taken its place.</summary>
    public bool IsSuperseded { get; set; }

    public ReadOnlySpan<byte> Payload => _frame.AsSpan(_payloadStart);

    /// <summary>Bytes that this entry holds for its payload. Other forms come on top, while somebody uses them.</summary>
    public int PayloadBytes => _frame.Length;

    /// <summary>Copies a message into the buffer that its entry will own. Apart from the constructor, so that no lock is held over the copy.</summary>
    public static byte[] CreateFrame(in PushMessage message)
    {
        var payload = message.Payload.Span;
        int headerLength = FrameHeaderWriter.GetLength(payload.Length);
        byte[] frame = GC.AllocateUninitializedArray<byte>(headerLength + payload.Length);
        FrameHeaderWriter.Write(frame, message.Kind == Protocol.MessageKind.Text ? Opcode.Text : Opcode.Binary, payload.Length);
        payload.CopyTo(frame.AsSpan(headerLength));
        return frame;
    }

    /// <summary>Nobody is to be sent it any more, and nobody misses it.</summary>
    public bool IsVoid(long nowMs) => IsSuperseded || _expiresMs <= nowMs;

    /// <summary>Payload bytes from which its channel's messages are deflated; 0 for never.</summary>
    public int CompressionBytesMin => _namespace.CompressionBytesMin;

    /// <summary>The bytes of this entry on one kind of wire.</summary>
    public byte[] GetForm(WireFormat format) =>
        format == WireFormat.WebSocketRaw ? _frame : Volatile.Read(ref _forms[(int)format]) ?? EncodeOnce(format);

    /// <summary>A log holds it.</summary>
    public void AddHolder()
    {
        lock (_frame)
        {
            if (_holders++ == 0)
            {
                _namespace.AddBytes(HeldBytes);
            }
        }
    }

    /// <summary>Its channel's log has let go of it.</summary>
    public void Release()
    {
        IsKept = false;
        _namespace.Budget.CountReleased();
    }

    /// <summary>A log has let go of it.</summary>
    public void RemoveHolder()
    {
        lock (_frame)
        {
            if (--_holders == 0)
            {
                _namespace.AddBytes(-HeldBytes);
            }
        }
    }

    private byte[] EncodeOnce(WireFormat format)
    {
        // Two shards may ask at the same moment. The frame array is private to this entry, which makes it a lock that costs nothing.
        lock (_frame)
        {
            ref byte[]? slot = ref _forms[(int)format];
            if (slot is null)
            {
                byte[] form = EntryEncoder.Encode(this, format);
                Volatile.Write(ref slot, form);
                CountForm(form);
            }

            return slot!;
        }
    }

    // A message that is not worth deflating has the same form twice.
    private void CountForm(byte[] form)
    {
        int uses = form == _frame ? 2 : 0;
        foreach (byte[]? other in (ReadOnlySpan<byte[]?>)_forms)
        {
            uses += form == other ? 1 : 0;
        }

        if (uses == 1)
        {
            _formBytes += form.Length;
            _namespace.AddBytes(_holders > 0 ? form.Length : 0);
        }
    }

    private int HeldBytes => _frame.Length + _formBytes + OverheadBytes + BytesOf(Traits);

    private static int BytesOf(MessageTraits? traits) => traits is null
        ? 0
        : (2 * ((traits.EventName?.Length ?? 0) + (traits.Key?.Length ?? 0) + (traits.IdempotencyKey?.Length ?? 0)))
            + (traits.Key is null ? 0 : KeyBytes) + (traits.IdempotencyKey is null ? 0 : KeyBytes);

    [InlineArray((int)WireFormats.Last + 1)]
    private struct FormSlots
    {
        private byte[]? _first;
    }
}
