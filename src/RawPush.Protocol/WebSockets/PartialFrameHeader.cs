using System.Runtime.CompilerServices;

namespace RawPush.Protocol.WebSockets;

/// <summary>Keeps the front of a header that the end of a chunk cut off, until the rest arrives.</summary>
/// <remarks>Inline rather than pooled: a client that sends one byte and waits shall not cost an array. Fifteen bytes.</remarks>
internal struct PartialFrameHeader
{
    private HeaderBytes _bytes;
    private byte _count;

    public readonly bool IsEmpty => _count == 0;

    /// <summary>Reads a header out of what was kept and <paramref name="source"/>.</summary>
    /// <param name="source">The bytes that follow those kept.</param>
    /// <param name="takesCompressed">permessage-deflate was agreed to.</param>
    /// <param name="header">The header when the answer is <see cref="ReadStatus.Done"/>.</param>
    /// <param name="violation">The violation when that is the answer.</param>
    /// <param name="taken">Bytes of <paramref name="source"/> that were used, all of them when more are needed.</param>
    public ReadStatus TryComplete(ReadOnlySpan<byte> source, bool takesCompressed, out FrameHeader header, out FrameViolation violation, out int taken)
    {
        if (_count > 0)
        {
            return TryCompleteSlow(source, takesCompressed, out header, out violation, out taken);
        }

        var status = FrameHeaderReader.TryRead(source, takesCompressed, out header, out violation);
        taken = header.HeaderLength;
        if (status == ReadStatus.NeedMore)
        {
            Keep(source);
            taken = source.Length;
        }

        return status;
    }

    public void Clear() => _count = 0;

    // Rare: only headers that lie across two chunks or more come here.
    private ReadStatus TryCompleteSlow(ReadOnlySpan<byte> source, bool takesCompressed, out FrameHeader header, out FrameViolation violation, out int taken)
    {
        int kept = _count;
        var fits = source[..Math.Min(source.Length, FrameHeaderReader.BytesMax - kept)];
        Keep(fits);
        var status = FrameHeaderReader.TryRead(_bytes[.._count], takesCompressed, out header, out violation);
        taken = fits.Length;
        if (status == ReadStatus.Done)
        {
            taken = header.HeaderLength - kept;
            Clear();
        }

        return status;
    }

    private void Keep(ReadOnlySpan<byte> source)
    {
        source.CopyTo(_bytes[_count..]);
        _count += (byte)source.Length;
    }

    [InlineArray(FrameHeaderReader.BytesMax)]
    private struct HeaderBytes
    {
        private byte _first;
    }
}
