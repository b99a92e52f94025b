using System.Buffers;

namespace RawPush.Protocol;

/// <summary>Bytes that must outlive their chunk, in an array from the shared pool. Without bytes it has no array.</summary>
/// <remarks>
/// Grows by doubling what has <em>arrived</em>, never to what a header announced: a client that announces a gigabyte and sends a byte costs
/// 256 bytes. One thread at a time; copies of this struct must not be used side by side, as they would return the same array twice.
/// </remarks>
public struct PooledBuffer
{
    private const int FirstRentBytes = 256;

    private byte[]? _array;
    private int _length;

    /// <summary>Bytes it holds.</summary>
    public readonly int Length => _length;

    /// <summary>The bytes; borrowed until the next call that changes them.</summary>
    public readonly ReadOnlySpan<byte> Written => _array.AsSpan(0, _length);

    /// <summary>The same as memory.</summary>
    public readonly ReadOnlyMemory<byte> WrittenMemory => _array.AsMemory(0, _length);

    /// <summary>Copies the bytes behind those it holds.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        if (_array is null || _array.Length - _length < bytes.Length)
        {
            Grow(_length + bytes.Length);
        }

        bytes.CopyTo(_array.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>Forgets the bytes beyond <paramref name="length"/>; the array goes back when none are left.</summary>
    public void Truncate(int length)
    {
        _length = length;
        if (length == 0)
        {
            Release();
        }
    }

    /// <summary>Gives the array back. Safe to call twice.</summary>
    public void Release()
    {
        if (_array is not null)
        {
            Return(_array);
            _array = null;
        }

        _length = 0;
    }

    private void Grow(int bytesMin)
    {
        int doubled = (int)Math.Min(2u * (uint)(_array?.Length ?? 0), (uint)Array.MaxLength);
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstRentBytes, Math.Max(doubled, bytesMin)));
        if (_array is not null)
        {
            Written.CopyTo(larger);
            Return(_array);
        }

        _array = larger;
    }

    private static void Return(byte[] array)
    {
#if DEBUG
        // Whoever kept a borrowed span shall see nonsense rather than the next connection's message.
        array.AsSpan().Fill(0xDD);
#endif
        ArrayPool<byte>.Shared.Return(array);
    }
}
