namespace RawPush.Protocol.WebSockets.Deflate;

/// <summary>Deflates messages for permessage-deflate (RFC 7692, section 7.2.1), each for itself: the result can be sent to any client that agreed to
/// <see cref="PermessageDeflate"/>.</summary>
/// <remarks>About 150 KB outside of the heap. One thread at a time.</remarks>
public sealed unsafe class MessageDeflater : IDisposable
{
    // A message of a kilobyte: a seventh slower than level 1 and 6 % smaller, as small as level 6. One of 32 KiB: a third faster than level 6 and 6 % larger.
    private const int Level = 4;

    private const int TailBytes = 4;

    private readonly Zlib.Stream* _stream;
    private bool _isDisposed;

    /// <summary>A new deflater.</summary>
    /// <exception cref="DllNotFoundException">The system has no zlib; <see cref="PermessageDeflate.IsAvailable"/> would have said so.</exception>
    public MessageDeflater() => _stream = Zlib.NewDeflate(Level, PermessageDeflate.WindowBits);

    /// <summary>Frees what the system lent.</summary>
    ~MessageDeflater() => Free();

    /// <summary>Deflates a message, if that makes it shorter.</summary>
    /// <param name="message">The message.</param>
    /// <param name="destination">Where to; as long as the message is enough.</param>
    /// <returns>Bytes written; 0 if it would not be shorter than the message, and the destination then holds nothing of use.</returns>
    public int Deflate(ReadOnlySpan<byte> message, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _ = Zlib.DeflateReset(_stream);
        destination = destination[..Math.Min(destination.Length, message.Length)];
        fixed (byte* input = message)
        fixed (byte* output = destination)
        {
            _stream->Input = input;
            _stream->InputBytes = (uint)message.Length;
            _stream->Output = output;
            _stream->OutputBytes = (uint)destination.Length;
            int result = Zlib.Deflate(_stream, Zlib.SyncFlush);
            bool isWhole = result == Zlib.Ok && _stream->InputBytes == 0 && _stream->OutputBytes > 0;
            return isWhole ? destination.Length - (int)_stream->OutputBytes - TailBytes : 0;
        }
    }

    /// <summary>Frees everything. Safe to call twice.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        // Without a stream the constructor has failed.
        if (!_isDisposed && _stream is not null)
        {
            _isDisposed = true;
            Zlib.Free(_stream, deflates: true);
        }
    }
}
