using System.Diagnostics;
using System.Net;
using RawPush.Swarm.Dialects;
using RawPush.Swarm.Hostile;
using RawPush.Swarm.Native;
using RawPush.Swarm.Resuming;
using RawPush.Swarm.Running;

namespace RawPush.Swarm.Clients;

/// <summary>All clients of one worker, on one thread and one epoll set.</summary>
internal sealed partial class ClientLoop
{
    private const int TickMs = 50;

    // Far more than any message of a load.
    private const int DeflatedBytesMax = 16 << 20;

    private readonly WorkerPlan _plan;
    private readonly Dialect _dialect;
    private readonly ChannelMap _channels;
    private readonly IPEndPoint[] _nodes;
    private readonly int _epoll = Libc.CreateEpoll();
    private readonly EpollEvent[] _events = new EpollEvent[1024];
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly SwarmClient[] _clients;
    private readonly List<SwarmClient?> _bySocket = [];
    private readonly Queue<SwarmClient> _toOpen = new();
    private readonly List<SwarmClient> _toReopen = [];
    private readonly TruthKeeper? _truth;
    private readonly Random _random;
    private readonly Filling _filling;
    private readonly MessageInflater _inflater = new();
    private readonly byte[] _echoPayload;
    private readonly HostileSwarm? _hostile;
    private readonly DeliveryCounts _deliveries = new();
    private long _rampStarted = Stopwatch.GetTimestamp();
    private long _rampBegun;
    private long _lastTick;
    private int _underWay;
    private int _keepAliveNext;
    private int _churnPerSecond;
    private bool _isBegun;
    private bool _isEchoing;
    private int _open;
    private long _opened;
    private long _failed;
    private long _dropped;
    private long _reads;
    private long _wireBytes;
    private long _echoes;
    private string? _lastError;

    public ClientLoop(WorkerPlan plan)
    {
        _plan = plan;
        _dialect = Dialect.Of(plan.Dialect, plan.Compression);
        _channels = new ChannelMap(plan.Channels, plan.Groups);
        _nodes = [.. plan.Ports.Select(port => new IPEndPoint(IPAddress.Parse(plan.Host), port))];
        _truth = plan.IsTruthKept && plan.Transports.Length == 0 ? new TruthKeeper(plan.Publishers) : null;
        _random = new Random(plan.Seed + plan.FirstClient);
        _habits = new ReconnectHabits(_random);
        _hostile = plan.HostilePeers == 0 ? null : new HostileSwarm(
            _nodes[0], random => TargetOf(_channels.NameOf(random.Next(plan.Channels))), plan.HostilePeers, plan.SourceAddresses, plan.Seed + plan.FirstClient);
        _echoPayload = new byte[Math.Max(plan.MessageBytes, Payload.HeaderLength)];
        _filling = Filling.Of(plan.Payload, _echoPayload.Length);
        _clients = [.. Enumerable.Range(plan.FirstClient, plan.Clients).Select(id =>
            new SwarmClient(id, id % plan.Channels, isSlow: id % 100 < plan.SlowPercent) { Resuming = NewResuming(id) })];
    }

    /// <summary>The clients that read as fast as they can: the truth is theirs.</summary>
    public IEnumerable<SwarmClient> Readers => _clients.Where(client => !client.IsSlow);

    public TruthKeeper? Truth => _truth;

    /// <summary>Opens all clients, at the ramp's rate.</summary>
    public void Open()
    {
        _rampStarted = Stopwatch.GetTimestamp();
        _rampBegun = 0;
        _isBegun = true;
        foreach (var client in _clients.Where(client => client.State == ClientState.Closed))
        {
            _toOpen.Enqueue(client);
        }
    }

    /// <summary>Drops every connection at once; each comes back after a random part of <paramref name="jitterMs"/>.</summary>
    public void Storm(int jitterMs)
    {
        long now = Stopwatch.GetTimestamp();
        foreach (var client in _clients.Where(client => client.State != ClientState.Closed))
        {
            Close(client);
            client.ReopenAt = now + (jitterMs == 0 ? 0 : _random.NextInt64(jitterMs * (Stopwatch.Frequency / 1000)));
            _toReopen.Add(client);
        }

        _rampStarted = now;
        _rampBegun = 0;
    }

    /// <summary>From now on, that many random clients leave and come back each second.</summary>
    public void Churn(int perSecond) => _churnPerSecond = perSecond;

    /// <summary>Every client sends a message, and again whenever it comes back; or stops doing so.</summary>
    public void Echo(bool isOn)
    {
        bool starts = isOn && !_isEchoing;
        _isEchoing = isOn;
        if (starts)
        {
            foreach (var client in _clients.Where(client => client.State == ClientState.Open))
            {
                SendEcho(client);
            }
        }
    }

    /// <summary>Forgets what has been counted of messages and latencies.</summary>
    public void ResetCounts()
    {
        _reads = _echoes = _wireBytes = 0;
        _deliveries.Reset();
        _inflater.ResetCount();
    }

    public WorkerReport Report(bool withLatencies) => new()
    {
        Open = _open,
        Opened = _opened,
        Failed = _failed,
        Dropped = _dropped,
        Messages = _deliveries.Messages,
        Reads = _reads,
        WireBytes = _wireBytes,
        Inflated = _inflater.Messages,
        Echoes = _echoes,
        LastError = _lastError,
        Lie = _truth?.Lie,
        Verdict = _plan.Transports.Length > 0 ? VerdictSoFar() : null,
        Behind = CountBehind(),
        Hostile = _hostile?.Counts,
        Latencies = withLatencies ? Latencies.Encode(_deliveries.Micros) : null,
        Returns = withLatencies && _plan.Promise != Promise.OneNode ? [.. _deliveries.Returns.Select(Latencies.Encode)] : null,
    };

    /// <summary>One turn: begins connects that are due, waits a moment for events, and handles them.</summary>
    public void RunOnce()
    {
        BeginConnects();
        if (_isBegun)
        {
            _hostile?.RunOnce();
        }

        int count = Libc.Wait(_epoll, _events, _toOpen.Count > 0 ? 1 : TickMs / 5);
        for (int i = 0; i < count; i++)
        {
            if (_bySocket[_events[i].Socket] is { } client)
            {
                OnEvent(client, _events[i].Events);
            }
        }

        if (Stopwatch.GetElapsedTime(_lastTick).TotalMilliseconds >= TickMs)
        {
            _lastTick = Stopwatch.GetTimestamp();
            Tick();
        }
    }

    private void BeginConnects()
    {
        long allowed = _plan.RampPerSecond == 0
            ? long.MaxValue
            : (long)(Stopwatch.GetElapsedTime(_rampStarted).TotalSeconds * _plan.RampPerSecond) - _rampBegun;
        while (_toOpen.Count > 0 && _underWay < _plan.Window && allowed-- > 0)
        {
            _rampBegun++;
            BeginConnect(_toOpen.Dequeue());
        }
    }

    private void BeginConnect(SwarmClient client)
    {
        // 127.0.0.2 and on: each source address has 64,000 ports of its own.
        uint source = 127u | (uint)(2 + (client.Id % _plan.SourceAddresses)) << 24;
        client.Node = NextNode(client);
        int socket = Libc.Connect(source, _nodes[client.Node]);
        if (socket < 0)
        {
            Abandon(client, $"connect: errno {-socket}");
            return;
        }

        while (_bySocket.Count <= socket)
        {
            _bySocket.Add(null);
        }

        _bySocket[socket] = client;
        client.Socket = socket;
        client.State = ClientState.Connecting;
        client.Frames = default;
        client.Payloads = default;
        client.HeadBytes = null;
        client.Polls = _dialect is LongPollDialect && client.Resuming is null ? new PollReader() : null;
        client.Resuming?.Begin(_plan.Transports[_random.Next(_plan.Transports.Length)], client.Node);
        _underWay++;
        Libc.Control(_epoll, Libc.EpollAdd, socket, Libc.EpollOut);
    }

    private void OnEvent(SwarmClient client, uint events)
    {
        if (client.State == ClientState.Connecting)
        {
            OnConnected(client);
        }
        else if ((events & (Libc.EpollIn | Libc.EpollHup | Libc.EpollErr)) != 0)
        {
            Receive(client, _buffer);
        }
    }

    private void OnConnected(SwarmClient client)
    {
        int result = Libc.ConnectResult(client.Socket);
        if (result < 0)
        {
            Abandon(client, $"connect: errno {-result}");
            return;
        }

        client.State = ClientState.Asking;
        Libc.Control(_epoll, Libc.EpollModify, client.Socket, Libc.EpollIn);
        Send(client, RequestOf(client));
        if (client.IsPolling && client.Socket >= 0)
        {
            // The answer comes with the first message: waiting for it is being there.
            OnOpen(client);
        }
    }

    private void Receive(SwarmClient client, Span<byte> buffer)
    {
        if (client.Resuming is { CutBytes: > 0 and var cutBytes })
        {
            buffer = buffer[..Math.Min(cutBytes, buffer.Length)];
        }

        int count = Libc.Receive(client.Socket, buffer);
        if (count == -Libc.EAgain)
        {
            return;
        }

        if (count <= 0)
        {
            OnEnd(client, count);
            return;
        }

        _wireBytes += count;
        ReadOnlySpan<byte> bytes = buffer[..count];
        if (client.State == ClientState.Asking && !TryPassHead(client, ref bytes))
        {
            return;
        }

        Take(client, bytes);
    }

    private void OnEnd(SwarmClient client, int result)
    {
        if (client.State != ClientState.Open)
        {
            Abandon(client, result == 0 ? "the server closed before the response head" : $"receive: errno {-result}");
            return;
        }

        _dropped++;
        _lastError = result == 0 ? "the server ended a connection" : $"receive: errno {-result}";
        CloseAfterServer(client);
    }

    /// <summary>Reads the response head. False: there is more to come, or the request was refused.</summary>
    private bool TryPassHead(SwarmClient client, ref ReadOnlySpan<byte> bytes)
    {
        if (client.HeadBytes is not null)
        {
            bytes = client.HeadBytes = [.. client.HeadBytes, .. bytes];
        }

        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            client.HeadBytes ??= bytes.ToArray();
            return false;
        }

        if (!bytes.StartsWith(IsFramed(client) ? "HTTP/1.1 101"u8 : "HTTP/1.1 200"u8))
        {
            Abandon(client, "refused: " + System.Text.Encoding.Latin1.GetString(bytes[..bytes.IndexOf((byte)'\r')]));
            return false;
        }

        if (IsFramed(client) && !TryAgree(client, bytes[..(end + 4)]))
        {
            return false;
        }

        PassPosition(client, bytes[..(end + 4)]);
        client.HeadBytes = null;
        bytes = bytes[(end + 4)..];
        OnOpen(client);
        return client.Socket >= 0;
    }

    /// <summary>What the server says of permessage-deflate. False: the connection is of no use.</summary>
    private bool TryAgree(SwarmClient client, ReadOnlySpan<byte> head)
    {
        if (DeflateOffer.IsAgreed(head, _plan.Compression, out bool isWrong))
        {
            client.Resuming?.AgreeToDeflate();
        }
        else if (isWrong)
        {
            Abandon(client, "the server agreed to an extension that was not offered like this");
        }

        return !isWrong;
    }

    private void OnOpen(SwarmClient client)
    {
        client.State = ClientState.Open;
        _open++;
        _opened++;
        _underWay--;
        client.IsTurnedAway = false;
        _truth?.Begin(client);
        BeginResuming(client);
        if (client.IsSlow)
        {
            Libc.Control(_epoll, Libc.EpollModify, client.Socket, 0);
        }

        Send(client, client.Resuming is null ? _dialect.AfterOpen(_channels.NameOf(client.Channel)) : default);
        if (_isEchoing)
        {
            SendEcho(client);
        }
    }

    private void Take(SwarmClient client, ReadOnlySpan<byte> bytes)
    {
        long before = _deliveries.Messages;
        var sink = new Sink(this, client);
        if (client.Resuming is not null)
        {
            TakeResuming(client, client.Resuming, bytes);
        }
        else if (client.Polls is not null)
        {
            TakeAnswers(client, client.Polls, bytes, ref sink);
        }
        else if (_dialect.IsFramed)
        {
            client.Frames.Feed(bytes, ref sink);
        }
        else
        {
            client.Payloads.Feed(bytes, ref sink);
        }

        _reads += _deliveries.Messages > before ? 1 : 0;
    }

    private void TakeAnswers(SwarmClient client, PollReader polls, ReadOnlySpan<byte> bytes, ref Sink sink)
    {
        polls.Add(bytes);
        while (client.Socket >= 0 && polls.TryTake() is { } answer)
        {
            if (answer.Status >= 400)
            {
                Abandon(client, $"a poll was answered with {answer.Status}");
                return;
            }

            client.Payloads.Feed(answer.Body, ref sink);
            Send(client, LongPollDialect.Next(HostOf(client), TargetOf(_channels.NameOf(client.Channel)), answer.ETag, answer.LastModified));
        }
    }

    private void OnPayload(SwarmClient client, in Payload payload)
    {
        _deliveries.Add(payload);
        if (_isEchoing)
        {
            _echoes++;
            SendEcho(client);
        }
        else
        {
            _truth?.Check(client, payload);
        }
    }

    private void SendEcho(SwarmClient client)
    {
        new Payload(0, client.Channel, 0, Stopwatch.GetTimestamp()).WriteTo(_echoPayload, _filling);
        Send(client, _dialect.Echo(_echoPayload));
    }

    private void Send(SwarmClient client, ReadOnlySpan<byte> bytes)
    {
        // What a client sends is small and rare; a socket that does not take it whole is a server that does not read.
        if (!bytes.IsEmpty && client.Socket >= 0 && Libc.Send(client.Socket, bytes) != bytes.Length)
        {
            Abandon(client, "a client's bytes were not taken");
        }
    }

    /// <summary>What was tried with this connection has failed. Clients that resume try again; any other stays away.</summary>
    private void Abandon(SwarmClient client, string error)
    {
        _failed++;
        _lastError = error;
        client.IsTurnedAway = true;
        Close(client);
        ComeBackLater(client);
    }

    private void Close(SwarmClient client, bool isReset = false)
    {
        if (client.Socket < 0)
        {
            return;
        }

        _bySocket[client.Socket] = null;
        Libc.Close(client.Socket, isReset);
        client.Socket = -1;
        _open -= client.State == ClientState.Open ? 1 : 0;
        _underWay -= client.State is ClientState.Connecting or ClientState.Asking ? 1 : 0;
        client.State = ClientState.Closed;
    }

    private void Tick()
    {
        long now = Stopwatch.GetTimestamp();
        ReopenDue(now);
        ChurnSome(now);
        KeepSomeAlive();
        FeedSlowReaders();
        TickResuming(now);
    }

    private void ReopenDue(long now)
    {
        for (int i = _toReopen.Count - 1; i >= 0; i--)
        {
            if (_toReopen[i].ReopenAt <= now)
            {
                _toOpen.Enqueue(_toReopen[i]);
                _toReopen.RemoveAt(i);
            }
        }
    }

    private void ChurnSome(long now)
    {
        int count = _churnPerSecond == 0 ? 0 : Math.Max(1, _churnPerSecond * TickMs / 1000);
        for (int i = 0; i < count; i++)
        {
            var client = _clients[_random.Next(_clients.Length)];
            if (client.State == ClientState.Open)
            {
                Close(client);
                client.ReopenAt = now;
                _toReopen.Add(client);
            }
        }
    }

    /// <summary>Each client has its turn every 10 seconds, a few at each tick.</summary>
    private void KeepSomeAlive()
    {
        if (_dialect.KeepAlive is not { } keepAlive)
        {
            return;
        }

        int count = Math.Min((_clients.Length * TickMs / 10_000) + 1, _clients.Length);
        for (int i = 0; i < count; i++)
        {
            var client = _clients[_keepAliveNext++ % _clients.Length];
            if (client.State == ClientState.Open)
            {
                Send(client, keepAlive);
            }
        }
    }

    private void FeedSlowReaders()
    {
        int bytes = _plan.SlowBytesPerSecond * TickMs / 1000;
        if (bytes == 0 || _plan.SlowPercent == 0)
        {
            return;
        }

        foreach (var client in _clients)
        {
            if (client.IsSlow && client.State == ClientState.Open)
            {
                Receive(client, _buffer.AsSpan(0, Math.Min(bytes, _buffer.Length)));
            }
        }
    }

    private string TargetOf(string channel) => _plan.Target.Replace("{channel}", channel, StringComparison.Ordinal);

    private string HostOf(SwarmClient client) => _nodes[client.Node].ToString();

    /// <summary>What skimmer and scanner find, on its way to the loop.</summary>
    private readonly struct Sink(ClientLoop loop, SwarmClient client) : IFrameSink, IPayloadSink
    {
        public void OnData(ReadOnlySpan<byte> piece)
        {
            if (loop._dialect.AnswerTo(piece) is { } answer)
            {
                loop.Send(client, answer);
            }

            var sink = this;
            client.Payloads.Feed(piece, ref sink);
        }

        public void OnDeflated(ReadOnlySpan<byte> payload)
        {
            if (loop._inflater.TryInflate(payload, DeflatedBytesMax, out var message))
            {
                OnData(message);
            }
            else
            {
                loop.Abandon(client, "a deflated message that cannot be inflated");
            }
        }

        public void OnControl(byte opcode, ReadOnlySpan<byte> payload)
        {
            if (opcode == 9)
            {
                loop.Send(client, ClientFrame.Make(ClientFrame.Pong, payload));
            }
        }

        public void OnPayload(in Payload payload) => loop.OnPayload(client, payload);
    }
}
