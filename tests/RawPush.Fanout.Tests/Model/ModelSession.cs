using RawPush.Fanout.Channels;
using RawPush.Fanout.Tests.Delivery;

namespace RawPush.Fanout.Tests.Model;

/// <summary>One subscriber from its join to its end, and what it must have seen by then.</summary>
internal sealed class ModelSession(ModelStream stream, TestSubscriber subscriber, ChannelFilter[] filters, StartPoint start, MessageId newest, HashSet<long> kept)
{
    private readonly HashSet<long> _delivered = [];
    private readonly List<int> _numbers = [];
    private bool _wasBlocked;

    public TestSubscriber Subscriber => subscriber;

    public ChannelFilter[] Filters => filters;

    /// <summary>Where a client that lost this connection would resume.</summary>
    public MessageId Position => subscriber.Position;

    private bool IsForeign => start.Position is { } position && position.Epoch != newest.Epoch;

    /// <summary>What comes after it must have been seen, if it was published or kept.</summary>
    private long First => start switch
    {
        { IsLatest: true } => newest.Sequence,
        { Position: { } position } => IsForeign ? 0 : Math.Min(position.Sequence, newest.Sequence),
        _ => 0,
    };

    /// <summary>Looks at what came since the last time; to be called before anything is published or gets old.</summary>
    public void Note(long nowMs, ModelTally tally)
    {
        _wasBlocked |= subscriber.IsBlocked;
        Assert.Empty(subscriber.Faults);
        if (_numbers.Count == subscriber.Forms.Count)
        {
            return;
        }

        foreach (int sequence in subscriber.Numbers.Skip(_numbers.Count))
        {
            var message = stream.All[sequence - 1];
            Assert.True(sequence > _numbers.LastOrDefault(), $"{sequence} came after {_numbers.LastOrDefault()}. {this}");
            _numbers.Add(sequence);
            Assert.True(sequence > First, $"{sequence} came, from before the start. {this}");
            Assert.True(IsMine(message), $"{sequence} came, which is for others. {this}");

            // The log of a pattern does not conflate by itself: what its channel had let go of before it was superseded is sent.
            bool mayBeOld = filters.Any(filter => filter.IsPattern && filter.Matches(message.Channel));
            Assert.False(mayBeOld ? message.ExpiresMs <= nowMs : message.IsVoid(nowMs), $"{sequence} came, and is void. {this}");
            _delivered.Add(sequence);
            tally.Delivered++;
        }
    }

    /// <summary>Holds everything against the model.</summary>
    /// <param name="through">Up to where it must have seen everything.</param>
    /// <param name="nowMs">Now.</param>
    /// <param name="tally">What is counted.</param>
    public void Check(long through, long nowMs, ModelTally tally)
    {
        Note(nowMs, tally);
        foreach (var message in stream.All.Take((int)through).Where(message => IsMissing(message) && !message.IsVoid(nowMs) && MustHaveSeen(message)))
        {
            Assert.True(subscriber.Gaps.Exists(gap => IsIn(gap.Gap, message)), $"{message.Sequence} is missing, and no gap says so. {this}");
        }

        foreach (var (gap, at) in subscriber.Gaps)
        {
            CheckGap(gap, at, tally);
        }

        Assert.Equal(IsForeign && (subscriber.Gaps.Count > 0 || !_wasBlocked), subscriber.Gaps.Exists(gap => gap.Gap.Reason == GapReason.Epoch));
        foreach (var filter in subscriber.Lagged)
        {
            tally.Lagged++;
            Assert.Equal(LagPolicy.Disconnect, stream.NamespaceOf(filter).LagPolicy);
            Assert.True(_wasBlocked, $"It was cut off, and had taken everything. {this}");
            Assert.Contains(stream.All, message => message.Sequence > Position.Sequence && IsMissing(message) && filter.Matches(message.Channel));
        }
    }

    public override string ToString() =>
        $"[{string.Join(' ', filters)}] start {start.Position?.ToString() ?? (start.IsLatest ? "latest" : start.Count.ToString(System.Globalization.CultureInfo.InvariantCulture))} "
        + $"at {newest.Sequence}, got {string.Join(' ', subscriber.Numbers)}; gaps {string.Join(' ', subscriber.Gaps.Select(gap => $"({gap.Gap.Channel} {gap.Gap.From.Sequence}-{gap.Gap.To.Sequence} {gap.Gap.Reason} pos {gap.Gap.Position.Sequence} at {gap.At})"))}; "
        + $"position {Position.Sequence}, kept {string.Join(' ', kept.Order())}; mine {string.Join(' ', stream.All.Where(IsMine).Select(message => $"{message.Sequence}{(message.IsSuperseded ? "s" : "")}@{message.Channel}"))}";

    private bool IsMine(ModelMessage message) => filters.Any(filter => filter.Matches(message.Channel));

    private bool IsMissing(ModelMessage message) => message.Sequence > First && IsMine(message) && !_delivered.Contains(message.Sequence);

    // Who came with no position of its own misses only what it was to find when it came.
    private bool MustHaveSeen(ModelMessage message) => !start.IsOpen || message.Sequence > newest.Sequence || (kept.Contains(message.Sequence) && !IsLostInSilence(message));

    // Known: what a pattern's log had from before other losses, and lost while one without a position was blocked, is not announced.
    private bool IsLostInSilence(ModelMessage message) => _wasBlocked && filters.Any(filter => filter.IsPattern && filter.Matches(message.Channel));

    private static bool IsIn(GapNotice gap, ModelMessage message) =>
        gap.Reason != GapReason.Epoch && gap.Channel.Matches(message.Channel) && message.Sequence > gap.From.Sequence && message.Sequence <= gap.To.Sequence;

    private void CheckGap(GapNotice gap, int at, ModelTally tally)
    {
        if (gap.Reason == GapReason.Epoch)
        {
            tally.EpochGaps++;
            Assert.Equal(new GapNotice(filters.Length == 1 ? filters[0] : default, start.Position!.Value, new MessageId(newest.Epoch, 0), GapReason.Epoch), gap);
            Assert.Equal(0, at);
            return;
        }

        Assert.Contains(gap.Channel, filters);
        Assert.InRange(gap.From.Sequence, First, gap.To.Sequence - 1);
        Assert.True(at == 0 || _numbers[at - 1] <= gap.From.Sequence, $"A gap is told of too late. {this}");
        Assert.True(at == _numbers.Count || _numbers[at] > gap.Position.Sequence, $"Who resumes after a gap misses something. {this}");
        Assert.InRange(gap.Position.Sequence, gap.From.Sequence, newest.Sequence + stream.All.Count);

        // A pattern that begins with a wildcard looks up what is gone in a place that it shares with all channels.
        bool isCoarse = gap.Channel.Value.StartsWith('*');

        var missing = stream.All.Where(message => isCoarse
            ? message.Sequence > gap.From.Sequence && message.Sequence <= gap.To.Sequence && !_delivered.Contains(message.Sequence)
            : IsMissing(message) && IsIn(gap, message)).ToList();

        // Who subscribes to the same channel in several ways may be told by one log of what another one has.
        bool isOneWay = filters.Count(filter => filter.Covers(gap.Channel) || gap.Channel.Covers(filter)) == 1;

        // What was lost before a pattern had a log is known by its last message alone.
        bool isRough = !isOneWay || (gap.Channel.IsPattern && gap.Reason == GapReason.Retention);
        Assert.True(missing.Count > 0 || isRough, $"Nothing is missing in {gap.From.Sequence} to {gap.To.Sequence}. {this}");
        if (gap.Reason == GapReason.Retention)
        {
            tally.RetentionGaps++;
            Assert.True(!start.IsOpen && (isRough || missing.Exists(message => message.Sequence <= newest.Sequence)), $"Was not gone when it came: {gap}. {this}");
        }
        else
        {
            tally.SlowGaps++;
            Assert.True(_wasBlocked && stream.NamespaceOf(gap.Channel).LagPolicy != LagPolicy.Disconnect, $"Was not slow: {gap}. {this}");
        }
    }
}
