using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers.Nats.JetStream;

/// <summary>Fetches ranges of the stream, many messages at a time. Safe for threads.</summary>
internal sealed class HistoryReader(HistoryStream stream, ChannelLimits limits)
{
    /// <summary>Sequences that are read at a time when all is read: what is fetched for them is in memory at once.</summary>
    public const int SegmentLength = 1024;

    private const string Everything = ">";
    private const int RequestsMax = 64;

    /// <summary>Reads what channels and patterns have in a range that is at most a segment long. In the order of the stream.</summary>
    /// <param name="filters">Which.</param>
    /// <param name="after">The sequence before the range.</param>
    /// <param name="through">The last sequence of the range.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<List<KeptMessage>> ReadSegmentAsync(IReadOnlyCollection<string> filters, long after, long through, CancellationToken cancellationToken)
    {
        // Few channels are asked for one by one; otherwise everything is, since nearly every sequence is a message.
        bool isByFilter = filters.Count <= Math.Min(RequestsMax, (through - after) / 2);
        long part = (through - after + RequestsMax - 1) / RequestsMax;
        var reads = isByFilter
            ? filters.Select(filter => ReadAsync(filter, after, through, cancellationToken))
            : Enumerable.Range(0, RequestsMax).Select(i => ReadAsync(Everything, Math.Min(through, after + (i * part)), Math.Min(through, after + ((i + 1) * part)), cancellationToken));
        var found = await Task.WhenAll(reads);
        return [.. found.SelectMany(messages => messages).DistinctBy(message => message.Sequence).OrderBy(message => message.Sequence)];
    }

    /// <summary>Reads what one channel or pattern has in a range.</summary>
    public async Task<List<KeptMessage>> ReadAsync(string filter, long after, long through, CancellationToken cancellationToken)
    {
        var messages = new List<KeptMessage>();
        while (after < through && await stream.FindNextAsync(filter, after + 1, cancellationToken) is { } message && message.Sequence <= through)
        {
            messages.Add(message);
            after = message.Sequence;
        }

        return messages;
    }

    /// <summary>Reads the newest messages of a range, as many as a log keeps for those who are behind.</summary>
    /// <param name="filter">Which channel or pattern.</param>
    /// <param name="after">The sequence before the range.</param>
    /// <param name="through">The last sequence of the range.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The messages, and the sequence after which all are there that there were.</returns>
    public async Task<(List<KeptMessage> Messages, long After)> ReadNewestAsync(string filter, long after, long through, CancellationToken cancellationToken)
    {
        var extent = await stream.MeasureAsync(cancellationToken);
        var messages = new List<KeptMessage>();
        long from = Math.Max(after, Math.Min(through, extent.First - 1));
        long read = through;

        // From the end, in steps that grow: of a range of millions only the end may be needed.
        for (long length = SegmentLength; read > from && messages.Count < limits.LogEntriesMax; length *= 4)
        {
            long next = Math.Max(from, read - length);
            messages.InsertRange(0, await ReadAsync(filter, next, read, cancellationToken));
            read = next;
        }

        return (messages, Math.Max(TrimToLimits(messages, read), EatenThrough(messages)));
    }

    private long TrimToLimits(List<KeptMessage> messages, long after)
    {
        long bytes = 0;
        int first = messages.Count;
        while (first > 0 && messages.Count - first < limits.LogEntriesMax && (bytes += messages[first - 1].Message.Payload.Length) <= limits.LogBytesMax)
        {
            first--;
        }

        long dropped = first > 0 ? messages[first - 1].Sequence : after;
        messages.RemoveRange(0, first);
        return dropped;
    }

    // A channel that has as many messages as are kept may have had more, before them.
    private long EatenThrough(List<KeptMessage> messages) => stream.MessagesPerChannel is > 0 and var max
        ? messages.GroupBy(message => message.Channel).Where(group => group.Count() >= max).Select(group => group.First().Sequence - 1).DefaultIfEmpty(0).Max()
        : 0;
}
