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
    // Longer than it takes to find another server to lead the stream, as a rule.
    private static readonly TimeSpan SilenceOfTrouble = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly HistoryStream _stream;
    private readonly SemaphoreSlim _opened = new(0);
    private StreamFeed? _feed;
    private HistoryFiller? _filler;
    private volatile string? _trouble;

    /// <summary>Makes a broker that connects when it is attached.</summary>
    public JetStreamBroker(NatsBrokerSettings settings, IBusObserver observer, TimeProvider time)
        : base(settings, new BusSubjects(settings.Prefix, isKept: true), observer, time)
    {
        _stream = new HistoryStream(Connection, Subjects, settings);
    }

    /// <summary>When the stream was made, in units of 100 nanoseconds since 1970. 0: the node has not reached it yet.</summary>
    public override ulong Epoch => _feed?.Epoch ?? 0;

    /// <inheritdoc/>
    public override bool IsDurable => true;

    /// <summary>Messages that had not come and were fetched.</summary>
    public long Filled => _feed?.Filled ?? 0;

    /// <inheritdoc/>
    public override void Attach(ChannelHub hub)
    {
        ArgumentNullException.ThrowIfNull(hub);
        var reader = new HistoryReader(_stream, hub.Limits, Time);
        _filler = new HistoryFiller(hub, reader);
        _feed = new StreamFeed(_stream, reader, hub, Inbox, Interests, Subjects, Connection, Time) { OnHole = CountHole, OnMadeAnew = StopUsing, OnLag = lag => OnLag?.Invoke(lag) };
        base.Attach(hub);
        Run(() => OpenStreamAsync(Ending));
        Run(() => _feed.BeatAsync(Ending));
    }

    /// <inheritdoc/>
    public override string? Trouble =>
        Connection.ConnectionState != NatsConnectionState.Open ? base.Trouble
        : !IsConnected ? $"connected to NATS, but its stream is not open: {_trouble ?? "it has not answered yet"}"
        : _feed!.Silence > SilenceOfTrouble ? string.Create(CultureInfo.InvariantCulture, $"connected to NATS, but its stream has not been heard for {_feed.Silence.TotalSeconds:F0} s")
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

    private protected override Task ReceiveAsync(CancellationToken cancellationToken) => _feed!.RunAsync(cancellationToken);

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
        await _feed!.Begun.WaitAsync(cancellationToken);
        var extent = await _stream.MeasureAsync(cancellationToken);
        Hub.NoteKnown(extent.Last);
        foreach (var interest in interests)
        {
            // What was read meanwhile was read without this interest.
            long floor = Math.Max(extent.Last, Hub.Appended);
            if (interest.TrySetFloor(floor))
            {
                Hub.SetFloor(interest.Filter, floor);
            }
            else if (interest.IsBlind)
            {
                // What came between its floor and now is to be read.
                interest.IsBlind = false;
                Inbox.Mark(null);
            }
        }
    }

    private void BeginBlindly(Interest interest)
    {
        long floor = Hub.Appended;
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
                await _feed!.WaitForAsync(channels.Max(Hub.GetNewest), Settings.JetStream.AckWait, Ending);
            }
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, CancellationToken.None))
        {
            // Another node may have what this one cannot get; here it would be a gap.
            throw new BusUnavailableException();
        }
    }

    private long FloorOf(ChannelFilter channel) => Epoch > 0 && Interests.Find(channel) is { Floor: < Interest.NoFloor } interest ? interest.Floor : throw new BusUnavailableException();

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
                await _feed!.BeginAsync(extent, cancellationToken);
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

    private void StopUsing()
    {
        Close();
        Report(MadeAnew);
    }
}
