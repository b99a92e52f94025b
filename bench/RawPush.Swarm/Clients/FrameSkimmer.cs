using System.Buffers.Binary;

namespace RawPush.Swarm.Clients;

/// <summary>Walks over a server's WebSocket frames (RFC 6455 section 5.2) without assembling messages: enough to answer pings and see a close. Only deflated
/// messages (RFC 7692 section 6) are put together, since a piece of one says nothing.</summary>
internal struct FrameSkimmer
{
    private long _remaining;
    private byte[]? _header;
    private int _headerLength;
    private byte[]? _control;
    private byte[]? _deflated;
    private byte _opcode;
    private bool _isFinal;
    private bool _isDeflated;

    /// <summary>Takes received bytes; tells the sink of control frames and of the pieces of data payloads.</summary>
    public void Feed<TSink>(ReadOnlySpan<byte> bytes, ref TSink sink)
        where TSink : struct, IFrameSink
    {
        while (!bytes.IsEmpty)
        {
            if (_remaining == 0)
            {
                if (!TryReadHeader(ref bytes, ref sink))
                {
                    return;
                }

                continue;
            }

            int take = (int)Math.Min(_remaining, bytes.Length);
            _remaining -= take;
            if (_opcode >= 8)
            {
                TakeControl(bytes[..take], ref sink);
            }
            else if (_isDeflated)
            {
                TakeDeflated(bytes[..take], ref sink);
            }
            else
            {
                sink.OnData(bytes[..take]);
            }

            bytes = bytes[take..];
        }
    }

    private bool TryReadHeader<TSink>(ref ReadOnlySpan<byte> bytes, ref TSink sink)
        where TSink : struct, IFrameSink
    {
        var whole = bytes;
        if (_headerLength > 0)
        {
            int take = Math.Min(bytes.Length, 10 - _headerLength);
            bytes[..take].CopyTo(_header.AsSpan(_headerLength));
            whole = _header.AsSpan(0, _headerLength + take);
        }

        int length = HeaderLength(whole);
        if (length > whole.Length)
        {
            _header ??= new byte[10];
            whole.CopyTo(_header);
            _headerLength = whole.Length;
            bytes = default;
            return false;
        }

        _opcode = (byte)(whole[0] & 15);
        _remaining = PayloadLength(whole);
        bytes = bytes[(length - _headerLength)..];
        _headerLength = 0;
        if (_opcode < 8)
        {
            _isFinal = (whole[0] & 0x80) != 0;
            _isDeflated = _opcode == 0 ? _isDeflated : (whole[0] & 0x40) != 0;
        }

        if (_remaining == 0)
        {
            TakeEmptyFrame(ref sink);
        }

        return true;
    }

    private void TakeEmptyFrame<TSink>(ref TSink sink)
        where TSink : struct, IFrameSink
    {
        if (_opcode >= 8)
        {
            sink.OnControl(_opcode, default);
        }
        else if (_isDeflated)
        {
            TakeDeflated(default, ref sink);
        }
    }

    private void TakeDeflated<TSink>(ReadOnlySpan<byte> piece, ref TSink sink)
        where TSink : struct, IFrameSink
    {
        _deflated = [.. _deflated ?? [], .. piece];
        if (_remaining == 0 && _isFinal)
        {
            sink.OnDeflated(_deflated);
            _deflated = null;
        }
    }

    private void TakeControl<TSink>(ReadOnlySpan<byte> piece, ref TSink sink)
        where TSink : struct, IFrameSink
    {
        _control = [.. _control ?? [], .. piece];
        if (_remaining == 0)
        {
            sink.OnControl(_opcode, _control);
            _control = null;
        }
    }

    private static int HeaderLength(ReadOnlySpan<byte> header) => header.Length < 2 ? 2 : (header[1] & 127) switch { 126 => 4, 127 => 10, _ => 2 };

    private static long PayloadLength(ReadOnlySpan<byte> header) => (header[1] & 127) switch
    {
        126 => BinaryPrimitives.ReadUInt16BigEndian(header[2..]),
        127 => BinaryPrimitives.ReadInt64BigEndian(header[2..]),
        var small => small,
    };
}

/// <summary>Takes what the skimmer finds.</summary>
internal interface IFrameSink
{
    /// <summary>A piece of a data frame's payload.</summary>
    void OnData(ReadOnlySpan<byte> piece);

    /// <summary>The whole payload of a deflated message.</summary>
    void OnDeflated(ReadOnlySpan<byte> payload);

    /// <summary>A control frame: 8 close, 9 ping, 10 pong.</summary>
    void OnControl(byte opcode, ReadOnlySpan<byte> payload);
}
