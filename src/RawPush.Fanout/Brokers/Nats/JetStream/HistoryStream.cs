using System.Globalization;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;

namespace RawPush.Fanout.Brokers.Nats.JetStream;

/// <summary>The stream that keeps what is published to all channels, as far as a node uses it. Safe for threads.</summary>
internal sealed class HistoryStream : IDisposable
{
    /// <summary>The channel of the nodes' own heartbeats: no client can subscribe to it.</summary>
    public const string BeatChannel = "rawpush.beat";

    private const int NotFound = 10059;
    private const int NameTaken = 10058;
    private const int NoMessage = 10037;

    // What servers answer when there is no room for a message: in the stream, in memory, on the disk.
    private static readonly int[] FullErrors = [10023, 10028, 10047, 10077, 10122];

    // Publishes whose answer is waited for. Others wait for their turn.
    private const int UnansweredMax = 8192;

    private readonly NatsConnection _connection;
    private readonly NatsJSContext _context;
    private readonly BusSubjects _subjects;
    private readonly JetStreamSettings _settings;
    private readonly SemaphoreSlim _unanswered = new(UnansweredMax);
    private INatsJSStream? _stream;

    public HistoryStream(NatsConnection connection, BusSubjects subjects, NatsBrokerSettings settings)
    {
        _connection = connection;
        _context = new NatsJSContext(connection, new NatsJSOpts(connection.Opts));
        _subjects = subjects;
        _settings = settings.JetStream;
        Name = settings.JetStream.NameFor(settings.Prefix);
    }

    public string Name { get; }

    /// <summary>Messages that the stream keeps per channel; 0 for no limit. It must have been opened.</summary>
    public long MessagesPerChannel => Math.Max(0, Opened.Info.Config.MaxMsgsPerSubject);

    private INatsJSStream Opened => Volatile.Read(ref _stream) ?? throw new InvalidOperationException("The stream has not been opened.");

    /// <summary>Finds the stream, or makes it.</summary>
    /// <exception cref="StreamMisfitException">There is one by that name, and it is not what is needed.</exception>
    public async Task<StreamExtent> OpenAsync(CancellationToken cancellationToken)
    {
        var stream = await FindAsync(cancellationToken) ?? await CreateAsync(cancellationToken) ?? await FindAsync(cancellationToken);
        Check(stream!.Info.Config);
        Volatile.Write(ref _stream, stream);
        return ExtentOf(stream.Info);
    }

    /// <summary>How far the stream reaches, by the server that leads it: what was acknowledged before the call is within that.</summary>
    public async Task<StreamExtent> MeasureAsync(CancellationToken cancellationToken) =>
        ExtentOf((await _context.GetStreamAsync(Name, cancellationToken: cancellationToken)).Info);

    /// <summary>Stores a message. It is stored as often as the stream says when the task has ended.</summary>
    /// <exception cref="PublishRefusedException">It was not, or nobody knows.</exception>
    public async Task<PubAckResponse> StoreAsync(ChannelName channel, PushMessage message, CancellationToken cancellationToken)
    {
        await _unanswered.WaitAsync(cancellationToken);
        try
        {
            var ack = await _context.PublishAsync(_subjects.Of(channel.Value), message.Payload, headers: BusMessages.WriteFields(message, channel), cancellationToken: cancellationToken);
            return ack.Error is null ? ack : throw RefusalOf(ack.Error);
        }
        catch (Exception exception) when (BusFaults.IsOfConnection(exception, cancellationToken))
        {
            throw BusFaults.NotConfirmed();
        }
        finally
        {
            _unanswered.Release();
        }
    }

    /// <summary>Tells all nodes that messages get from here to there; see <see cref="Heartbeat"/>.</summary>
    public ValueTask BeatAsync(CancellationToken cancellationToken) => _connection.PublishAsync(_subjects.Of(BeatChannel), cancellationToken: cancellationToken);

    /// <summary>Finds the message with a sequence. Null: there is none, or the server that was asked does not know of it.</summary>
    public Task<KeptMessage?> FindAtAsync(long sequence, CancellationToken cancellationToken) => FindDirectlyAsync(new StreamMsgGetRequest { Seq = (ulong)sequence }, cancellationToken);

    /// <summary>Finds the first message of a channel or pattern from a sequence on. Null: there is none.</summary>
    public async Task<KeptMessage?> FindNextAsync(string filter, long from, CancellationToken cancellationToken)
    {
        var request = new StreamMsgGetRequest { Seq = (ulong)Math.Max(1, from), NextBySubj = _subjects.Of(filter) };
        return await FindDirectlyAsync(request, cancellationToken) ?? await FindAtLeaderAsync(request, cancellationToken);
    }

    public void Dispose() => _unanswered.Dispose();

    // Whichever server that has a copy may answer, and one that is behind does not know of the newest: what it finds is right, and that there is nothing is for the leader to say.
    private async Task<KeptMessage?> FindDirectlyAsync(StreamMsgGetRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var reply = await Opened.GetDirectAsync<byte[]>(request, cancellationToken: cancellationToken);
            var fields = reply.Headers;
            long sequence = BusMessages.ReadNumber(fields, "Nats-Sequence");
            if (sequence > 0 && fields!.TryGetLastValue("Nats-Subject", out string? subject) && subject is not null)
            {
                return ToMessage(subject, BusMessages.ReadKept(fields, reply.Data ?? []), sequence, BusMessages.ReadTime(fields));
            }
        }
        catch (NatsException)
        {
            // Also of one whose header block is none, which the client cannot read. The leader gives it as it is.
        }

        return null;
    }

    private async Task<KeptMessage?> FindAtLeaderAsync(StreamMsgGetRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var found = (await Opened.GetAsync(request, cancellationToken)).Message;
            BusMessages.TryReadFields(_connection.HeaderParser, Convert.FromBase64String(found.Hdrs ?? ""), out var fields);
            return ToMessage(found.Subject, BusMessages.ReadKept(fields, found.Data), (long)found.Seq, found.Time);
        }
        catch (NatsJSApiException exception) when (exception.Error.ErrCode == NoMessage)
        {
            return null;
        }
    }

    // Of a subject that is no channel's there is nothing but its place.
    private KeptMessage ToMessage(string subject, PushMessage message, long sequence, DateTimeOffset time) =>
        new(_subjects.TryReadKept(subject, out var channel) ? channel : default, message, sequence, time.ToUnixTimeMilliseconds());

    private async Task<INatsJSStream?> FindAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _context.GetStreamAsync(Name, cancellationToken: cancellationToken);
        }
        catch (NatsJSApiException exception) when (exception.Error.ErrCode == NotFound)
        {
            return null;
        }
    }

    private async Task<INatsJSStream?> CreateAsync(CancellationToken cancellationToken)
    {
        var config = new StreamConfig(Name, [_subjects.All])
        {
            Storage = _settings.Storage == StreamStorage.File ? StreamConfigStorage.File : StreamConfigStorage.Memory,
            NumReplicas = _settings.Replicas,
            MaxMsgsPerSubject = _settings.MessagesPerChannel > 0 ? _settings.MessagesPerChannel : -1,
            MaxMsgs = _settings.MessagesMax > 0 ? _settings.MessagesMax : -1,
            MaxBytes = _settings.BytesMax > 0 ? _settings.BytesMax : -1,
            MaxAge = _settings.Age,
            Discard = _settings.WhenFull == WhenFull.DropOldest ? StreamConfigDiscard.Old : StreamConfigDiscard.New,
            DuplicateWindow = _settings.DuplicateWindow,
            AllowDirect = true,
            Republish = new Republish { Src = _subjects.All, Dest = _subjects.AllKept },
        };
        try
        {
            return await _context.CreateStreamAsync(config, cancellationToken);
        }
        catch (NatsJSApiException exception) when (exception.Error.ErrCode == NameTaken)
        {
            // Another node was faster, with other limits.
            return null;
        }
    }

    private void Check(StreamConfig config)
    {
        string? fault =
            config.Subjects is not { Count: 1 } || config.Subjects.First() != _subjects.All ? $"its subjects are not {_subjects.All} alone"
            : config.Republish is not { HeadersOnly: false } republish || republish.Dest != _subjects.AllKept || (republish.Src != _subjects.All && republish.Src != ">")
                ? $"it does not republish {_subjects.All} to {_subjects.AllKept}"
            : !config.AllowDirect ? "it does not allow direct gets"
            : config.Retention != StreamConfigRetention.Limits ? "its retention is not by limits"
            : config.Mirror is not null || config.Sources is { Count: > 0 } ? "it is a copy of others"
            : config.Sealed ? "it is sealed"
            : null;
        if (fault is not null)
        {
            throw new StreamMisfitException($"the stream {Name} cannot be used: {fault}; delete it, or let another one be made by RawPush:Nats:JetStream:Stream and RawPush:Nats:Prefix");
        }
    }

    private PublishRefusedException RefusalOf(ApiError error) =>
        FullErrors.Contains(error.ErrCode) ? new PublishRefusedException(PublishRefusal.Full, string.Create(CultureInfo.InvariantCulture, $"the stream {Name} is full ({error.Description}); nothing was published"))
        : error.ErrCode == 10054 ? new PublishRefusedException(PublishRefusal.TooLarge, $"the stream {Name} takes no messages of that size")
        : new PublishRefusedException(PublishRefusal.NoBus, $"NATS did not store the message ({error.Description})");

    // The time of its making, in units of 100 nanoseconds since 1970: a stream that is made anew is another one.
    private static StreamExtent ExtentOf(StreamInfo info) =>
        new(
            (ulong)(info.Created - DateTimeOffset.UnixEpoch).Ticks,
            (long)info.State.FirstSeq,
            (long)info.State.LastSeq,
            info.Cluster?.Replicas is not { } replicas || replicas.All(replica => replica is { Current: true, Offline: false }));
}

/// <summary>How far a stream reaches.</summary>
/// <param name="Epoch">Which stream it is.</param>
/// <param name="First">The oldest sequence that it may have.</param>
/// <param name="Last">The newest sequence it has given.</param>
/// <param name="IsSettled">The server that leads it hears from all that have copies: there is no other that believes to.</param>
internal readonly record struct StreamExtent(ulong Epoch, long First, long Last, bool IsSettled);

/// <summary>There is a stream by that name, and it is not what is needed.</summary>
internal sealed class StreamMisfitException(string message) : Exception(message);
