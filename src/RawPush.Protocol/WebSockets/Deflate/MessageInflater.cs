using System.Buffers;

namespace RawPush.Protocol.WebSockets.Deflate;

/// <summary>What came of a compressed message.</summary>
public enum InflateStatus
{
    /// <summary>It is whole and within the limit.</summary>
    Done,

    /// <summary>It is larger than the limit. Nothing beyond that was produced.</summary>
    TooBig,

    /// <summary>It is not DEFLATE, refers to what is not there, or is cut off.</summary>
    Corrupt,
}

/// <summary>Inflates messages of permessage-deflate (RFC 7692, section 7.2.2), each for itself: without context takeover.</summary>
/// <remarks>
/// A message can see nothing of those before it, whoever sent them, so one inflater serves any number of connections, one message at a time.
/// About 40 KB outside of the heap, and while a message is lent an array from the shared pool. One thread at a time.
/// </remarks>
public sealed unsafe class MessageInflater : IDisposable
{
    private const int FirstBytes = 4096;

    private readonly Zlib.Stream* _stream;
    private byte[] _output = [];
    private int _length;
    private bool _isDisposed;

    /// <summary>A new inflater.</summary>
    /// <exception cref="DllNotFoundException">The system has no zlib; <see cref="PermessageDeflate.IsAvailable"/> would have said so.</exception>
    public MessageInflater() => _stream = Zlib.NewInflate();

    /// <summary>Frees what the system lent.</summary>
    ~MessageInflater() => Free();

    /// <summary>Bytes that the last message has become, also one that was too big or corrupt.</summary>
    public int InflatedBytes => _length;

    // Section 7.2.2: what the sender took off its end.
    private static ReadOnlySpan<byte> Tail => [0x00, 0x00, 0xFF, 0xFF];

    /// <summary>Inflates a message. Its bytes are lent until <see cref="Release"/> or the next message.</summary>
    /// <param name="compressed">The payload of all its frames.</param>
    /// <param name="bytesMax">The largest message taken, 1 to <see cref="MessageReader.MessageBytesCeiling"/>.</param>
    /// <param name="message">What it is; empty unless the answer is <see cref="InflateStatus.Done"/>.</param>
    public InflateStatus Inflate(ReadOnlySpan<byte> compressed, int bytesMax, out ReadOnlySpan<byte> message)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _ = Zlib.InflateReset(_stream);
        _length = 0;
        message = default;
        var status = Take(compressed, bytesMax);
        if (status == InflateStatus.Done)
        {
            status = Take(Tail, bytesMax);
        }

        if (status != InflateStatus.Done)
        {
            return status;
        }

        if (_stream->DataType != Zlib.AtBlockBoundary)
        {
            return InflateStatus.Corrupt;
        }

        message = _output.AsSpan(0, _length);
        return InflateStatus.Done;
    }

    /// <summary>The message is not needed any more.</summary>
    public void Release()
    {
        if (_output.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_output);
            _output = [];
        }
    }

    /// <summary>Frees everything. Safe to call twice.</summary>
    public void Dispose()
    {
        Release();
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Inflates all of the bytes, behind what is there.</summary>
    private InflateStatus Take(ReadOnlySpan<byte> bytes, int bytesMax)
    {
        fixed (byte* input = bytes)
        {
            _stream->Input = input;
            _stream->InputBytes = (uint)bytes.Length;
            while (true)
            {
                int result = Step(bytesMax, out bool isFull);
                // Asked first: zlib may have read on behind the limit, and what it thinks of that does not matter.
                if (_length > bytesMax)
                {
                    return InflateStatus.TooBig;
                }

                if (result is not (Zlib.Ok or Zlib.StreamEnd or Zlib.BufferError))
                {
                    return InflateStatus.Corrupt;
                }

                if (result == Zlib.StreamEnd)
                {
                    // Section 7.2.3.4: a block may say that it is the last, and is followed by others all the same. If it is not, that is an end as good as any.
                    _ = Zlib.InflateResetKeep(_stream);
                    _stream->DataType = Zlib.AtBlockBoundary;
                    isFull = false;
                }

                if (_stream->InputBytes == 0 && !isFull)
                {
                    return InflateStatus.Done;
                }
            }
        }
    }

    /// <summary>Inflates as far as input and room go.</summary>
    private int Step(int bytesMax, out bool isFull)
    {
        if (_length == _output.Length)
        {
            Grow(bytesMax);
        }

        // One byte more than the limit is enough to know.
        int room = Math.Min(_output.Length, bytesMax + 1) - _length;
        fixed (byte* output = &_output[_length])
        {
            _stream->Output = output;
            _stream->OutputBytes = (uint)room;
            int result = Zlib.Inflate(_stream, Zlib.NoFlush);
            isFull = _stream->OutputBytes == 0;
            _length += room - (int)_stream->OutputBytes;
            return result;
        }
    }

    private void Grow(int bytesMax)
    {
        int wanted = Math.Max(FirstBytes, (int)Math.Min(2L * _output.Length, bytesMax + 1L));
        byte[] larger = ArrayPool<byte>.Shared.Rent(wanted);
        _output.AsSpan(0, _length).CopyTo(larger);
        Release();
        _output = larger;
    }

    private void Free()
    {
        // Without a stream the constructor has failed.
        if (!_isDisposed && _stream is not null)
        {
            _isDisposed = true;
            Zlib.Free(_stream, deflates: false);
        }
    }
}
