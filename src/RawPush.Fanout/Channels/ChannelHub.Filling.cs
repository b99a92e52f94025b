namespace RawPush.Fanout.Channels;

/// <summary>A message that a broker keeps, as it is fetched from there.</summary>
/// <param name="Channel">Where it was published.</param>
/// <param name="Message">What was published.</param>
/// <param name="Sequence">Its place in the stream.</param>
/// <param name="TimeMs">When it was kept, in milliseconds of Unix time.</param>
internal readonly record struct KeptMessage(ChannelName Channel, PushMessage Message, long Sequence, long TimeMs)
{
    /// <summary>It is one that subscribers get.</summary>
    public bool IsOfChannel => Channel != default;
}

/// <summary>For brokers whose stream outlives the node: what the node has not got is there, and is filled in where somebody needs it.</summary>
public sealed partial class ChannelHub
{
    private long _known;

    /// <summary>A sequence that the stream has reached, whether the node has it or not: positions up to there are valid.</summary>
    internal long Known => Volatile.Read(ref _known);

    /// <summary>The stream has reached a sequence.</summary>
    internal void NoteKnown(long sequence) => HighWater.Raise(ref _known, sequence);

    /// <summary>Every message up to a sequence that was to come has come.</summary>
    internal void Advance(long sequence)
    {
        Volatile.Write(ref _watermark, Math.Max(_watermark, sequence));
        Volatile.Write(ref _appended, Math.Max(_appended, sequence));
    }

    /// <summary>Messages that the log of a channel or pattern has.</summary>
    internal int CountEntries(ChannelFilter filter) => _directory.Find(filter)?.Describe().Entries ?? 0;

    /// <summary>The newest sequence that the log of a channel or pattern has seen.</summary>
    internal long GetNewest(ChannelFilter filter) => _directory.Find(filter)?.Describe().NewestSequence ?? 0;

    /// <summary>Nothing of a channel or pattern up to a sequence has got here, but for what is in its log.</summary>
    internal void SetFloor(ChannelFilter filter, long sequence) => _directory.SetFloor(filter, sequence);

    /// <summary>Makes the log of a channel or pattern, unless it is there, and keeps what comes into it until somebody joins. False: the node has as many as it may have.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="floor">What was published later than this reaches the node.</param>
    /// <param name="time">How long it is kept at most.</param>
    /// <param name="droppedThrough">Up to where messages are missing in the log.</param>
    internal bool TryPin(ChannelFilter filter, long floor, TimeSpan time, out long droppedThrough)
    {
        while (GetOrAdd(filter) is { } channel)
        {
            if (filter.IsPattern)
            {
                StartPattern(channel, floor);
            }

            long untilMs = (_time.GetUtcNow() + time).ToUnixTimeMilliseconds();
            if (channel.TryPin(untilMs, out droppedThrough, out long sweepDueMs))
            {
                ScheduleSweep(channel, sweepDueMs);
                return true;
            }

            _directory.Remove(channel);
        }

        droppedThrough = 0;
        return false;
    }

    /// <summary>Puts into a log what it has not got. False: it has lost more meanwhile than is filled in; look anew.</summary>
    /// <param name="filter">Whose log.</param>
    /// <param name="messages">All that is to be had from the first sequence to the second.</param>
    /// <param name="after">What comes later is there from now on.</param>
    /// <param name="through">Up to where the log had nothing.</param>
    internal bool TryFill(ChannelFilter filter, IReadOnlyList<KeptMessage> messages, long after, long through)
    {
        var entries = messages.Select(kept =>
            new Entry(kept.Channel, kept.Message, CreateFrame(kept.Message), new MessageId(Broker.Epoch, kept.Sequence), _namespaces.Find(kept.Channel), kept.TimeMs)).ToList();
        return _directory.Find(filter) is { } channel && channel.TryFill(entries, after, through);
    }

    private Channel? GetOrAdd(ChannelFilter filter) =>
        filter.IsPattern ? _directory.GetOrAddPattern(filter, ref _watermark, ref _appended) : _directory.GetOrAdd(filter.ToName());

    // What the channels of the pattern have kept here may not be all that was published to them: the stream is asked instead.
    private void StartPattern(Channel pattern, long floor)
    {
        lock (_seeding)
        {
            if (!pattern.IsSeeded)
            {
                pattern.SetFloor(Math.Max(pattern.BornAt, floor));
                pattern.IsSeeded = true;
            }
        }
    }
}
