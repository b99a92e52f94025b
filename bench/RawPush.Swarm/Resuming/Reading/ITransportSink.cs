namespace RawPush.Swarm.Resuming.Reading;

/// <summary>Takes what a transport's reader finds.</summary>
internal interface ITransportSink
{
    /// <summary>A message.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="channel">Its channel; empty where the transport does not say.</param>
    /// <param name="data">What was published.</param>
    void OnMessage(in EntryId id, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> data);

    /// <summary>A notice of a gap.</summary>
    /// <param name="gap">What it says.</param>
    /// <param name="resumeAt">Where to resume behind it; null where something else says that, as an answer to a poll does.</param>
    /// <param name="channel">The channel or pattern; empty for all that the client has.</param>
    void OnGap(in Gap gap, in EntryId? resumeAt, ReadOnlySpan<byte> channel);

    /// <summary>Where to go on, said apart from messages.</summary>
    void OnPosition(in EntryId next);

    /// <summary>A WebSocket ping, to be answered with its payload.</summary>
    void OnPing(ReadOnlySpan<byte> payload);

    /// <summary>What a stream asks of those who come back.</summary>
    void OnRetry(int retryMs);

    /// <summary>A poll has been answered; its messages have been told of.</summary>
    void OnAnswer(int status, string? etag, int messages);

    /// <summary>The server will say no more on this connection.</summary>
    void OnClose();

    /// <summary>What came cannot be read; nor can anything behind it.</summary>
    void OnMalformed(string what);
}
