namespace RawPush.Swarm.Clients;

/// <summary>Finds payloads in what a client receives, whatever framing is around them. Keeps the head of one that a read has cut.</summary>
internal struct PayloadScanner
{
    private byte[]? _kept;
    private int _keptLength;

    /// <summary>Takes received bytes and tells the sink of every payload whose header is complete.</summary>
    public void Feed<TSink>(ReadOnlySpan<byte> bytes, ref TSink sink)
        where TSink : struct, IPayloadSink
    {
        if (_keptLength > 0)
        {
            bytes = bytes[FinishKept(bytes, ref sink)..];
        }

        while (bytes.IndexOf(Payload.Mark) is var start and >= 0)
        {
            bytes = bytes[start..];
            if (bytes.Length < Payload.HeaderLength)
            {
                Keep(bytes);
                return;
            }

            Read(bytes, ref sink);
            bytes = bytes[1..];
        }
    }

    /// <summary>Completes the kept head and returns how many bytes that took.</summary>
    private int FinishKept<TSink>(ReadOnlySpan<byte> bytes, ref TSink sink)
        where TSink : struct, IPayloadSink
    {
        int missing = Math.Min(Payload.HeaderLength - _keptLength, bytes.Length);
        Keep(bytes[..missing]);
        if (_keptLength == Payload.HeaderLength)
        {
            Read(_kept, ref sink);
            _keptLength = 0;
        }

        return missing;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        _kept ??= new byte[Payload.HeaderLength];
        bytes.CopyTo(_kept.AsSpan(_keptLength));
        _keptLength += bytes.Length;
    }

    private static void Read<TSink>(ReadOnlySpan<byte> header, ref TSink sink)
        where TSink : struct, IPayloadSink
    {
        if (Payload.TryRead(header, out var payload))
        {
            sink.OnPayload(payload);
        }
    }
}

/// <summary>Takes what the scanner finds.</summary>
internal interface IPayloadSink
{
    void OnPayload(in Payload payload);
}
