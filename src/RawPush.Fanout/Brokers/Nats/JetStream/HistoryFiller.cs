using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Brokers.Nats.JetStream;

/// <summary>Fills the logs of channels to whose past somebody comes back, with what the stream has and the node has not. Safe for threads.</summary>
/// <remarks>One at a time for a channel: of a crowd that comes back to it after a failure the first waits for the stream, and the others find it in the log.</remarks>
internal sealed class HistoryFiller(ChannelHub hub, HistoryReader reader)
{
    /// <summary>How long the log is kept for somebody who does not join after all.</summary>
    public static readonly TimeSpan PinTime = TimeSpan.FromSeconds(30);

    // Channels that are filled at once; others, and those that share a lock by chance, wait.
    private const int FillsMax = 64;

    // More is lost while it is filled only where the log is full of what comes: after that many it is a gap.
    private const int AttemptsMax = 3;

    private readonly SemaphoreSlim[] _locks = [.. Enumerable.Range(0, FillsMax).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Sees to it that the log has what a subscriber needs, as far as logs keep messages for those who are behind.</summary>
    /// <param name="filter">The channel or pattern.</param>
    /// <param name="floor">What is later than this reaches the node.</param>
    /// <param name="start">Where the subscriber starts.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FillAsync(ChannelFilter filter, long floor, StartPoint start, CancellationToken cancellationToken)
    {
        var turn = _locks[(uint)filter.GetHashCode() % FillsMax];
        await turn.WaitAsync(cancellationToken);
        try
        {
            for (int attempt = 0; attempt < AttemptsMax && hub.TryPin(filter, floor, PinTime, out long dropped); attempt++)
            {
                long wanted = After(filter, start);
                if (wanted >= dropped)
                {
                    return;
                }

                var (messages, after) = await reader.ReadNewestAsync(filter, wanted, dropped, cancellationToken);
                if (hub.TryFill(filter, messages, after, dropped))
                {
                    return;
                }
            }
        }
        finally
        {
            turn.Release();
        }
    }

    private long After(ChannelFilter filter, StartPoint start) => start switch
    {
        { Count: > 0 } when hub.CountEntries(filter) >= start.Count => long.MaxValue,
        { Position: { } position } when position.Epoch == hub.Broker.Epoch => position.Sequence,
        _ => 0,
    };
}
