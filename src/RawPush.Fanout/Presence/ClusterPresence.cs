using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Presence;

/// <summary>Asks this node and the others, once for all who ask about a channel at the same time and within a second after the answer.</summary>
/// <param name="hub">Who is on this node; its broker reaches the others.</param>
/// <param name="time">The clock of what is remembered.</param>
public sealed class ClusterPresence(ChannelHub hub, TimeProvider time) : IPresence, IDisposable
{
    /// <summary>Channels that are asked about, or of which an answer is remembered, at a time.</summary>
    internal const int QuestionsMax = 1024;

    /// <summary>Questions that nodes are asked at a time; the others wait.</summary>
    internal const int AskedMax = 32;

    /// <summary>Names in all answers that are remembered.</summary>
    internal const int NamesRememberedMax = 100_000;

    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<(ChannelFilter Channel, bool WithUsers), Task<PresenceReport>> _questions = [];
    private readonly Queue<Remembered> _answers = new();   // By age.
    private readonly SemaphoreSlim _turns = new(AskedMax);
    private ITimer? _forgetting;
    private int _namesRemembered;

    /// <inheritdoc/>
    public Task<PresenceReport> CountAsync(ChannelFilter channel, CancellationToken cancellationToken = default) => Ask(channel, withUsers: false).WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<PresenceReport> FindUsersAsync(ChannelFilter channel, CancellationToken cancellationToken = default) => Ask(channel, withUsers: true).WaitAsync(cancellationToken);

    /// <summary>Forgets everything.</summary>
    public void Dispose() => _forgetting?.Dispose();

    private Task<PresenceReport> Ask(ChannelFilter channel, bool withUsers)
    {
        lock (_lock)
        {
            ForgetStaleLocked();
            var key = (channel, withUsers);
            if (_questions.TryGetValue(key, out var asked))
            {
                return asked;
            }

            if (_questions.Count >= QuestionsMax && !TryForgetOldestLocked())
            {
                return Task.FromException<PresenceReport>(new PresenceBusyException());
            }

            // Elsewhere, since whoever asks may be on a shard that has to answer.
            asked = Task.Run(() => AskInTurnAsync(channel, withUsers));
            _questions.Add(key, asked);
            return asked;
        }
    }

    private async Task<PresenceReport> AskInTurnAsync(ChannelFilter channel, bool withUsers)
    {
        PresenceReport? report = null;
        await _turns.WaitAsync();
        try
        {
            return report = await AskAllAsync(channel, withUsers);
        }
        finally
        {
            _turns.Release();
            Remember(new Remembered((channel, withUsers), report?.Users?.Names.Count ?? 0, time.GetTimestamp()));
        }
    }

    private async Task<PresenceReport> AskAllAsync(ChannelFilter channel, bool withUsers)
    {
        var others = hub.Broker.AskPeersAsync(channel, withUsers);
        var own = await hub.FindPresenceAsync(channel, withUsers);
        var peers = await others;
        return PresenceSum.Of(channel, [own, .. peers.Answers], new NodeTally(peers.Known + 1, peers.Answers.Count + 1, hub.Broker.IsConnected), withUsers);
    }

    private void Remember(Remembered answer)
    {
        lock (_lock)
        {
            _answers.Enqueue(answer);
            _namesRemembered += answer.Names;
            while (_namesRemembered > NamesRememberedMax && TryForgetOldestLocked())
            {
            }

            // For the memory alone: what is too old is given to nobody.
            _forgetting ??= time.CreateTimer(static state => ((ClusterPresence)state!).ForgetStale(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _forgetting.Change(Freshness, Timeout.InfiniteTimeSpan);
        }
    }

    private void ForgetStale()
    {
        lock (_lock)
        {
            ForgetStaleLocked();
        }
    }

    private void ForgetStaleLocked()
    {
        while (_answers.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) >= Freshness)
        {
            TryForgetOldestLocked();
        }
    }

    private bool TryForgetOldestLocked()
    {
        if (!_answers.TryDequeue(out var oldest))
        {
            return false;
        }

        _questions.Remove(oldest.Key);
        _namesRemembered -= oldest.Names;
        return true;
    }

    private readonly record struct Remembered((ChannelFilter Channel, bool WithUsers) Key, int Names, long At);
}
