using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers.Nats.JetStream;

/// <summary>Fetches ranges of the stream. Safe for threads.</summary>
/// <remarks>
/// What a server finds is right. That there is nothing it may say because it is behind the others, or still believes that it leads the stream, after it was cut off from them. So where it matters
/// most everything is read, and the end of a range is where a message behind it is found; where one channel is read, those must have heard from one another who could answer wrongly.
/// </remarks>
internal sealed class HistoryReader(HistoryStream stream, ChannelLimits limits, TimeProvider time)
{
    /// <summary>Sequences that are read at a time when all is read: what is fetched for them is in memory at once.</summary>
    public const int SegmentLength = 1024;

    private const string Everything = ">";
    private const int RequestsMax = 64;

    // After that many times a range that has no end is taken as it is: what stood there was deleted.
    private const int AttemptsMax = 40;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(3);

    /// <summary>Reads everything in a range that is at most a segment long. In the order of the stream.</summary>
    /// <param name="after">The sequence before the range.</param>
    /// <param name="through">The last sequence of the range, which the stream has reached.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<List<KeptMessage>> ReadSegmentAsync(long after, long through, CancellationToken cancellationToken)
    {
        long part = (through - after + RequestsMax - 1) / RequestsMax;
        var starts = Enumerable.Range(0, RequestsMax).Select(i => after + (i * part)).Where(start => start < through);
        var found = await Task.WhenAll(starts.Select(start => ReadToEndAsync(Everything, start, Math.Min(through, start + part), cancellationToken)));
        return [.. found.SelectMany(messages => messages)];
    }

    /// <summary>Reads what a channel has in a range, of which the last sequence is one of its messages, unless it has been dropped.</summary>
    public Task<List<KeptMessage>> ReadToMessageAsync(ChannelName channel, long after, long through, CancellationToken cancellationToken) =>
        ReadToEndAsync(channel.Value, after, through, cancellationToken);

    /// <summary>Reads the newest messages of a range, as many as a log keeps for those who are behind.</summary>
    /// <param name="filter">Which channel or pattern.</param>
    /// <param name="after">The sequence before the range.</param>
    /// <param name="through">The last sequence of the range, which the stream has reached.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The messages, and the sequence after which all are there that there were.</returns>
    public async Task<(List<KeptMessage> Messages, long After)> ReadNewestAsync(ChannelFilter filter, long after, long through, CancellationToken cancellationToken)
    {
        var extent = await MeasureSettledAsync(through, cancellationToken);
        long from = Math.Max(after, Math.Min(through, extent.First - 1));
        var (messages, read) = await ReadFromEndAsync(filter.Value, from, through, cancellationToken);
        return (messages, Math.Max(TrimToLimits(messages, read), EatenThrough(messages)));
    }

    // In steps that grow: of a range of millions only the end may be needed.
    private async Task<(List<KeptMessage> Messages, long Read)> ReadFromEndAsync(string filter, long after, long through, CancellationToken cancellationToken)
    {
        var messages = new List<KeptMessage>();
        long read = through;
        for (long length = SegmentLength; read > after && messages.Count < limits.LogEntriesMax; length *= 4)
        {
            long next = Math.Max(after, read - length);
            messages.InsertRange(0, await ReadAsync(filter, next, read, cancellationToken));
            read = next;
        }

        return (messages, read);
    }

    // A server that does not hear from the others for so long does not believe any more that it leads them.
    private async Task<StreamExtent> MeasureSettledAsync(long through, CancellationToken cancellationToken)
    {
        long begun = time.GetTimestamp();
        while (true)
        {
            var extent = await stream.MeasureAsync(cancellationToken);
            bool isOver = time.GetElapsedTime(begun) > SettlingTime;
            if (extent.Last >= through && (extent.IsSettled || isOver))
            {
                return extent;
            }

            if (isOver)
            {
                throw new TimeoutException("The stream has not reached what was read of it before.");
            }

            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }

    private async Task<List<KeptMessage>> ReadAsync(string filter, long after, long through, CancellationToken cancellationToken)
    {
        var messages = new List<KeptMessage>();
        while (after < through && await stream.FindNextAsync(filter, after + 1, cancellationToken) is { } message && message.Sequence <= through)
        {
            messages.Add(message);
            after = message.Sequence;
        }

        return messages;
    }

    private async Task<List<KeptMessage>> ReadToEndAsync(string filter, long after, long through, CancellationToken cancellationToken)
    {
        var messages = new List<KeptMessage>();
        for (int attempt = 0; after < through && attempt < AttemptsMax;)
        {
            // Nearly every sequence is a message, which is found without a search.
            var found = filter == Everything ? await stream.FindAtAsync(after + 1, cancellationToken) : null;
            if ((found ?? await stream.FindNextAsync(filter, after + 1, cancellationToken)) is not { } message)
            {
                attempt++;
                if ((await stream.MeasureAsync(cancellationToken)).First > through)
                {
                    break;
                }

                await Task.Delay(RetryInterval, time, cancellationToken);
                continue;
            }

            after = message.Sequence;
            if (after <= through)
            {
                messages.Add(message);
            }
        }

        return messages;
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
