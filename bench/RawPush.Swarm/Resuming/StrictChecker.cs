using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Resuming;

/// <summary>Checks that one client sees every message of its channel once and in order, over all its connections, or is told of a gap.</summary>
/// <remarks>The numbers are the publisher's, one after the other in each channel; the ids are the server's, which resume goes by. The first message is taken
/// as it is. Knows nothing of sockets or transports; who the client is, it asks only to tell of a fault.</remarks>
internal sealed class StrictChecker(object client, Verdict verdict, int channel = 0) : IClientChecker
{
    private uint _first;
    private uint _last;
    private Gap? _openGap;

    // Numbers that were passed over, lost or announced: if one of these comes late it is out of order, anything else from before is repeated.
    private List<(uint From, uint To)>? _skipped;

    /// <inheritdoc/>
    public EntryId? Position { get; private set; }

    /// <inheritdoc/>
    public void OnMessage(in EntryId id, in Payload payload) => OnMessage(id, payload.Number);

    public void OnMessage(in EntryId id, uint number)
    {
        verdict.Delivered++;
        if (number <= _last)
        {
            CheckLate(number);
            return;
        }

        CheckId(id, number);
        if (_last == 0)
        {
            _first = number;
        }
        else
        {
            CheckStep(id, number);
        }

        _last = number;
        _openGap = null;
        Position = id;
    }

    /// <inheritdoc/>
    public void OnGap(in Gap gap, in EntryId? resumeAt, ReadOnlySpan<int> channels) => OnGap(gap);

    public void OnGap(in Gap gap)
    {
        Verdict.Count(verdict.Gaps, gap.Reason.ToString().ToLowerInvariant());
        if (gap.IsAbsurd || (Position is { } position && gap.To.IsNotAfter(position)))
        {
            verdict.FalseGaps++;
            verdict.Tell($"{client} at {Position} was told of a gap from {gap.From} to {gap.To} ({gap.Reason})");
        }

        // Several notices in a row are one hole.
        _openGap = gap;
        Position = gap.To;
    }

    /// <inheritdoc/>
    public void OnPosition(in EntryId next)
    {
        if (Position is { } position && position.IsAfter(next))
        {
            verdict.OutOfOrder++;
            verdict.Tell($"{client} at {position} was told to go on at {next}");
            return;
        }

        Position = next;
    }

    /// <inheritdoc/>
    public void BeginLoad()
    {
    }

    /// <inheritdoc/>
    public bool HasReached(Fates fates) => HasReached(fates.LastOf(channel));

    /// <inheritdoc/>
    public void AddEnd(Fates fates, Verdict end) => AddEnd(fates.LastOf(channel), end);

    /// <summary>Whether the client has come to the last message of its channel, or knows that it has missed it.</summary>
    public bool HasReached(uint lastNumber) => _last == lastNumber || (_last < lastNumber && _last > 0 && _openGap is not null);

    /// <summary>Nothing more was published after <paramref name="lastNumber"/>, and there was time to get it.</summary>
    public void AddEnd(uint lastNumber, Verdict end)
    {
        if (!HasReached(lastNumber))
        {
            end.LostAtEnd++;
            end.Tell($"{client} at {Position} came to message {_last} of {lastNumber}");
        }
        else if (_openGap is { } gap && _last == lastNumber && gap.Reason != GapReason.Epoch)
        {
            CountFalse(gap, end);
        }
    }

    private void CheckId(in EntryId id, uint number)
    {
        if (Position is { } position && id.IsNotAfter(position))
        {
            verdict.OutOfOrder++;
            verdict.Tell($"{client} at {position} got message {number} with the id {id}");
        }
    }

    private void CheckStep(in EntryId id, uint number)
    {
        if (number > _last + 1)
        {
            (_skipped ??= []).Add((_last + 1, number - 1));
            CountMissing(id, number);
        }
        else if (_openGap is { Reason: not GapReason.Epoch } gap)
        {
            // Only a server that has begun a new epoch cannot know what was lost with the old one.
            CountFalse(gap, verdict);
        }
    }

    private void CountMissing(in EntryId id, uint number)
    {
        if (_openGap is not null)
        {
            verdict.MissedInGaps += number - _last - 1;
        }
        else
        {
            verdict.Lost += number - _last - 1;
            verdict.Tell($"{client} lost messages {_last + 1} to {number - 1}: got {number} ({id}) after {_last} ({Position})");
        }
    }

    private void CheckLate(uint number)
    {
        if (number < _first || _skipped?.Exists(range => number >= range.From && number <= range.To) == true)
        {
            verdict.OutOfOrder++;
            verdict.Tell($"{client} got message {number} after {_last}");
        }
        else
        {
            verdict.Repeated++;
            verdict.Tell($"{client} got message {number} again, after {_last}");
        }
    }

    private void CountFalse(Gap gap, Verdict into)
    {
        into.FalseGaps++;
        into.Tell($"{client} was told of a gap from {gap.From} to {gap.To} ({gap.Reason}) behind message {_last}, where nothing was missing");
    }
}
