namespace RawPush.Swarm.Resuming.Reading;

/// <summary>A stream of envelopes, a line each; an empty line is a heartbeat.</summary>
internal sealed class JsonLineReader : TransportReader
{
    public override int Read(ReadOnlySpan<byte> bytes, ITransportSink sink)
    {
        int consumed = 0;
        while (bytes[consumed..].IndexOf((byte)'\n') is var length and >= 0)
        {
            if (length > 0)
            {
                Envelope.Read(bytes.Slice(consumed, length), sink);
            }

            consumed += length + 1;
        }

        return consumed;
    }
}
