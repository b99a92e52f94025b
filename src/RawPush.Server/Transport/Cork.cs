namespace RawPush.Server.Transport;

/// <summary>Gathers what a connection is answered while its bytes are being read, so that ten answers leave in one system call. One per loop, used by it alone.</summary>
internal sealed class Cork
{
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(EventLoop.ReceiveBytes, pinned: true);
    private int _length;

    /// <summary>Whose answers are gathered; null: nobody's.</summary>
    public SocketTransport? Owner { get; set; }

    /// <summary>What was gathered; borrowed until the next call.</summary>
    public ReadOnlySpan<byte> Gathered => _buffer.AsSpan(0, _length);

    /// <summary>Adds both. False: there is no room, and nothing was added.</summary>
    public bool TryAdd(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        if (head.Length + body.Length > _buffer.Length - _length)
        {
            return false;
        }

        head.CopyTo(_buffer.AsSpan(_length));
        body.CopyTo(_buffer.AsSpan(_length + head.Length));
        _length += head.Length + body.Length;
        return true;
    }

    public void Clear() => _length = 0;
}
