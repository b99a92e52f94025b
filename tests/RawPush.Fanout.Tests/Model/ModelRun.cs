using System.Globalization;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Formats;
using RawPush.Fanout.Tests.Delivery;

namespace RawPush.Fanout.Tests.Model;

/// <summary>One life of a node, as the dice fall: channels of every policy with short histories, and subscribers who come, block, leave and come back.</summary>
internal sealed class ModelRun
{
    private const int Steps = 250;
    private const int SessionsMax = 8;

    private static readonly string[] Names = ["keep.1", "keep.2", "skip.1", "skip.2", "state.1", "none.1", "none.2", "short.1"];

    private static readonly string[][] Interests =
    [
        ["keep.1"], ["skip.1"], ["state.1"], ["none.1"], ["short.1"], ["keep.1", "skip.2"], ["none.1", "short.1", "keep.2"], ["state.1", "skip.1"],
        ["keep.*"], ["skip.>"], [">"], ["none.*"], ["*.1"], ["state.*", "state.1"], ["keep.1", "keep.*"], ["skip.*", "skip.>", "skip.2"], ["none.>", "keep.>"],
        [.. Names],
    ];

    private readonly Random _random;
    private readonly ModelTally _tally;
    private readonly Node _node;
    private readonly ModelStream _stream;
    private readonly List<ModelSession> _present = [];
    private readonly List<ModelSession> _gone = [];

    public ModelRun(int seed, ModelTally tally)
    {
        _random = new Random(seed);
        _tally = tally;
        var age = TimeSpan.FromSeconds(_random.Next(20, 100));
        var namespaces = new List<ChannelNamespace>
        {
            new() { Pattern = ChannelFilter.Parse("keep.*"), HistoryEntries = _random.Next(1, 12), HistoryAge = age },
            new() { Pattern = ChannelFilter.Parse("skip.*"), HistoryEntries = _random.Next(1, 12), HistoryAge = 2 * age, LagPolicy = LagPolicy.Skip },
            new() { Pattern = ChannelFilter.Parse("state.*"), HistoryEntries = _random.Next(1, 12), HistoryAge = age, LagPolicy = LagPolicy.Conflate },
            new() { Pattern = ChannelFilter.Parse("short.*"), LagPolicy = LagPolicy.Skip },
        };
        if (_random.Next(2) == 0)
        {
            namespaces.Add(new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), LagPolicy = LagPolicy.Skip });
        }

        _node = new Node(new ChannelLimits { Namespaces = namespaces, LogEntriesMax = _random.Next(1, 20) }, shards: 2);
        _stream = new ModelStream(namespaces);
    }

    private long NowMs => _node.Time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Play()
    {
        for (int step = 0; step < Steps; step++)
        {
            PlayStep();
            _present.ForEach(session => session.Note(NowMs, _tally));
            Retire();
        }

        EndAll();
    }

    private void PlayStep()
    {
        switch (_random.Next(12))
        {
            case 0 or 1 when _present.Count < SessionsMax:
                Come(Interests[_random.Next(Interests.Length)], ChooseStart());
                break;
            case 2 when _present.Count > 0:
                Choose().Subscriber.Room = _random.Next(4);
                break;
            case 3 when _present.Count > 0:
                var slow = Choose().Subscriber;
                ((ManualShard)slow.Shard).Do(() => slow.TakeMore(_random.Next(3) == 0 ? int.MaxValue : _random.Next(12)));
                break;
            case 4 when _present.Count > 0:
                Go(Choose());
                break;
            case 5 when _gone.Count > 0:
                ComeBack(_gone[_random.Next(_gone.Count)]);
                break;
            case 6:
                _node.Age(TimeSpan.FromMilliseconds(_random.Next(1, 40_000)));
                break;
            case 7 or 8:
                _node.Shards[_random.Next(2)].Turn();
                break;
            default:
                Publish(_random.Next(10) == 0 ? 25 : _random.Next(1, 5));
                break;
        }
    }

    private void Publish(int count)
    {
        string name = Names[_random.Next(Names.Length)];
        for (int i = 0; i < count; i++)
        {
            string? key = _random.Next(3) > 0 ? $"key{_random.Next(3)}" : null;
            TimeSpan? expires = _random.Next(6) == 0 ? TimeSpan.FromMilliseconds(_random.Next(1, 20_000)) : null;
            _stream.Publish(ChannelName.Parse(name), key, NowMs, expires);
            _ = _node.Publish(name, _stream.All.Count.ToString(CultureInfo.InvariantCulture), new MessageTraits { Key = key, Expires = expires });
            name = _random.Next(4) == 0 ? Names[_random.Next(Names.Length)] : name;
        }
    }

    private StartPoint ChooseStart() => _random.Next(7) switch
    {
        0 or 1 => StartPoint.Latest,
        2 => StartPoint.Earliest,
        3 => StartPoint.Last(_random.Next(1, 12)),
        4 => StartPoint.After(new MessageId(_node.Broker.Epoch + 1, _random.Next(100))),
        _ => _node.After(_random.Next(_stream.All.Count + 5)),
    };

    private void Come(string[] interests, StartPoint start)
    {
        // A shard that comes late with what was published before must not bring it to who came after.
        var shard = _node.Shards[_random.Next(2)];
        var subscriber = new TestSubscriber(shard, WireFormat.WebSocketRaw) { Room = _random.Next(3) == 0 ? _random.Next(6) : int.MaxValue };
        ChannelFilter[] filters = [.. interests.Select(ChannelFilter.Parse)];
        var kept = _stream.KeptAt(NowMs);
        if (start.Count > 0)
        {
            // There may be others than those that must be kept, and they count as well.
            kept.IntersectWith(_stream.NewestAt(NowMs, start.Count, filters));
        }

        var session = new ModelSession(_stream, subscriber, filters, start, _node.Id(_stream.All.Count), kept);
        shard.Do(() => _node.Join(subscriber, start, interests));
        _present.Add(session);
    }

    private void ComeBack(ModelSession gone)
    {
        _tally.Resumed++;
        _gone.Remove(gone);
        Come([.. gone.Filters.Select(filter => filter.Value)], StartPoint.After(gone.Position));
    }

    private void Go(ModelSession session)
    {
        _node.Leave(session.Subscriber);
        End(session);
    }

    private void Retire()
    {
        foreach (var session in _present.Where(session => session.Subscriber.Lagged.Count > 0).ToList())
        {
            End(session);
        }
    }

    private void End(ModelSession session)
    {
        session.Check(session.Position.Sequence, NowMs, _tally);
        _present.Remove(session);
        _gone.Add(session);
    }

    private ModelSession Choose() => _present[_random.Next(_present.Count)];

    /// <summary>Everybody reads to the end; then nothing may be left.</summary>
    private void EndAll()
    {
        _node.RunAll();
        foreach (var session in _present)
        {
            session.Note(NowMs, _tally);
            ((ManualShard)session.Subscriber.Shard).Do(() => session.Subscriber.TakeMore());
        }

        _node.RunAll();
        foreach (var session in _present.ToList())
        {
            bool isLagged = session.Subscriber.Lagged.Count > 0;
            session.Check(isLagged ? session.Position.Sequence : _stream.All.Count, NowMs, _tally);
            _node.Leave(session.Subscriber);
        }

        _node.Age(TimeSpan.FromHours(1));
        _node.SweepPatterns();
        Assert.Equal((0, 0, 0L), (_node.Hub.ChannelCount, _node.Hub.PatternCount, _node.Hub.Budget.LogBytes));
    }
}
