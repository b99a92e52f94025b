namespace RawPush.Swarm.Resuming.Reading;

/// <summary>Reads what one transport carries, strictly, whole units at a time: a frame, an event, a line, an answer.</summary>
internal abstract class TransportReader
{
    /// <param name="transport">What it reads.</param>
    /// <param name="isMany">Of a client of several channels.</param>
    public static TransportReader Of(Transport transport, bool isMany) => transport switch
    {
        Transport.WebSocket => new WebSocketReader(),
        Transport.Sse => new EventStreamReader(isMany),
        Transport.Ndjson => new JsonLineReader(),
        _ => new PollAnswerReader(),
    };

    /// <summary>Tells the sink of every unit that is whole and returns how many bytes these were. The rest is to come again, with more behind it.</summary>
    public abstract int Read(ReadOnlySpan<byte> bytes, ITransportSink sink);
}
