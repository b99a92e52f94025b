using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using NATS.Client.Core;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Presence;

namespace RawPush.Fanout.Brokers.Nats.Nodes;

/// <summary>Knows which other nodes live, asks them who is on a channel, and answers them. On core NATS: what is asked twice is answered twice, and nothing of it is to be kept.</summary>
/// <remarks>Costs two messages per node and second, and one of each node for every question. Clients that come and go cost nothing. Safe for threads.</remarks>
internal sealed class NodeBus
{
    /// <summary>How often a node says that it lives. Connections between NATS servers that break take longer to be there again, so no loss falls between two.</summary>
    public static readonly TimeSpan AnnouncementInterval = TimeSpan.FromSeconds(0.5);

    /// <summary>When one is forgotten that does not.</summary>
    public static readonly TimeSpan SilenceMax = 7 * AnnouncementInterval;

    /// <summary>How long answers are waited for.</summary>
    public static readonly TimeSpan AnswerWait = TimeSpan.FromSeconds(1);

    /// <summary>When every node has been heard that lives, from the beginning of a connection on.</summary>
    private static readonly TimeSpan SettlingTime = 3 * AnnouncementInterval;

    private static readonly TimeSpan GoodbyeWait = TimeSpan.FromSeconds(1);

    // Of one that finds no room the asking node is told by the lack of an answer.
    private const int QuestionsWaitingMax = 1024;

    private readonly INatsConnection _connection;
    private readonly TimeProvider _time;
    private readonly ulong _id = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly NodeSubjects _subjects;
    private readonly NodeTable _nodes;
    private readonly ConcurrentDictionary<long, OpenQuestion> _open = new();   // As many as ClusterPresence asks at a time.
    private readonly Channel<(NodeQuestion Question, string ReplyTo)> _asked = System.Threading.Channels.Channel.CreateBounded<(NodeQuestion, string)>(
        new BoundedChannelOptions(QuestionsWaitingMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    // The connection holds them weakly: what nobody else knows of is unsubscribed at the next collection.
    private readonly List<NodeSubscription> _subscriptions = [];

    private long _announcements;
    private long _lastQuestion;
    private long _heardSince;   // 0: it is not heard, or may not be.

    public NodeBus(INatsConnection connection, string prefix, TimeProvider time)
    {
        _connection = connection;
        _time = time;
        _subjects = new NodeSubjects(prefix, _id);
        _nodes = new NodeTable(time);
    }

    /// <summary>Told when an announcement of another node has not come: what it published at that time may not have come either. By the connection's reader; must not wait.</summary>
    public Action? OnLoss { get; set; }

    /// <summary>Other nodes that live, as far as is known.</summary>
    public int Count => _nodes.Count;

    private bool IsConnected => _connection.ConnectionState == NatsConnectionState.Open;

    /// <summary>The connection is lost, and what was given to it last perhaps with it: the others are to know, by an announcement that does not come.</summary>
    public void Skip() => Interlocked.Increment(ref _announcements);

    /// <summary>Listens to the others, and says twice a second that this node lives, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _subscriptions.Add(await SubscribeAsync(_subjects.ToAll, OnMessage, cancellationToken));
        _subscriptions.Add(await SubscribeAsync(_subjects.ToUs, OnAnswer, cancellationToken));
        using var timer = new PeriodicTimer(AnnouncementInterval, _time);
        do
        {
            await AnnounceAsync(cancellationToken);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>Answers the others, until cancelled.</summary>
    public async Task AnswerAsync(ChannelHub hub, CancellationToken cancellationToken)
    {
        await foreach (var (question, replyTo) in _asked.Reader.ReadAllAsync(cancellationToken))
        {
            var presence = await hub.FindPresenceAsync(question.Channel, question.WithUsers);
            int bytesMax = Math.Min(NodeMessages.BytesMax, _connection.ServerInfo?.MaxPayload ?? NodeMessages.BytesMax);
            await TryPublishAsync(replyTo, NodeMessages.Write(_id, presence, bytesMax), null, cancellationToken);
        }
    }

    /// <summary>Asks the others. Ends when those have answered that live, or their time is up.</summary>
    public async Task<PeerAnswers> AskAsync(NodeQuestion asked)
    {
        if (!IsConnected)
        {
            return new PeerAnswers(Count, []);
        }

        long number = Interlocked.Increment(ref _lastQuestion);
        var question = new OpenQuestion(_nodes.All(), isOpen: !HasSettled());
        _open[number] = question;
        try
        {
            question.Begin();
            if (await TryPublishAsync(_subjects.Ask, NodeMessages.Write(asked), _subjects.AnswersTo(number), CancellationToken.None))
            {
                await question.Answered.WaitAsync(AnswerWait, _time);
            }
        }
        catch (TimeoutException)
        {
            // Whoever has not answered is missing in the sum, and known to be.
        }
        finally
        {
            _open.TryRemove(number, out _);
        }

        return question.ToAnswers();
    }

    /// <summary>Tells the others that this node ends, so that they do not wait for it any more. Ends when NATS has heard it, after a second at the latest.</summary>
    public async Task SayGoodbyeAsync()
    {
        using var patience = new CancellationTokenSource(GoodbyeWait, _time);
        try
        {
            // What waits in the connection's buffer would be gone with it; a ping is answered behind it.
            if (await TryPublishAsync(_subjects.Gone, NodeMessages.WriteNode(_id), null, patience.Token))
            {
                await TryPingAsync(patience.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The others will find out by its silence.
        }
    }

    private Task<NodeSubscription> SubscribeAsync(string subject, NodeMessageHandler handler, CancellationToken cancellationToken) => BusFaults.RetryAsync(
        async () =>
        {
            var subscription = new NodeSubscription(_connection, subject, handler);
            await _connection.AddSubAsync(subscription, cancellationToken);
            return subscription;
        },
        AnnouncementInterval,
        _time,
        cancellationToken);

    private async Task AnnounceAsync(CancellationToken cancellationToken)
    {
        bool isHeard = await TryPublishAsync(_subjects.Alive, NodeMessages.WriteAlive(_id, Interlocked.Increment(ref _announcements)), null, cancellationToken);
        var silent = _nodes.Silent(SilenceMax);

        // What a NATS that does not answer has not brought is nobody's fault; what it has is here before its answer.
        if (!isHeard || (silent.Count > 0 && !await TryPingAsync(cancellationToken)))
        {
            _nodes.Hold();
            Volatile.Write(ref _heardSince, 0);
            return;
        }

        if (Volatile.Read(ref _heardSince) == 0)
        {
            Volatile.Write(ref _heardSince, _time.GetTimestamp());
        }

        foreach (ulong node in silent.Intersect(_nodes.Silent(SilenceMax)))
        {
            Forget(node);
        }
    }

    private bool HasSettled() => Volatile.Read(ref _heardSince) is not 0 and var since && _time.GetElapsedTime(since) >= SettlingTime;

    private void OnMessage(string subject, string? replyTo, in ReadOnlySequence<byte> payload)
    {
        if (subject == _subjects.Alive && NodeMessages.TryReadAlive(payload, out ulong alive, out long number) && alive != _id)
        {
            if (!_nodes.Hear(alive, number))
            {
                OnLoss?.Invoke();
            }
        }
        else if (subject == _subjects.Gone && NodeMessages.TryReadNode(payload, out ulong gone))
        {
            Forget(gone);
        }
        else if (subject == _subjects.Ask && _subjects.IsForAnswers(replyTo) && NodeMessages.TryRead(payload, out var question))
        {
            _asked.Writer.TryWrite((question, replyTo!));
        }
    }

    private void OnAnswer(string subject, string? replyTo, in ReadOnlySequence<byte> payload)
    {
        if (_subjects.TryReadQuestion(subject, out long number) && _open.TryGetValue(number, out var question)
            && NodeMessages.TryRead(payload, out ulong node, out var presence) && node != _id)
        {
            _nodes.Hear(node);
            question.Answer(node, presence!);
        }
    }

    private void Forget(ulong node)
    {
        _nodes.Remove(node);
        foreach (var question in _open.Values)
        {
            question.Forget(node);
        }
    }

    /// <summary>False: there is no connection.</summary>
    private async Task<bool> TryPublishAsync(string subject, byte[] message, string? replyTo, CancellationToken cancellationToken)
    {
        try
        {
            if (IsConnected)
            {
                await _connection.PublishAsync(subject, message, replyTo: replyTo, cancellationToken: cancellationToken);
                return true;
            }
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, cancellationToken))
        {
            // As if there had been none before.
        }

        return false;
    }

    private async Task<bool> TryPingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _connection.PingAsync(cancellationToken);
            return true;
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, cancellationToken))
        {
            return false;
        }
    }
}
