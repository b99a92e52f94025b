using System.Diagnostics;
using System.Text.Unicode;
using RawPush.Protocol.WebSockets.Deflate;

namespace RawPush.Protocol.WebSockets;

/// <summary>Turns the bytes of a client into messages (RFC 6455, section 5): push chunks in as they arrive, the handler is told what they hold.</summary>
/// <remarks>
/// <para>A message that lies whole in a chunk is unmasked where it lies and lent to the handler; nothing is copied or allocated. What a chunk's
/// end cuts off is kept in a pooled buffer until the rest arrives. Control frames are delivered at once, also between the fragments of a message
/// (section 5.4): the kept bytes of an unfinished one lie behind those of the message and go first.</para>
/// <para>72 bytes, and while idle no buffer: that is 7.2 MB for 100,000 connections.</para>
/// <para>One thread at a time. Mutable and the owner of its buffer: keep it in a field, never copy it, and end with <see cref="Release"/>.</para>
/// </remarks>
public struct MessageReader
{
    /// <summary>The largest limit a reader takes: 1 GiB, the last power of two that an array of bytes can hold.</summary>
    public const int MessageBytesCeiling = 1 << 30;

    /// <summary>Fragments that a message may have unless something else is said: 131,072. A message of 4 MiB in pieces of 64 bytes has half as many.</summary>
    public const int DefaultFragmentsMax = 128 * 1024;

    private readonly int _messageBytesMax;
    private readonly int _fragmentsMax;
    private int _fragments;          // Of the message being read.
    private PooledBuffer _buffer;
    private PartialFrameHeader _header;
    private Utf8Validator _text;

    // The frame being read. Single fields, where a FrameHeader would cost eight bytes more in padding; and the length is an int,
    // since a longer frame is over the limit.
    private int _frameLength;
    private int _frameRead;          // Payload bytes already unmasked.
    private uint _frameMaskKey;
    private Opcode _frameOpcode;
    private bool _frameIsFinal;

    private readonly bool _takesCompressed;
    private MessageKind _kind;       // Of the message being read, if _inMessage.
    private bool _isCompressed;
    private bool _inMessage;         // From the first frame of a message to the end of its last.
    private Phase _phase;
    private FrameViolation _violation;

    /// <summary>A reader at the beginning of a connection, with nothing read and no buffer.</summary>
    /// <param name="messageBytesMax">Payload bytes that a message may have, all fragments together: 1 to <see cref="MessageBytesCeiling"/>.</param>
    /// <param name="fragmentsMax">Frames that a message may come in, 1 or more. Empty ones are legal, so bytes alone are no limit.</param>
    /// <param name="takesCompressed">permessage-deflate was agreed to, without context takeover by the client. The handler lends inflaters.</param>
    /// <exception cref="ArgumentOutOfRangeException">A limit is out of its range.</exception>
    public MessageReader(int messageBytesMax, int fragmentsMax = DefaultFragmentsMax, bool takesCompressed = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fragmentsMax);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(messageBytesMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(messageBytesMax, MessageBytesCeiling);
        _messageBytesMax = messageBytesMax;
        _fragmentsMax = fragmentsMax;
        _takesCompressed = takesCompressed;
    }

    private enum Phase : byte
    {
        Header,
        Payload,
        Closed,
        Broken,
    }

    /// <summary>After <see cref="MessageReadStatus.Violation"/>, the status to close with: 1002, 1007, 1008 or 1009.</summary>
    public readonly CloseStatus ViolationStatus => _violation.ToCloseStatus();

    /// <summary>After <see cref="MessageReadStatus.Violation"/>, what was wrong: a constant ASCII sentence that fits a close frame. Empty before.</summary>
    public readonly string ViolationReason => _violation.ToReason();

    /// <summary>Whether no frame and no message is unfinished. The reader then owns no buffer.</summary>
    public readonly bool IsIdle => _phase != Phase.Payload && _header.IsEmpty && !_inMessage;

    /// <summary>Payload bytes that a message may have.</summary>
    public readonly int MessageBytesMax => _messageBytesMax;

    /// <summary>Whether a message was begun and is not complete. A handler may ask while it is called; what is being delivered is complete.</summary>
    public readonly bool IsInMessage => _inMessage;

    /// <summary>Payload bytes kept from earlier chunks; the array that holds them is at most about twice that, and 256 bytes at least.</summary>
    public readonly int BufferedBytes => _buffer.Length;

    /// <summary>Reads the next bytes of the connection and tells the handler what they hold.</summary>
    /// <param name="chunk">The bytes, of any length. Those consumed are unmasked in place; those that are not stay as they were.</param>
    /// <param name="handler">Told of messages and control frames, in order, before this returns.</param>
    /// <param name="consumed">
    /// Bytes taken: all of them, or up to the end of the frame at which the handler said stop or that closed. Meaningless after a violation.
    /// </param>
    /// <returns>
    /// After <see cref="MessageReadStatus.Violation"/> this must not be called again; after <see cref="MessageReadStatus.Closed"/> or
    /// <see cref="Release"/> it may be, and ignores what it is given.
    /// </returns>
    public MessageReadStatus Read<THandler>(Span<byte> chunk, ref THandler handler, out int consumed)
        where THandler : struct, IMessageHandler, allows ref struct
    {
        Debug.Assert(_phase != Phase.Broken, "Nothing can be read after a violation.");
        if (_phase == Phase.Closed)
        {
            consumed = chunk.Length;
            return MessageReadStatus.Closed;
        }

        consumed = 0;
        var status = MessageReadStatus.Consumed;
        while (status == MessageReadStatus.Consumed && consumed < chunk.Length)
        {
            status = ReadFrame(chunk[consumed..], ref handler, out int taken);
            consumed += taken;
        }

        return status;
    }

    /// <summary>Gives the buffer back and forgets what was unfinished; reading is over. Safe to call twice.</summary>
    public void Release()
    {
        if (_phase != Phase.Broken)
        {
            End(Phase.Closed);
        }
    }

    // Reads up to the end of one frame, or of the chunk. An empty payload needs no further byte, so it is dealt with right behind its header.
    private MessageReadStatus ReadFrame<THandler>(Span<byte> chunk, ref THandler handler, out int taken)
        where THandler : struct, IMessageHandler, allows ref struct
    {
        taken = 0;
        if (_phase == Phase.Header)
        {
            var status = _header.TryComplete(chunk, _takesCompressed, out var frame, out var violation, out taken);
            if (status == ReadStatus.NeedMore)
            {
                return MessageReadStatus.Consumed;
            }

            if (status == ReadStatus.Violation || !TryBeginFrame(frame, out violation))
            {
                return Fail(violation);
            }
        }

        var payload = TakePayload(chunk[taken..]);
        taken += payload.Length;
        return _frameOpcode >= Opcode.Close ? ReadControl(payload, ref handler) : ReadData(payload, ref handler);
    }

    // What a header alone cannot know: whether its frame may come now (section 5.4), and whether the message would grow too large.
    private bool TryBeginFrame(in FrameHeader frame, out FrameViolation violation)
    {
        violation = frame.IsControl ? FrameViolation.None : CheckDataFrame(frame);
        if (violation != FrameViolation.None)
        {
            return false;
        }

        if (frame.Opcode is Opcode.Text or Opcode.Binary)
        {
            BeginMessage(frame.Opcode == Opcode.Text ? MessageKind.Text : MessageKind.Binary, frame.IsCompressed);
        }

        _fragments += frame.IsControl ? 0 : 1;
        _frameLength = (int)frame.PayloadLength;
        _frameRead = 0;
        _frameMaskKey = frame.MaskKey;
        _frameOpcode = frame.Opcode;
        _frameIsFinal = frame.IsFinal;
        _phase = Phase.Payload;
        return true;
    }

    private readonly FrameViolation CheckDataFrame(in FrameHeader frame)
    {
        if (_inMessage != (frame.Opcode == Opcode.Continuation))
        {
            return _inMessage ? FrameViolation.MessageInsideMessage : FrameViolation.StrayContinuation;
        }

        if (_inMessage && _fragments == _fragmentsMax)
        {
            return FrameViolation.TooManyFragments;
        }

        // Earlier fragments are all in the buffer. The subtraction cannot overflow; an addition to what a client announces could.
        bool isCompressed = _inMessage ? _isCompressed : frame.IsCompressed;
        return frame.PayloadLength > WireBytesMax(isCompressed) - _buffer.Length ? FrameViolation.MessageTooBig : FrameViolation.None;
    }

    // What cannot be compressed grows by a few bytes per block; only what is inflated has to keep to the limit itself.
    private readonly int WireBytesMax(bool isCompressed) => isCompressed ? _messageBytesMax + (_messageBytesMax >> 6) + 256 : _messageBytesMax;

    private void BeginMessage(MessageKind kind, bool isCompressed)
    {
        _inMessage = true;
        _isCompressed = isCompressed;
        _fragments = 0;
        _kind = kind;
        _text.Reset();
    }

    private Span<byte> TakePayload(Span<byte> chunk)
    {
        var payload = chunk[..Math.Min(chunk.Length, _frameLength - _frameRead)];
        FrameMask.Apply(payload, _frameMaskKey, _frameRead);
        _frameRead += payload.Length;
        if (_frameRead == _frameLength)
        {
            _phase = Phase.Header;
        }

        return payload;
    }

    private MessageReadStatus ReadData<THandler>(ReadOnlySpan<byte> payload, ref THandler handler)
        where THandler : struct, IMessageHandler, allows ref struct
    {
        // Section 8.1. Checked as it arrives: bad text is refused before the rest of it is paid for.
        if (_kind == MessageKind.Text && !_isCompressed && !_text.Append(payload))
        {
            return Fail(FrameViolation.InvalidText);
        }

        if (_phase == Phase.Payload || !_frameIsFinal)
        {
            _buffer.Append(payload);
            return MessageReadStatus.Consumed;
        }

        if (_isCompressed)
        {
            return DeliverCompressed(payload, ref handler);
        }

        if (_kind == MessageKind.Text && !_text.IsComplete)
        {
            return Fail(FrameViolation.InvalidText);
        }

        return DeliverMessage(payload, ref handler);
    }

    private MessageReadStatus DeliverMessage<THandler>(ReadOnlySpan<byte> lastPart, ref THandler handler)
        where THandler : struct, IMessageHandler, allows ref struct
    {
        _inMessage = false;
        if (_buffer.Length == 0)
        {
            return GoOnOrStop(handler.OnMessage(_kind, lastPart));
        }

        _buffer.Append(lastPart);
        bool goOn = handler.OnMessage(_kind, _buffer.Written);
        _buffer.Release();
        return GoOnOrStop(goOn);
    }

    // An inflater is rented for this one call and not from fragment to fragment, or who sends slowly would keep it from others.
    private MessageReadStatus DeliverCompressed<THandler>(ReadOnlySpan<byte> lastPart, ref THandler handler)
        where THandler : struct, IMessageHandler, allows ref struct
    {
        _inMessage = false;
        if (_buffer.Length > 0)
        {
            _buffer.Append(lastPart);
            lastPart = _buffer.Written;
        }

        var inflater = handler.RentInflater();
        try
        {
            var violation = Inflate(inflater, lastPart, out var message);
            _buffer.Release();
            return violation == FrameViolation.None ? GoOnOrStop(handler.OnMessage(_kind, message)) : Fail(violation);
        }
        finally
        {
            inflater.Release();
            handler.ReturnInflater(inflater);
        }
    }

    private readonly FrameViolation Inflate(MessageInflater inflater, ReadOnlySpan<byte> compressed, out ReadOnlySpan<byte> message) =>
        inflater.Inflate(compressed, _messageBytesMax, out message) switch
        {
            InflateStatus.TooBig => FrameViolation.MessageTooBig,
            InflateStatus.Corrupt => FrameViolation.CorruptCompression,
            _ => _kind == MessageKind.Text && !Utf8.IsValid(message) ? FrameViolation.InvalidText : FrameViolation.None,
        };

    private MessageReadStatus ReadControl<THandler>(ReadOnlySpan<byte> payload, ref THandler handler)
        where THandler : struct, IMessageHandler, allows ref struct
    {
        if (_phase == Phase.Payload)
        {
            _buffer.Append(payload);
            return MessageReadStatus.Consumed;
        }

        if (_frameRead == payload.Length)
        {
            return DeliverControl(payload, ref handler);
        }

        return DeliverKeptControl(payload, ref handler);
    }

    // Rare: the frame came in pieces, and the earlier ones lie in the buffer behind those of an unfinished message.
    private MessageReadStatus DeliverKeptControl<THandler>(ReadOnlySpan<byte> lastPart, ref THandler handler)
        where THandler : struct, IMessageHandler, allows ref struct
    {
        _buffer.Append(lastPart);
        var status = DeliverControl(_buffer.Written[^_frameRead..], ref handler);
        if (_phase == Phase.Header)
        {
            _buffer.Truncate(_buffer.Length - _frameRead);   // A close or a violation has emptied the buffer already.
        }

        return status;
    }

    private MessageReadStatus DeliverControl<THandler>(ReadOnlySpan<byte> payload, ref THandler handler)
        where THandler : struct, IMessageHandler, allows ref struct => _frameOpcode switch
        {
            Opcode.Ping => GoOnOrStop(handler.OnPing(payload)),
            Opcode.Pong => GoOnOrStop(handler.OnPong(payload)),
            _ => DeliverClose(payload, ref handler),
        };

    private MessageReadStatus DeliverClose<THandler>(ReadOnlySpan<byte> payload, ref THandler handler)
        where THandler : struct, IMessageHandler, allows ref struct
    {
        var violation = ClosePayload.Read(payload, out var status, out var reason);
        if (violation != FrameViolation.None)
        {
            return Fail(violation);
        }

        // The reason may lie in the buffer, so that goes back only after the handler has seen it.
        handler.OnClose(status, reason);
        End(Phase.Closed);
        return MessageReadStatus.Closed;
    }

    private MessageReadStatus Fail(FrameViolation violation)
    {
        _violation = violation;
        End(Phase.Broken);
        return MessageReadStatus.Violation;
    }

    // Nothing unfinished can be finished any more, so none of it is kept.
    private void End(Phase phase)
    {
        _phase = phase;
        _inMessage = false;
        _header.Clear();
        _buffer.Release();
    }

    private static MessageReadStatus GoOnOrStop(bool goOn) => goOn ? MessageReadStatus.Consumed : MessageReadStatus.Stopped;
}
