using System.Globalization;
using System.Text;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Resuming.Reading;

namespace RawPush.Swarm.Resuming;

/// <summary>What a client is over all its connections: its position, and the checker that believes nothing; and what its present connection is.</summary>
/// <remarks>Reads and judges; the loop that owns the socket looks at it after each read and acts.</remarks>
internal sealed class ResumingClient : ITransportSink
{
    private readonly int _id;
    private readonly Coverage _coverage;
    private readonly int _messageBytes;
    private readonly Filling _filling;
    private readonly MessageInflater? _inflater;
    private readonly DeliveryCounts _deliveries;
    private readonly Verdict _verdict;
    private readonly IClientChecker _checker;
    private TransportReader? _reader;
    private PendingBytes _pending;
    private string? _etag;
    private int _opened;
    private int _node;
    private int _openedOn;
    private int _marksPassed;

    /// <summary>A client that has no connection yet.</summary>
    /// <param name="id">Its number.</param>
    /// <param name="coverage">What it subscribes to.</param>
    /// <param name="promise">What it may expect.</param>
    /// <param name="messageBytes">Length of each message.</param>
    /// <param name="filling">What is in them.</param>
    /// <param name="inflater">Shared by a worker's clients; null for those that do not offer permessage-deflate.</param>
    /// <param name="deliveries">Where messages are counted.</param>
    /// <param name="verdict">Where faults are.</param>
    public ResumingClient(
        int id, Coverage coverage, Promise promise, int messageBytes, Filling filling, MessageInflater? inflater, DeliveryCounts deliveries, Verdict verdict)
    {
        _id = id;
        _coverage = coverage;
        _messageBytes = Math.Max(messageBytes, Payload.HeaderLength);
        _filling = filling;
        _inflater = inflater;
        _deliveries = deliveries;
        _verdict = verdict;
        _checker = promise == Promise.OneNode ? new StrictChecker(this, verdict, coverage.Channels[0]) : new ClusterChecker(this, verdict, promise, coverage.Channels);
    }

    /// <summary>What stands in a request for the channel.</summary>
    public string Address => _coverage.Address;

    public Transport Transport { get; private set; }

    public bool IsPolling => Transport is Transport.LongPoll or Transport.ShortPoll;

    /// <summary>Whether it knows where to resume. Until then it must stay: it would come back to another place.</summary>
    public bool HasPosition => _checker.Position is not null;

    /// <summary>When it leaves on purpose.</summary>
    public long LeaveAt { get; set; } = long.MaxValue;

    /// <summary>It takes only so many bytes of what comes next, and leaves; 0: it does not.</summary>
    public int CutBytes { get; set; }

    /// <summary>When it polls again; never while an answer is outstanding.</summary>
    public long AskAt { get; set; } = long.MaxValue;

    /// <summary>Messages in the last answer to a poll; −1 while it is outstanding.</summary>
    public int AnsweredMessages { get; private set; }

    /// <summary>A poll's status that is no answer; 0 for none.</summary>
    public int RefusedWith { get; private set; }

    /// <summary>Nothing can or will be read from this connection any more.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>What the server asked of those whose stream ends.</summary>
    public int RetryMs { get; private set; }

    /// <summary>The payload of a ping that has not been answered; null for none.</summary>
    public byte[]? Ping { get; set; }

    /// <summary>A connection begins.</summary>
    public void Begin(Transport transport, int node)
    {
        Transport = transport;
        _node = node;
        _reader = TransportReader.Of(transport, _coverage.IsMany);
        _pending = default;
        _etag = null;
        LeaveAt = AskAt = long.MaxValue;
        CutBytes = AnsweredMessages = RefusedWith = RetryMs = 0;
        IsEnded = false;
        Ping = null;
    }

    /// <summary>The connection is there.</summary>
    public void CountOpen()
    {
        if (_opened++ > 0)
        {
            Verdict.Count(_verdict.Reconnects, TransportNames.NameOf(Transport));
            _verdict.Moves += _node == _openedOn ? 0 : 1;
        }

        _openedOn = _node;
    }

    /// <summary>What the response head says of where the stream begins, for a client that does not know yet.</summary>
    public void BeginAt(ReadOnlySpan<byte> position)
    {
        if (!HasPosition && EntryId.TryRead(position, out var id))
        {
            _checker.OnPosition(id);
        }
    }

    /// <inheritdoc cref="IClientChecker.BeginLoad"/>
    public void BeginLoad() => _checker.BeginLoad();

    /// <summary>The request that opens a stream, or the next poll.</summary>
    public byte[] Request(string host, string target, bool isLastEventId)
    {
        AskAt = long.MaxValue;
        AnsweredMessages = -1;
        return ResumeRequest.Make(Transport, host, target, _checker.Position, Transport == Transport.ShortPoll ? _etag : null, isLastEventId, _coverage.IsMany, offersDeflate: _inflater is not null);
    }

    /// <summary>The server has agreed to permessage-deflate.</summary>
    public void AgreeToDeflate() => _reader = new WebSocketReader(_inflater);

    public void Take(ReadOnlySpan<byte> received)
    {
        var bytes = _pending.Join(received);
        int consumed = _reader!.Read(bytes, this);
        _pending.Keep(bytes[consumed..]);
    }

    /// <inheritdoc cref="IClientChecker.HasReached"/>
    public bool HasReached(Fates fates) => _checker.HasReached(fates);

    /// <inheritdoc cref="IClientChecker.AddEnd"/>
    public void AddEnd(Fates fates, Verdict end) => _checker.AddEnd(fates, end);

    public void OnMessage(in EntryId id, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> data)
    {
        if (!TryReadPayload(data, out var payload) || !_coverage.IsNameOf(channel, payload.Channel))
        {
            CountMalformed($"message {id} of channel '{Encoding.UTF8.GetString(channel)}' with {data.Length} bytes that are not what was published here");
            return;
        }

        _deliveries.Add(payload);
        _marksPassed = _deliveries.PassMarks(payload, _marksPassed);
        _checker.OnMessage(id, payload);
    }

    public void OnGap(in Gap gap, in EntryId? resumeAt, ReadOnlySpan<byte> channel)
    {
        var channels = _coverage.ChannelsNamed(channel);
        if (channels.IsEmpty)
        {
            CountMalformed($"a gap of channel '{Encoding.UTF8.GetString(channel)}'");
        }
        else
        {
            _checker.OnGap(gap, resumeAt, channels);
        }
    }

    public void OnPosition(in EntryId next) => _checker.OnPosition(next);

    public void OnPing(ReadOnlySpan<byte> payload) => Ping = payload.ToArray();

    public void OnRetry(int retryMs) => RetryMs = retryMs;

    public void OnAnswer(int status, string? etag, int messages)
    {
        AnsweredMessages = messages;
        _etag = status == 304 ? _etag : etag;
        RefusedWith = status is 200 or 204 or 304 ? 0 : status;
    }

    public void OnClose() => IsEnded = true;

    public void OnMalformed(string what)
    {
        CountMalformed(what);
        IsEnded = true;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"client {_id} of {Address} ({TransportNames.NameOf(Transport)}, node {_node}, connection {_opened})");

    private bool TryReadPayload(ReadOnlySpan<byte> data, out Payload payload)
    {
        payload = default;
        return data.Length == _messageBytes && Payload.TryRead(data[..Payload.HeaderLength], out payload)
            && data[0] == Payload.Mark && data[Payload.HeaderLength..].SequenceEqual(_filling.Behind(payload, data.Length - Payload.HeaderLength));
    }

    private void CountMalformed(string what)
    {
        _verdict.Malformed++;
        _verdict.Tell($"{this} got {what}");
    }
}
