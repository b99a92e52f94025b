using System.Diagnostics;
using RawPush.Swarm.Clients;

namespace RawPush.Swarm.Resuming;

/// <summary>How a message fits to those that a client has of its channel.</summary>
internal enum Arrival
{
    InOrder,

    /// <summary>After a later one, as nodes without a common log may do.</summary>
    Late,
    OutOfOrder,
    Repeated,
}

/// <summary>One channel as one client sees it: what it has, and which numbers it has passed over.</summary>
/// <remarks>Whether a number that was passed over is a loss can only be said at the end, when it is known which ones were acknowledged.</remarks>
internal sealed class ChannelTrack(Promise promise)
{
    // What one node has passed on and another has not: a client that leaves meanwhile has lost nothing, as its new node tells it of a new epoch.
    private static readonly TimeSpan LateMax = TimeSpan.FromSeconds(5);

    private readonly List<Hole> _open = [];      // Since the epoch began.
    private readonly List<Hole> _settled = [];
    private readonly Dictionary<int, uint> _lastThrough = [];
    private uint _first;
    private uint _lastBefore;
    private bool _isBegun;
    private bool _isGapOpen;
    private long _gapThrough;
    private bool _isEdge;
    private long _edgeEndsAt = long.MinValue;

    /// <summary>The highest number of this epoch.</summary>
    public uint Last { get; private set; }

    /// <summary>Whatever is published from now on is owed, beginning with number 1.</summary>
    public void BeginAtTheFirst()
    {
        _isBegun = true;
        _first = 1;
        Last = 0;
    }

    /// <summary>Takes a message.</summary>
    /// <param name="payload">Its publisher is the life of the node through which it was published.</param>
    /// <param name="sequence">Its place in the epoch.</param>
    /// <param name="story">Says what the client sees; asked only if numbers are missing.</param>
    public Arrival Take(in Payload payload, long sequence, Func<string> story)
    {
        if (_isEdge)
        {
            _isEdge = false;
            _edgeEndsAt = payload.DueTimestamp + (long)(LateMax.TotalSeconds * Stopwatch.Frequency);
        }

        var arrival = Judge(payload, story);

        // A notice may come before messages that stand before the hole: it explains what is missing up to its end.
        _isGapOpen &= sequence <= _gapThrough;
        return arrival;
    }

    /// <summary>The server says that something is missing in this epoch up to a place; and, where messages may come late, anywhere before.</summary>
    /// <param name="through">That place.</param>
    /// <param name="isDropped">The node had it once, and keeps it no more.</param>
    public void Announce(long through, bool isDropped)
    {
        OpenGap(through);
        _isEdge |= isDropped;
        if (promise == Promise.Core)
        {
            for (int i = 0; i < _open.Count; i++)
            {
                _open[i] = _open[i] with { IsAnnounced = true };
            }
        }
    }

    /// <summary>The server says that what it had is gone, and what it has now begins anew.</summary>
    /// <param name="through">The place before which all that is new may be missing.</param>
    public void BeginEpoch(long through)
    {
        // Places of two epochs say nothing of each other.
        _isGapOpen = false;
        OpenGap(through);
        _isEdge = true;
        if (promise == Promise.Core && _isBegun)
        {
            _settled.AddRange(_open.Select(hole => WithHeardAfter(hole) with { IsAnnounced = hole.IsAnnounced || Stopwatch.GetElapsedTime(hole.NoticedAt) < LateMax }));
            _open.Clear();
            _lastThrough.Clear();
            _lastBefore = Last;
            _isBegun = false;
            _first = Last = 0;
        }
    }

    /// <summary>Whether the client has come to this number or knows that it may never see it.</summary>
    public bool HasReached(uint lastNumber) => lastNumber == 0 || _isGapOpen || (_isBegun && Last >= lastNumber);

    /// <summary>All that was passed over, over all epochs.</summary>
    public IEnumerable<Hole> Holes => _settled.Concat(_open.Select(WithHeardAfter));

    private Hole WithHeardAfter(Hole hole) => hole with { HeardAfter = hole.IsAnnounced ? [] : [.. _lastThrough.Where(last => last.Value > hole.To).Select(last => last.Key)] };

    private Arrival Judge(in Payload payload, Func<string> story)
    {
        uint number = payload.Number;
        bool isInOrder = IsInOrderOfItsNode(payload);
        if (!_isBegun)
        {
            Begin(number);
            return Arrival.InOrder;
        }

        if (number > Last)
        {
            PassOver(Last + 1, number - 1, IsExplained(payload), story);
            Last = number;
            return Arrival.InOrder;
        }

        if (!TryFill(number))
        {
            return Arrival.Repeated;
        }

        return isInOrder && promise == Promise.Core ? Arrival.Late : Arrival.OutOfOrder;
    }

    private void Begin(uint number)
    {
        if (_isGapOpen && _lastBefore > 0 && number > _lastBefore + 1)
        {
            _settled.Add(new Hole(_lastBefore + 1, number - 1, Stopwatch.GetTimestamp(), IsAnnounced: true, string.Empty));
        }

        _isBegun = true;
        _first = Last = number;
    }

    private void OpenGap(long through)
    {
        _gapThrough = _isGapOpen ? Math.Max(_gapThrough, through) : through;
        _isGapOpen = true;
    }

    // Nodes pass on in their order what is published through them.
    private bool IsInOrderOfItsNode(in Payload payload)
    {
        if (promise != Promise.Core)
        {
            return true;
        }

        uint last = _lastThrough.GetValueOrDefault(payload.Publisher);
        _lastThrough[payload.Publisher] = Math.Max(last, payload.Number);
        return payload.Number >= last;
    }

    // Where messages come late, a log that has dropped its oldest does not begin with the lowest number: one from another node, late, may stand behind numbers that are gone.
    private bool IsExplained(in Payload next) => _isGapOpen || (promise == Promise.Core && next.DueTimestamp <= _edgeEndsAt);

    private void PassOver(uint from, uint to, bool isExplained, Func<string> story)
    {
        if (to >= from)
        {
            _open.Add(new Hole(from, to, Stopwatch.GetTimestamp(), isExplained, isExplained ? string.Empty : story()));
        }
    }

    /// <summary>Takes a number out of what is missing; false if it is not missing, so that it has come before.</summary>
    private bool TryFill(uint number)
    {
        if (number < _first)
        {
            // From before the first one that was taken: what lies between is owed by nobody, but may come too.
            AddUnlessEmpty(new Hole(number + 1, _first - 1, Stopwatch.GetTimestamp(), IsAnnounced: true, string.Empty), _open.Count);
            _first = number;
            return true;
        }

        int index = _open.FindIndex(hole => hole.Has(number));
        if (index < 0)
        {
            return false;
        }

        var hole = _open[index];
        _open.RemoveAt(index);
        AddUnlessEmpty(hole with { From = number + 1 }, index);
        AddUnlessEmpty(hole with { To = number - 1 }, index);
        return true;
    }

    private void AddUnlessEmpty(in Hole hole, int index)
    {
        if (hole.To >= hole.From)
        {
            _open.Insert(index, hole);
        }
    }
}
