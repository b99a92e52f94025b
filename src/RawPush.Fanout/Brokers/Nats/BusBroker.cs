using NATS.Client.Core;
using RawPush.Fanout.Brokers.Nats.Nodes;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;
using RawPush.Fanout.Publishing;

namespace RawPush.Fanout.Brokers.Nats;

/// <summary>What nodes on NATS have in common, with memory or without: the connection, what they listen to, and the inbox. Safe for threads.</summary>
public abstract class BusBroker : IBroker, IAsyncDisposable
{
    // A connection that is lost is noticed before that, and a handshake may take longer.
    private static readonly TimeSpan InterestWait = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _state = new();
    private readonly BusTrouble _trouble;
    private readonly CancellationTokenSource _ending = new();
    private readonly List<Task> _tasks = [];
    private readonly NodeBus _nodes;
    private ChannelHub? _hub;
    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);      // Completed while there is a connection.
    private TaskCompletionSource _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);   // Completed while there is none.
    private bool _isOpen;
    private long _holes;
    private long _reconnects;

    private protected BusBroker(NatsBrokerSettings settings, BusSubjects subjects, IBusObserver observer, TimeProvider time)
    {
        Settings = settings;
        Subjects = subjects;
        Observer = observer;
        Time = time;
        Inbox = new BusInbox(time);
        _trouble = new BusTrouble(settings.Urls!, time);
        Connection = new NatsConnection(NatsOptions.From(settings));
        Interests = new InterestTable(Connection, subjects, Inbox, time, settings.InterestLinger, OnInterestBegun, ConfirmInterestAsync);
        _nodes = new NodeBus(Connection, settings.Prefix, time) { OnLoss = OnPathLost };
        Connection.ConnectionOpened += Reconnect;
        Connection.ConnectionDisconnected += Disconnect;
        Connection.ServerError += NoteError;
    }

    /// <inheritdoc/>
    public abstract ulong Epoch { get; }

    /// <inheritdoc/>
    public bool IsConnected => Volatile.Read(ref _isOpen);

    /// <inheritdoc/>
    public virtual string? Trouble => IsConnected ? null : _trouble.ToString();

    /// <inheritdoc/>
    public virtual bool IsDurable => false;

    /// <summary>Channels and patterns that this node listens to.</summary>
    public int InterestCount => Interests.Count;

    /// <summary>Other nodes that live, as far as this one knows.</summary>
    public int OtherNodes => _nodes.Count;

    /// <summary>Places where messages did not come through: they were fetched, or each is a gap for the channel's subscribers.</summary>
    public long Holes => Interlocked.Read(ref _holes);

    /// <summary>How often the connection was lost and came back.</summary>
    public long Reconnects => Interlocked.Read(ref _reconnects);

    /// <summary>Messages from other nodes that found the inbox full.</summary>
    public long Dropped => Inbox.Dropped;

    /// <summary>Told how long each message took to this node's log: from its publishing node's call, or where NATS keeps messages, from when it was kept.</summary>
    public Action<TimeSpan>? OnLag { get; set; }

    private protected NatsBrokerSettings Settings { get; }

    private protected BusSubjects Subjects { get; }

    private protected IBusObserver Observer { get; }

    private protected TimeProvider Time { get; }

    private protected NatsConnection Connection { get; }

    private protected BusInbox Inbox { get; }

    private protected InterestTable Interests { get; }

    private protected ChannelHub Hub => _hub ?? throw new InvalidOperationException("The broker is not attached to a hub.");

    /// <summary>Cancelled when the broker ends.</summary>
    private protected CancellationToken Ending => _ending.Token;

    /// <summary>Ends when messages come and go.</summary>
    private protected Task Opening => Volatile.Read(ref _connected).Task;

    /// <summary>Ends when the connection is lost.</summary>
    private protected Task Disconnection => Volatile.Read(ref _disconnected).Task;

    /// <inheritdoc/>
    public virtual void Attach(ChannelHub hub)
    {
        _hub = hub;
        Interests.Max = 2L * hub.Limits.ChannelsMax;
        Run(async () => await Connection.ConnectAsync());
        Run(() => Interests.RunAsync(Ending));
        Run(() => ReceiveAsync(Ending));
        Run(() => SweepAsync(Ending));
        Run(() => _nodes.RunAsync(Ending));
        Run(() => _nodes.AnswerAsync(hub, Ending));
    }

    /// <inheritdoc/>
    public abstract ValueTask<PublishReceipt> PublishAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public virtual Task PrepareAsync(IReadOnlyList<ChannelFilter> channels, StartPoint start)
    {
        bool isConnected = IsConnected;
        if (!isConnected && Settings.WithoutBus == WithoutBus.Fail)
        {
            return Task.FromException(new BusUnavailableException());
        }

        List<Task>? pending = null;
        foreach (var channel in channels)
        {
            var ready = Interests.AddAsync(channel);
            if (ready.IsFaulted)
            {
                return ready;
            }

            if (!ready.IsCompleted)
            {
                (pending ??= []).Add(ready);
            }
        }

        return pending is null || !isConnected ? Task.CompletedTask : WaitForInterestAsync(Task.WhenAll(pending));
    }

    /// <inheritdoc/>
    public void AddInterest(ChannelFilter channel) => _ = Interests.AddAsync(channel);

    /// <inheritdoc/>
    public void RemoveInterest(ChannelFilter channel) => Interests.Linger(channel);

    /// <inheritdoc/>
    public Task<PeerAnswers> AskPeersAsync(ChannelFilter channel, bool withUsers) => _nodes.AskAsync(new NodeQuestion(channel, withUsers));

    /// <summary>Says goodbye to NATS; what was published has left.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _nodes.SayGoodbyeAsync();
        try
        {
            await Connection.DisposeAsync();
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, CancellationToken.None))
        {
            // NATS does not take our goodbye, and finds out by itself.
        }

        await Task.WhenAll(_tasks);
        _ending.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task WaitForInterestAsync(Task ready)
    {
        try
        {
            await Task.WhenAny(ready, Disconnection).WaitAsync(InterestWait, Time);
        }
        catch (TimeoutException)
        {
            // NATS is there, and says nothing.
            throw new BusUnavailableException();
        }
    }

    /// <summary>Takes what has come out of the inbox, in order, until cancelled.</summary>
    private protected abstract Task ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>The node begins to listen to a channel or pattern: what was published before it has not got. Called under the lock of the interests.</summary>
    private protected abstract void OnInterestBegun(Interest interest);

    /// <summary>Ends when NATS has heard of all that was subscribed to before.</summary>
    private protected abstract Task ConfirmInterestAsync(List<Interest> interests, CancellationToken cancellationToken);

    /// <summary>There is a connection. What is needed before <see cref="Open"/> must not be waited for here.</summary>
    private protected abstract void OnOpened();

    /// <summary>The connection is lost.</summary>
    private protected virtual void OnLost()
    {
    }

    /// <summary>Messages come and go from now on, if the connection has not been lost again meanwhile.</summary>
    private protected void Open()
    {
        lock (_state)
        {
            if (Connection.ConnectionState == NatsConnectionState.Open && !_isOpen)
            {
                Volatile.Write(ref _isOpen, true);
                Volatile.Write(ref _disconnected, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                Volatile.Read(ref _connected).TrySetResult();
            }
        }
    }

    /// <summary>What another node published lately may not have come, though this one has its connection. Must not wait.</summary>
    private protected virtual void OnPathLost()
    {
    }

    private protected static PublishRefusedException NoBus() => new(PublishRefusal.NoBus, "the server is cut off from the others at the moment; nothing was published");

    private protected void CountHole() => Interlocked.Increment(ref _holes);

    /// <summary>Starts a part of the broker. It ends with the broker, or is a bug.</summary>
    private protected void Run(Func<Task> work) => _tasks.Add(Task.Run(() => UntilEnd(work)));

    private protected async ValueTask WaitForConnectionAsync(CancellationToken cancellationToken)
    {
        if (!IsConnected && Settings.PublishWait > TimeSpan.Zero)
        {
            await Task.WhenAny(Opening, Task.Delay(Settings.PublishWait, Time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }

        if (!IsConnected)
        {
            throw NoBus();
        }
    }

    /// <summary>Refuses what NATS would not take.</summary>
    private protected void Check(in PushMessage message)
    {
        // What is not the payload takes less than this: five fields of at most 255 bytes, a channel's name, and the fields' names.
        const int FieldsBytesMax = 2048;
        long max = Connection.ServerInfo?.MaxPayload ?? long.MaxValue;
        if (message.Payload.Length + FieldsBytesMax > max)
        {
            throw new PublishRefusedException(PublishRefusal.TooLarge, $"a message is at most {max - FieldsBytesMax} bytes long, by the limit of NATS (max_payload)");
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(SweepInterval, Time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            await Interests.SweepAsync(Hub.HasSubscribers);
        }
    }

    private ValueTask Reconnect(object? sender, NatsEventArgs args)
    {
        Inbox.Reconnect();
        _trouble.End();
        OnOpened();
        Observer.OnConnected(args.Message);
        return ValueTask.CompletedTask;
    }

    private ValueTask Disconnect(object? sender, NatsEventArgs args)
    {
        Inbox.CutOff();
        Close();
        _nodes.Skip();
        _trouble.Begin();
        OnLost();
        Interlocked.Increment(ref _reconnects);
        Observer.OnDisconnected(args.Message);
        return ValueTask.CompletedTask;
    }

    private ValueTask NoteError(object? sender, NatsServerErrorEventArgs args)
    {
        _trouble.Note(args.Error);
        return ValueTask.CompletedTask;
    }

    /// <summary>No messages come and go any more.</summary>
    private protected void Close()
    {
        lock (_state)
        {
            if (_isOpen)
            {
                Volatile.Write(ref _isOpen, false);
                Volatile.Write(ref _connected, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                Volatile.Read(ref _disconnected).TrySetResult();
            }
        }
    }

    private async Task UntilEnd(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception) when (_ending.IsCancellationRequested)
        {
            // The broker ends, and its connection with it.
        }
        catch (Exception exception)
        {
            Observer.OnFault(exception);
        }
    }
}
