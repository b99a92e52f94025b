using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Resuming;

/// <summary>Checks one client that moves between nodes, with all its channels, against what these nodes promise.</summary>
/// <remarks>Numbers are those of a channel's one publisher, which publishes the next one when it knows what has become of the last. The ids are the nodes'.</remarks>
internal sealed class ClusterChecker : IClientChecker
{
    private readonly object _client;
    private readonly Verdict _verdict;
    private readonly Dictionary<int, ChannelTrack> _tracks;
    private readonly Func<string> _story;
    private ulong? _epoch;
    private EntryId _id;
    private Payload _payload;

    public ClusterChecker(object client, Verdict verdict, Promise promise, int[] channels)
    {
        _client = client;
        _verdict = verdict;
        _tracks = channels.ToDictionary(channel => channel, _ => new ChannelTrack(promise));
        _story = () => $"{_client} at {Position} got {_payload.Number} of channel {_payload.Channel} ({_id}, through {_payload.Publisher}) after {_tracks[_payload.Channel].Last}, {DateTime.UtcNow:HH:mm:ss.fff}";
    }

    /// <inheritdoc/>
    public EntryId? Position { get; private set; }

    /// <inheritdoc/>
    public void OnMessage(in EntryId id, in Payload payload)
    {
        _verdict.Delivered++;
        EnterEpochOf(id);
        (_id, _payload) = (id, payload);
        switch (_tracks[payload.Channel].Take(payload, id.Sequence, _story))
        {
            case Arrival.Repeated:
                _verdict.Repeated++;
                _verdict.Tell($"a repeat: {_story()}");
                return;
            case Arrival.OutOfOrder:
                CountOutOfOrder($"out of order: {_story()}");
                break;
            case Arrival.Late:
                _verdict.Late++;
                goto default;
            default:
                CheckId(id);
                break;
        }

        Position = id;
    }

    /// <inheritdoc/>
    public void OnGap(in Gap gap, in EntryId? resumeAt, ReadOnlySpan<int> channels)
    {
        Verdict.Count(_verdict.Gaps, gap.Reason.ToString().ToLowerInvariant());
        if (gap.IsAbsurd)
        {
            _verdict.FalseGaps++;
            _verdict.Tell($"{_client} at {Position} was told of a gap from {gap.From} to {gap.To} ({gap.Reason})");
        }

        foreach (int channel in gap.Reason == GapReason.Epoch ? [.. _tracks.Keys] : channels)
        {
            Announce(_tracks[channel], gap);
        }

        _epoch = gap.To.Epoch;
        Position = resumeAt ?? Position;
    }

    /// <inheritdoc/>
    public void OnPosition(in EntryId next)
    {
        EnterEpochOf(next);
        if (Position is { } position && position.IsAfter(next))
        {
            CountOutOfOrder($"{_client} at {position} was told to go on at {next}");
            return;
        }

        Position = next;
    }

    /// <inheritdoc/>
    public void BeginLoad()
    {
        if (Position is not null)
        {
            foreach (var track in _tracks.Values)
            {
                track.BeginAtTheFirst();
            }
        }
    }

    /// <inheritdoc/>
    public bool HasReached(Fates fates) => _tracks.All(track => track.Value.HasReached(fates.LastOf(track.Key)));

    /// <inheritdoc/>
    public void AddEnd(Fates fates, Verdict end)
    {
        foreach (var (channel, track) in _tracks)
        {
            foreach (var hole in track.Holes)
            {
                AddMissing(channel, hole, fates.CountAcknowledged(channel, hole.From, hole.To), end);
            }
        }

        if (!HasReached(fates))
        {
            end.LostAtEnd++;
            var (channel, track) = _tracks.First(track => !track.Value.HasReached(fates.LastOf(track.Key)));
            AddLoss(new Loss(channel, track.Last + 1, fates.LastOf(channel), [], $"{_client} at {Position} came to message {track.Last} of {fates.LastOf(channel)} of channel {channel}"), end);
        }
    }

    private static void Announce(ChannelTrack track, in Gap gap)
    {
        if (gap.Reason == GapReason.Epoch)
        {
            track.BeginEpoch(gap.To.Sequence);
        }
        else
        {
            track.Announce(gap.To.Sequence, isDropped: gap.Reason != GapReason.Bus);
        }
    }

    private static void AddMissing(int channel, in Hole hole, int acknowledged, Verdict end)
    {
        if (hole.IsAnnounced)
        {
            end.MissedInGaps += acknowledged;
        }
        else if (acknowledged > 0)
        {
            end.Lost += acknowledged;
            AddLoss(new Loss(channel, hole.From, hole.To, hole.HeardAfter, hole.Story), end);
        }
    }

    private static void AddLoss(Loss loss, Verdict end)
    {
        end.Tell(loss.ToString());
        if (end.Losses!.Count < Verdict.LossesMax)
        {
            end.Losses.Add(loss);
        }
    }

    /// <summary>A position of another epoch than the last one, without a notice, is a lie; what comes is then judged as if there had been one.</summary>
    private void EnterEpochOf(in EntryId id)
    {
        if (_epoch is not null && _epoch != id.Epoch)
        {
            _verdict.UnannouncedEpochs++;
            _verdict.Tell($"{_client} at {Position} was not told of the epoch of {id}");
            foreach (var track in _tracks.Values)
            {
                track.BeginEpoch(id.Sequence);
            }
        }

        _epoch = id.Epoch;
    }

    private void CheckId(in EntryId id)
    {
        if (Position is { } position && id.IsNotAfter(position))
        {
            CountOutOfOrder($"an id that does not grow: {_story()}");
        }
    }

    private void CountOutOfOrder(string fault)
    {
        _verdict.OutOfOrder++;
        _verdict.Tell(fault);
    }
}
