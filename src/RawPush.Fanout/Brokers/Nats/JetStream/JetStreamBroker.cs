using System.Globalization;
using NATS.Client.Core;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;

namespace RawPush.Fanout.Brokers.Nats.JetStream;

/// <summary>Shares channels with other nodes over NATS, which keeps every message: ids are the same on all nodes, and a client resumes on any of them.</summary>
/// <remarks>
/// One stream has the messages of all channels, and sends each that it has stored to whoever listens, with its place and that of the channel's message before it. What did not come is fetched
/// before what follows goes on: when that place says so, when the connection was lost or the inbox full, when another server leads the stream, and when heartbeats are missing. What the stream
/// has not got any more is told as a gap. Safe for threads.
/// </remarks>
public sealed class JetStreamBroker : BusBroker
{
    private const string SequenceField = "Nats-Sequence";
    private const string PreviousField = "Nats-Last-Sequence";
    private const string ElectionSubject = "$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.";

    // Channels whose last sequence is remembered. Of one that is forgotten, a loss is found by the heartbeats alone.
    private const int NumbersRemembered = 100_000;

    // Longer than it takes to find another server to lead the stream, as a rule.
    private static readonly TimeSpan SilenceOfTrouble = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly HistoryStream _stream;
    private readonly Heartbeat _beat;
    private BusSubscription[] _own = [];   // Held here: the client lets go of those that nobody holds.
    private readonly RecentTable<ChannelName> _last = new(NumbersRemembered);
    private readonly Lock _appending = new();
    private readonly SemaphoreSlim _opened = new(0);
    private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);   // Completed when the epoch is known.
    private TaskCompletionSource _advance = new(TaskCreationOptions.RunContinuationsAsynchronously);   // Completed when everything up to some sequence has come.
    private int _isPrompted;
    private HistoryReader? _reader;
    private HistoryFiller? _filler;
    private long _epoch;
    private long _filled;
    private long _readThrough;
    private volatile string? _trouble;

    /// <summary>Makes a broker that connects when it is attached.</summary>
    public JetStreamBroker(NatsBrokerSettings settings, IBusObserver observer, TimeProvider time)
        : base(settings, new BusSubjects(settings.Prefix, isKept: true), observer, time)
    {
        _stream = new HistoryStream(Connection, Subjects, settings);
        _beat = new Heartbeat(time);
    }

    /// <summary>When the stream was made, in units of 100 nanoseconds since 1970. 0: the node has not reached it yet.</summary>
    public override ulong Epoch => (ulong)Interlocked.Read(ref _epoch);

    /// <inheritdoc/>
    public override bool IsDurable => true;

    /// <summary>Messages that had not come and were fetched.</summary>
    public long Filled => Interlocked.Read(ref _filled);

    /// <inheritdoc/>
    public override void Attach(ChannelHub hub)
    {
        ArgumentNullException.ThrowIfNull(hub);
        _reader = new HistoryReader(_stream, hub.Limits, Time);
        _filler = new HistoryFiller(hub, _reader);
        base.Attach(hub);
        Run(() => OpenStreamAsync(Ending));
        Run(() => BeatAsync(Ending));
    }

    /// <inheritdoc/>
    public override string? Trouble =>
        Connection.ConnectionState != NatsConnectionState.Open ? base.Trouble
        : !IsConnected ? $"connected to NATS, but its stream is not open: {_trouble ?? "it has not answered yet"}"
        : _beat.Age > SilenceOfTrouble ? string.Create(CultureInfo.InvariantCulture, $"connected to NATS, but its stream has not been heard for {_beat.Age.TotalSeconds:F0} s")
        : null;

    /// <inheritdoc/>
    public override async ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default)
    {
        await WaitForConnectionAsync(cancellationToken);
        Check(message);
        var ack = await _stream.StoreAsync(channel, message, cancellationToken);
        return new PublishReceipt(new MessageId(Epoch, (long)ack.Seq), Hub.CountSubscribers(channel)) { IsDuplicate = ack.Duplicate };
    }

    /// <inheritdoc/>
    public override Task PrepareAsync(IReadOnlyList<ChannelFilter> channels, StartPoint start)
    {
        if (Epoch > 0 && start.IsLatest)
        {
            return base.PrepareAsync(channels, start);
        }

        return PrepareSlowlyAsync(channels, start);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _stream.Dispose();
        _opened.Dispose();
    }

    private string MadeAnew => $"the stream {_stream.Name} was made anew while this node was using it: the node must be restarted, since its ids mean nothing there";

    private protected override void OnOpened() => _opened.Release();

    // What NATS has not heard of when the connection breaks, or before it is there, begins with what the node has at that moment.
    private protected override void OnLost() => Array.ForEach(Interests.All(), BeginBlindly);

    private protected override void OnInterestBegun(Interest interest)
    {
        if (!IsConnected)
        {
            BeginBlindly(interest);
        }
    }

    // The answer of the server that leads the stream has come after our subscriptions have got there, by the same way.
    private protected override async Task ConfirmInterestAsync(List<Interest> interests, CancellationToken cancellationToken)
    {
        await _known.Task.WaitAsync(cancellationToken);
        var extent = await _stream.MeasureAsync(cancellationToken);
        Hub.NoteKnown(extent.Last);
        foreach (var interest in interests)
        {
            if (interest.TrySetFloor(extent.Last))
            {
                Hub.SetFloor(interest.Filter, extent.Last);
            }
            else if (interest.IsBlind)
            {
                // What came between its floor and now is to be read.
                interest.IsBlind = false;
                Inbox.Mark(null);
            }
        }
    }

    private protected override async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        await _known.Task.WaitAsync(cancellationToken);
        while (await Inbox.WaitAsync(cancellationToken))
        {
            while (Inbox.TryTake(out var delivery))
            {
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

    private void BeginBlindly(Interest interest)
    {
        long floor = Math.Max(Hub.Appended, Volatile.Read(ref _readThrough));
        if (interest.TrySetFloor(floor))
        {
            interest.IsBlind = true;
            Hub.SetFloor(interest.Filter, floor);
        }
    }

    private async Task PrepareSlowlyAsync(IReadOnlyList<ChannelFilter> channels, StartPoint start)
    {
        if (Epoch == 0)
        {
            // The server has just started, as a rule: whoever waits for a moment is not let in blindly.
            await Task.WhenAny(Opening, Task.Delay(FirstWait, Time, Ending));
        }

        await base.PrepareAsync(channels, start);
        if (!start.IsLatest)
        {
            await FillAsync(channels, start);
        }
    }

    private async Task FillAsync(IReadOnlyList<ChannelFilter> channels, StartPoint start)
    {
        try
        {
            if (start.Position is { } position && position.Epoch == Epoch && position.Sequence > Hub.Known)
            {
                Hub.NoteKnown((await _stream.MeasureAsync(Ending)).Last);
            }

            foreach (var channel in channels)
            {
                await _filler!.FillAsync(channel, FloorOf(channel), start, Ending);
            }

            if (channels.Count > 1 || channels[0].IsPattern)
            {
                await WaitForAsync(channels.Max(Hub.GetNewest));
            }
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, CancellationToken.None))
        {
            // Another node may have what this one cannot get; here it would be a gap.
            throw new BusUnavailableException();
        }
    }

    private long FloorOf(ChannelFilter channel) => Epoch > 0 && Interests.Find(channel) is { Floor: < Interest.NoFloor } interest ? interest.Floor : throw new BusUnavailableException();

    private async Task TakeAsync(BusDelivery delivery, CancellationToken cancellationToken)
    {
        if (!BusMessages.TryReadFields(Connection.HeaderParser, delivery.Headers, out var fields))
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
        else if (sequence > 0 && Subjects.TryRead(delivery.Subject!, out var channel))
        {
            long known = Math.Max(Math.Max(_last.Find(channel), _readThrough), interest.Floor);
            if (previous > known)
            {
                await FillHoleAsync(channel, known, previous, cancellationToken);
            }

            if (sequence > known)
            {
                var keptAt = BusMessages.ReadTime(fields);
                await AppendAsync(new KeptMessage(channel, BusMessages.ReadKept(fields, delivery.Payload), sequence, keptAt.ToUnixTimeMilliseconds()));
                OnLag?.Invoke(Time.GetUtcNow() - keptAt is { Ticks: > 0 } lag ? lag : TimeSpan.Zero);
            }
        }
    }

    // The next message on a channel is here, and not the one before it.
    private async Task FillHoleAsync(ChannelName channel, long after, long through, CancellationToken cancellationToken)
    {
        CountHole();
        var messages = await RetryAsync(() => _reader!.ReadToMessageAsync(channel, after, through, cancellationToken), cancellationToken);
        bool isEaten = _stream.MessagesPerChannel is > 0 and var max && messages.Count >= max;
        if (isEaten)
        {
            Lose(channel, messages[0].Sequence - 1);
        }

        foreach (var message in messages)
        {
            await AppendFilledAsync(message);
        }

        if (messages.Count == 0 || messages[^1].Sequence < through)
        {
            Lose(channel, through);
        }
    }

    // Everything that the node listens to, from where it is sure to have all. What comes meanwhile waits in the inbox.
    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        CountHole();
        var extent = await RetryAsync(() => _stream.MeasureAsync(cancellationToken), cancellationToken);
        if (extent.Epoch != Epoch)
        {
            Close();
            Report(MadeAnew);
            return;
        }

        long through = _beat.Settled;
        if (extent.First - 1 > through)
        {
            MissAll(extent.First - 1);
            through = extent.First - 1;
        }

        bool mayBeEaten = _stream.MessagesPerChannel is > 0 and var max && extent.Last - through >= max;
        for (; through < extent.Last; through = Math.Min(through + HistoryReader.SegmentLength, extent.Last))
        {
            await ReadOnAsync(through, Math.Min(through + HistoryReader.SegmentLength, extent.Last), mayBeEaten, cancellationToken);
        }

        Volatile.Write(ref _readThrough, extent.Last);
        _beat.Settle(extent.Last);
        Advance(extent.Last);
    }

    private void Advance(long sequence)
    {
        lock (_appending)
        {
            Hub.Advance(sequence);
        }

        Hub.NoteKnown(sequence);
        Volatile.Write(ref _isPrompted, 0);
        Interlocked.Exchange(ref _advance, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    // Who reads several channels gets them in the order of the stream, as far as everything has come. A heartbeat says so, and one is enough for all who wait.
    private async Task WaitForAsync(long sequence)
    {
        while (true)
        {
            var advance = Volatile.Read(ref _advance).Task;
            if (Hub.Appended >= sequence)
            {
                return;
            }

            if (Interlocked.Exchange(ref _isPrompted, 1) == 0)
            {
                await _stream.BeatAsync(Ending);
            }

            await advance.WaitAsync(Settings.JetStream.AckWait, Time, Ending);
        }
    }

    private async Task ReadOnAsync(long after, long through, bool mayBeEaten, CancellationToken cancellationToken)
    {
        var interests = Interests.All();
        if (interests.Length == 0)
        {
            return;
        }

        var patterns = Array.FindAll(interests, interest => interest.Filter.IsPattern);
        foreach (var message in await RetryAsync(() => _reader!.ReadSegmentAsync(after, through, cancellationToken), cancellationToken))
        {
            long known = _last.Find(message.Channel);
            if (message.Sequence > Math.Max(known, _readThrough) && IsWanted(message, patterns))
            {
                if (mayBeEaten && await IsEatenAsync(message, known, cancellationToken))
                {
                    Lose(message.Channel, message.Sequence - 1);
                }

                await AppendFilledAsync(message);
            }
        }
    }

    private bool IsWanted(KeptMessage message, Interest[] patterns) =>
        message.IsOfChannel
        && ((Interests.Find(message.Channel) is { } interest && interest.Floor < message.Sequence)
            || Array.Exists(patterns, pattern => pattern.Floor < message.Sequence && pattern.Filter.Matches(message.Channel)));

    // The oldest of a channel goes first: while there is one from before what is missing, all that followed it is there.
    private async Task<bool> IsEatenAsync(KeptMessage message, long known, CancellationToken cancellationToken)
    {
        var oldest = await RetryAsync(() => _stream.FindNextAsync(message.Channel.Value, 1, cancellationToken), cancellationToken);
        return oldest is null || oldest.Value.Sequence > Math.Max(known, _beat.Settled);
    }

    private async Task AppendFilledAsync(KeptMessage message)
    {
        Interlocked.Increment(ref _filled);
        await AppendAsync(message);
    }

    private async ValueTask AppendAsync(KeptMessage kept)
    {
        byte[]? frame = Hub.IsWanted(kept.Channel) ? ChannelHub.CreateFrame(kept.Message) : null;
        try
        {
            AppendedMessage appended;
            lock (_appending)
            {
                appended = Hub.Append(kept.Channel, kept.Message, frame, new MessageId(Epoch, kept.Sequence), kept.TimeMs);
            }

            _last.Exchange(kept.Channel, kept.Sequence);

            // It waits for room in the log, while what comes waits in the inbox; but not for shards that have ended.
            await appended.DeliverAsync().WaitAsync(Ending);
        }
        catch (PublishRefusedException)
        {
            // The node has no room for another channel: nobody here subscribes to it.
        }
    }

    private void Miss(ChannelFilter filter, long sequence)
    {
        lock (_appending)
        {
            Hub.Miss(filter, sequence);
        }
    }

    private void Lose(ChannelName channel, long sequence)
    {
        lock (_appending)
        {
            Hub.Lose(channel, sequence);
        }
    }

    private void MissAll(long sequence)
    {
        long place = Math.Max(sequence, Hub.Appended);
        Array.ForEach(Interests.All(), interest => Miss(interest.Filter, place));
    }

    private async Task OpenStreamAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _opened.WaitAsync(cancellationToken);
            while (Connection.ConnectionState == NatsConnectionState.Open && !await TryOpenAsync(cancellationToken))
            {
                await Task.Delay(RetryInterval, Time, cancellationToken);
            }
        }
    }

    private async Task<bool> TryOpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            var extent = await _stream.OpenAsync(cancellationToken);
            if (Epoch == 0)
            {
                await BeginAsync(extent, cancellationToken);
            }
            else if (Epoch != extent.Epoch)
            {
                throw new StreamMisfitException(MadeAnew);
            }

            _trouble = null;
            Open();
            return true;
        }
        catch (Exception exception) when (exception is StreamMisfitException || BusFaults.IsOfConnection(exception, cancellationToken))
        {
            Report(exception.Message);
            return false;
        }
    }

    private void Report(string trouble)
    {
        if (_trouble != trouble)
        {
            _trouble = trouble;
            Observer.OnMisfit(trouble);
        }
    }

    // Whoever was let in before has missed what there is, and is told so.
    private async Task BeginAsync(StreamExtent extent, CancellationToken cancellationToken)
    {
        _own = [new BusSubscription(Connection, Subjects.ToListen(HistoryStream.BeatChannel), Inbox), new BusSubscription(Connection, ElectionSubject + _stream.Name, Inbox)];
        foreach (var subscription in _own)
        {
            await Connection.AddSubAsync(subscription, cancellationToken);
        }

        Interlocked.Exchange(ref _epoch, (long)extent.Epoch);
        Volatile.Write(ref _readThrough, extent.Last);
        Hub.NoteKnown(extent.Last);
        _beat.Settle(extent.Last);
        MissAll(extent.Last);
        _known.TrySetResult();
    }

    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Heartbeat.Interval / 5, Time);
        var wait = Heartbeat.Interval;
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (IsConnected && _beat.Age > wait)
            {
                wait = Heartbeat.Interval * (1 + (Random.Shared.NextDouble() / 2));
                await TryBeatAsync(cancellationToken);
            }
        }
    }

    private async Task TryBeatAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _stream.BeatAsync(cancellationToken);
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, cancellationToken))
        {
            // Nobody hears it, which says the same.
        }
    }

    private async Task<T> RetryAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception exception) when (BusFaults.IsOfConnection(exception, cancellationToken))
            {
                await Task.Delay(RetryInterval, Time, cancellationToken);
            }
        }
    }
}
