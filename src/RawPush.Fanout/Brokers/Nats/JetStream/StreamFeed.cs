using NATS.Client.Core;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;

namespace RawPush.Fanout.Brokers.Nats.JetStream;

/// <summary>Brings what the stream sends on into the hub, in order and whole: what did not come is fetched before what follows goes on.</summary>
/// <remarks>One task takes what comes, and may be asked for what follows by any thread.</remarks>
internal sealed class StreamFeed(HistoryStream stream, HistoryReader reader, ChannelHub hub, BusInbox inbox, InterestTable interests, BusSubjects subjects, NatsConnection connection, TimeProvider time)
{
    private const string SequenceField = "Nats-Sequence";
    private const string PreviousField = "Nats-Last-Sequence";
    private const string ElectionSubject = "$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.";

    // Channels whose last sequence is remembered. Of one that is forgotten, a loss of what came long ago is found by the heartbeats alone.
    private const int NumbersRemembered = 100_000;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly Heartbeat _beat = new(time);
    private readonly RecentTable<ChannelName> _last = new(NumbersRemembered);
    private readonly Lock _appending = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);   // Completed when the epoch is known.
    private TaskCompletionSource _advance = new(TaskCreationOptions.RunContinuationsAsynchronously);          // Completed when everything up to some sequence has come.
    private BusSubscription[] _own = [];   // Held here: the client lets go of those that nobody holds.
    private int _isPrompted;
    private long _epoch;
    private bool _isOver;
    private int _turns;
    private long _turnedAt;
    private long _forgottenThrough;
    private long _filled;

    /// <summary>Told of a place where something did not come.</summary>
    public required Action OnHole { get; init; }

    /// <summary>Told that another stream has the place of the one that was used.</summary>
    public required Action OnMadeAnew { get; init; }

    /// <summary>Told how long each message took from the stream.</summary>
    public required Action<TimeSpan> OnLag { get; init; }

    /// <summary>Which stream it is; 0: it has not begun.</summary>
    public ulong Epoch => (ulong)Interlocked.Read(ref _epoch);

    /// <summary>Ends when the epoch is known.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Messages that had not come and were fetched.</summary>
    public long Filled => Interlocked.Read(ref _filled);

    /// <summary>How long nothing has been heard from the stream.</summary>
    public TimeSpan Silence => _beat.Age;

    /// <summary>The stream is known. Whoever was let in before has missed what there is, and is told so.</summary>
    public async Task BeginAsync(StreamExtent extent, CancellationToken cancellationToken)
    {
        _own = [new BusSubscription(connection, subjects.ToListen(HistoryStream.BeatChannel), inbox), new BusSubscription(connection, ElectionSubject + stream.Name, inbox)];
        foreach (var subscription in _own)
        {
            await connection.AddSubAsync(subscription, cancellationToken);
        }

        Interlocked.Exchange(ref _epoch, (long)extent.Epoch);
        var blind = InterestsWithFloor();
        MissAll(extent.Last);
        Settle(blind, extent.Last);
        _begun.TrySetResult();
    }

    /// <summary>Takes what comes, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _begun.Task.WaitAsync(cancellationToken);
        while (await inbox.WaitAsync(cancellationToken))
        {
            while (inbox.TryTake(out var delivery))
            {
                if (_isOver)
                {
                    // The stream is another one: nothing of it has a place here.
                    continue;
                }

                bool isLoss = delivery.Bytes is null || delivery.Subject!.StartsWith(ElectionSubject, StringComparison.Ordinal);
                if (isLoss || _beat.IsSilentAt(delivery.At))
                {
                    await CatchUpAsync(cancellationToken);
                }

                if (!isLoss)
                {
                    await TakeAsync(delivery, cancellationToken);
                }
            }
        }
    }

    /// <summary>Publishes heartbeats when nobody else does, until cancelled.</summary>
    public async Task BeatAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Heartbeat.Interval / 5, time);
        var wait = Heartbeat.Interval;
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (Epoch > 0 && connection.ConnectionState == NatsConnectionState.Open && _beat.Age > wait)
            {
                wait = Heartbeat.Interval * (1 + (Random.Shared.NextDouble() / 2));
                await TryBeatAsync(cancellationToken);
            }
        }
    }

    /// <summary>Ends when everything up to a sequence has come: who reads several channels gets them in the order of the stream up to there. Any thread.</summary>
    public async Task WaitForAsync(long sequence, TimeSpan patience, CancellationToken cancellationToken)
    {
        while (true)
        {
            var advance = Volatile.Read(ref _advance).Task;
            if (hub.Appended >= sequence)
            {
                return;
            }

            // A heartbeat says so, and one is enough for all who wait.
            if (Interlocked.Exchange(ref _isPrompted, 1) == 0)
            {
                await stream.BeatAsync(cancellationToken);
            }

            await advance.WaitAsync(patience, time, cancellationToken);
        }
    }

    private async Task TakeAsync(BusDelivery delivery, CancellationToken cancellationToken)
    {
        if (!BusMessages.TryReadFields(connection.HeaderParser, delivery.Headers, out var fields))
        {
            // A stranger's. The next one on its channel says that it was there.
            return;
        }

        long sequence = BusMessages.ReadNumber(fields, SequenceField);
        long previous = BusMessages.ReadNumber(fields, PreviousField);
        if (delivery.By is not BusSubscription { Interest: { } interest })
        {
            if (!_beat.Hear(sequence, previous, delivery.At))
            {
                await CatchUpAsync(cancellationToken);
            }

            Advance(sequence);
        }
        else if (sequence > 0 && subjects.TryRead(delivery.Subject!, out var channel))
        {
            // Without patterns, who brought it is the only one who wants it.
            long floor = interests.HasPatterns ? FloorOf(channel) : interest.Floor;
            bool hasFloor = floor < Interest.NoFloor;
            long known = Math.Max(_last.Find(channel) is > 0 and var last ? last : _forgottenThrough, hasFloor ? floor : 0);
            if (previous > known && hasFloor)
            {
                await FillHoleAsync(channel, known, previous, cancellationToken);
            }

            if (sequence > known)
            {
                var keptAt = BusMessages.ReadTime(fields);
                await AppendAsync(new KeptMessage(channel, BusMessages.ReadKept(fields, delivery.Payload), sequence, keptAt.ToUnixTimeMilliseconds()), cancellationToken);
                OnLag(time.GetUtcNow() - keptAt is { Ticks: > 0 } lag ? lag : TimeSpan.Zero);
            }
        }
    }

    // What stands above it is new to somebody. NoFloor: nobody listens, or NATS has not said yet where they begin.
    private long FloorOf(ChannelName channel)
    {
        long floor = interests.Find(channel)?.Floor ?? Interest.NoFloor;
        foreach (var pattern in interests.Patterns)
        {
            floor = pattern.Floor < floor && pattern.Filter.Matches(channel) ? pattern.Floor : floor;
        }

        return floor;
    }

    // The next message on a channel is here, and not the one before it.
    private async Task FillHoleAsync(ChannelName channel, long after, long through, CancellationToken cancellationToken)
    {
        OnHole();
        var messages = await RetryAsync(() => reader.ReadToMessageAsync(channel, after, through, cancellationToken), cancellationToken);
        bool isEaten = stream.MessagesPerChannel is > 0 and var max && messages.Count >= max;
        if (isEaten)
        {
            Lose(channel, messages[0].Sequence - 1);
        }

        foreach (var message in messages)
        {
            await AppendFilledAsync(message, cancellationToken);
        }

        if (messages.Count == 0 || messages[^1].Sequence < through)
        {
            Lose(channel, through);
        }
    }

    // Everything that the node listens to, from where it is sure to have all. What comes meanwhile waits in the inbox.
    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        OnHole();
        var extent = await MeasureAsync(cancellationToken);
        if (extent.Epoch != Epoch)
        {
            _isOver = true;
            OnMadeAnew();
            return;
        }

        // Those that get their floor while it is read are not all read for.
        var interested = InterestsWithFloor();
        long through = _beat.Settled;
        if (extent.First - 1 > through)
        {
            MissAll(extent.First - 1);
            through = extent.First - 1;
        }

        bool mayBeEaten = stream.MessagesPerChannel is > 0 and var max && extent.Last - through >= max;
        for (; through < extent.Last; through = Math.Min(through + HistoryReader.SegmentLength, extent.Last))
        {
            await ReadOnAsync(through, Math.Min(through + HistoryReader.SegmentLength, extent.Last), mayBeEaten, cancellationToken);
        }

        Settle(interested, extent.Last);
    }

    private Interest[] InterestsWithFloor() => Array.FindAll(interests.All(), interest => interest.Floor < Interest.NoFloor);

    // What has been read, or told of, is passed over when it comes.
    private void Settle(Interest[] interested, long sequence)
    {
        Array.ForEach(interested, interest => interest.RaiseFloor(sequence));
        _beat.Settle(sequence);
        Advance(sequence);
    }

    // A server that was cut off may still believe that it leads, and does not know of what has been heard already.
    private async Task<StreamExtent> MeasureAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var extent = await RetryAsync(() => stream.MeasureAsync(cancellationToken), cancellationToken);
            if (extent.Last >= _beat.Newest || extent.Epoch != Epoch)
            {
                return extent;
            }

            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }

    private void Advance(long sequence)
    {
        lock (_appending)
        {
            hub.Advance(sequence);
        }

        hub.NoteKnown(sequence);
        Volatile.Write(ref _isPrompted, 0);
        Interlocked.Exchange(ref _advance, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    private async Task ReadOnAsync(long after, long through, bool mayBeEaten, CancellationToken cancellationToken)
    {
        if (interests.Count == 0)
        {
            return;
        }

        foreach (var message in await RetryAsync(() => reader.ReadSegmentAsync(after, through, cancellationToken), cancellationToken))
        {
            long known = _last.Find(message.Channel);
            if (message.Sequence > known && IsWanted(message))
            {
                if (mayBeEaten && known <= _beat.Settled && await IsEatenAsync(message, known, cancellationToken))
                {
                    Lose(message.Channel, message.Sequence - 1);
                }

                await AppendFilledAsync(message, cancellationToken);
            }
        }
    }

    private bool IsWanted(KeptMessage message) => message.IsOfChannel && FloorOf(message.Channel) < message.Sequence;

    // The oldest of a channel goes first: while there is one from before what is missing, all that followed it is there.
    private async Task<bool> IsEatenAsync(KeptMessage message, long known, CancellationToken cancellationToken)
    {
        var oldest = await RetryAsync(() => stream.FindNextAsync(message.Channel.Value, 1, cancellationToken), cancellationToken);
        return oldest is null || oldest.Value.Sequence > Math.Max(known, _beat.Settled);
    }

    private async Task AppendFilledAsync(KeptMessage message, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _filled);
        await AppendAsync(message, cancellationToken);
    }

    private async ValueTask AppendAsync(KeptMessage kept, CancellationToken cancellationToken)
    {
        Remember(kept);
        byte[]? frame = hub.IsWanted(kept.Channel) ? ChannelHub.CreateFrame(kept.Message) : null;
        try
        {
            AppendedMessage appended;
            lock (_appending)
            {
                appended = hub.Append(kept.Channel, kept.Message, frame, new MessageId(Epoch, kept.Sequence), kept.TimeMs);
            }

            // It waits for room in the log, while what comes waits in the inbox; but not for shards that have ended.
            await appended.DeliverAsync().WaitAsync(cancellationToken);
        }
        catch (PublishRefusedException)
        {
            // The node has no room for another channel, and patterns may have wanted it.
            Lose(kept.Channel, kept.Sequence);
        }
    }

    // What is forgotten was used last before the turn before this one.
    private void Remember(KeptMessage kept)
    {
        _last.Exchange(kept.Channel, kept.Sequence);
        if (_last.Turns != _turns)
        {
            _turns = _last.Turns;
            (_forgottenThrough, _turnedAt) = (_turnedAt, hub.Appended);
        }
    }

    private void Miss(ChannelFilter filter, long sequence)
    {
        lock (_appending)
        {
            hub.Miss(filter, sequence);
        }
    }

    private void Lose(ChannelName channel, long sequence)
    {
        lock (_appending)
        {
            hub.Lose(channel, sequence);
        }
    }

    private void MissAll(long sequence)
    {
        long place = Math.Max(sequence, hub.Appended);
        Array.ForEach(interests.All(), interest => Miss(interest.Filter, place));
    }

    private async Task TryBeatAsync(CancellationToken cancellationToken)
    {
        try
        {
            await stream.BeatAsync(cancellationToken);
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, cancellationToken))
        {
            // Nobody hears it, which says the same.
        }
    }

    private Task<T> RetryAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken) => BusFaults.RetryAsync(work, RetryInterval, time, cancellationToken);
}
