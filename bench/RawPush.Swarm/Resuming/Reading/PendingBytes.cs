namespace RawPush.Swarm.Resuming.Reading;

/// <summary>The beginning of a unit whose end has not been received.</summary>
internal struct PendingBytes
{
    private byte[]? _bytes;
    private int _length;

    /// <summary>What was kept, and what was received behind it. Without anything kept nothing is copied.</summary>
    public ReadOnlySpan<byte> Join(ReadOnlySpan<byte> received)
    {
        if (_length == 0)
        {
            return received;
        }

        Append(received);
        return _bytes.AsSpan(0, _length);
    }

    /// <summary>Keeps the rest of what <see cref="Join"/> returned, and nothing else.</summary>
    public void Keep(ReadOnlySpan<byte> rest)
    {
        _length = 0;
        Append(rest);
    }

    // The bytes may be a part of our own array: CopyTo allows for it, and a part of it always fits.
    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > (_bytes?.Length ?? 0))
        {
            Array.Resize(ref _bytes, Math.Max(1024, 2 * (_length + bytes.Length)));
        }

        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }
}
