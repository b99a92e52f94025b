using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Formats;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class ResumeTests
{
    private const int Kept = 10;

    private readonly Node _node = new(new ChannelNamespace { Pattern = ChannelFilter.Parse("kept.>"), HistoryEntries = Kept, HistoryAge = TimeSpan.FromMinutes(1) });

    public ResumeTests()
    {
        // 1 to 30, in turn: 1 to kept.a, 2 to kept.b, 3 to none.
        for (int i = 1; i <= 30; i++)
        {
            _node.PublishNumbers(i % 3 == 1 ? "kept.a" : i % 3 == 2 ? "kept.b" : "none", i, i);
        }
    }

    [Theory]
    [InlineData(30, new int[] { })]
    [InlineData(28, new int[] { })]
    [InlineData(27, new[] { 28 })]
    [InlineData(25, new[] { 28 })]
    [InlineData(24, new[] { 25, 28 })]
    [InlineData(0, new[] { 1, 4, 7, 10, 13, 16, 19, 22, 25, 28 })]
    public void One_channel(long after, int[] expected) => AssertResumed(_node.SubscribeFrom(_node.After(after), "kept.a"), expected);

    [Theory]
    [InlineData(29, new int[] { })]
    [InlineData(28, new[] { 29 })]
    [InlineData(24, new[] { 25, 26, 28, 29 })]
    public void Several_channels(long after, int[] expected) => AssertResumed(_node.SubscribeFrom(_node.After(after), "kept.a", "kept.b"), expected);

    [Theory]
    [InlineData("kept.*")]
    [InlineData("kept.>")]
    public void Patterns(string pattern)
    {
        AssertResumed(_node.SubscribeFrom(_node.After(24), pattern), 25, 26, 28, 29);
        AssertResumed(_node.SubscribeFrom(_node.After(28), pattern), 29);   // its log is there now
        AssertResumed(_node.SubscribeFrom(_node.After(24), pattern, "kept.a"), 25, 26, 28, 29);
    }

    [Fact]
    public void A_pattern_that_somebody_subscribes_to_has_what_was_published_before()
    {
        var live = _node.Subscribe("kept.*");
        _node.PublishNumbers("kept.c", 31, 31);
        AssertResumed(_node.SubscribeFrom(_node.After(25), "kept.*"), 26, 28, 29, 31);
        _node.RunAll();
        AssertResumed(live, 31);
    }

    [Fact]
    public void The_earliest_is_the_oldest_that_is_kept()
    {
        _node.PublishNumbers("kept.a", 31, 32);
        AssertResumed(_node.SubscribeFrom(StartPoint.Earliest, "kept.a"), 7, 10, 13, 16, 19, 22, 25, 28, 31, 32);
        AssertResumed(_node.SubscribeFrom(StartPoint.Earliest, "none"));
        AssertResumed(_node.SubscribeFrom(StartPoint.Earliest, "kept.a", "none"), 7, 10, 13, 16, 19, 22, 25, 28, 31, 32);
    }

    [Fact]
    public void The_latest_is_what_comes()
    {
        var latest = _node.SubscribeFrom(StartPoint.Latest, "kept.a", "kept.*");
        AssertResumed(latest);
        _node.PublishNumbers("kept.b", 31, 31);
        AssertResumed(latest, 31);
    }

    [Theory]
    [InlineData(1, new[] { 28 })]
    [InlineData(Kept - 1, new[] { 4, 7, 10, 13, 16, 19, 22, 25, 28 })]
    [InlineData(Kept, new[] { 1, 4, 7, 10, 13, 16, 19, 22, 25, 28 })]
    [InlineData(Kept + 1, new[] { 1, 4, 7, 10, 13, 16, 19, 22, 25, 28 })]
    public void The_last_are_as_many_as_are_wanted_or_kept(int count, int[] expected) => AssertResumed(_node.SubscribeFrom(StartPoint.Last(count), "kept.a"), expected);

    [Fact]
    public void The_last_of_several_channels_are_counted_together_and_once()
    {
        AssertResumed(_node.SubscribeFrom(StartPoint.Last(3), "kept.a", "kept.b"), 26, 28, 29);
        AssertResumed(_node.SubscribeFrom(StartPoint.Last(3), "kept.*"), 26, 28, 29);
        AssertResumed(_node.SubscribeFrom(StartPoint.Last(3), "kept.a", "kept.*", "kept.>"), 26, 28, 29);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(long.MaxValue)]
    public void A_position_that_is_not_there_yet_is_the_newest(long after)
    {
        var subscriber = _node.SubscribeFrom(_node.After(after), "kept.a");
        AssertResumed(subscriber);
        _node.PublishNumbers("kept.a", 31, 31);
        AssertResumed(subscriber, 31);
    }

    [Fact]
    public void A_position_in_another_stream_is_told_and_everything_kept_follows()
    {
        var foreign = new MessageId(_node.Broker.Epoch + 1, 1_000);
        var subscriber = _node.SubscribeFrom(StartPoint.After(foreign), "kept.a");
        var (gap, at) = Assert.Single(subscriber.Gaps);
        Assert.Equal((foreign, _node.Id(0), GapReason.Epoch, 0), (gap.From, gap.To, gap.Reason, at));
        Assert.Equal([1, 4, 7, 10, 13, 16, 19, 22, 25, 28], subscriber.Numbers);
    }

    [Fact]
    public void What_is_no_longer_kept_is_a_gap_in_its_place()
    {
        _node.PublishNumbers("kept.a", 31, 33);
        var subscriber = _node.SubscribeFrom(_node.After(2), "kept.a");
        Assert.Equal([(Retention("kept.a", 2, 7), 0)], subscriber.Gaps);
        Assert.Equal([10, 13, 16, 19, 22, 25, 28, 31, 32, 33], subscriber.Numbers);
        AssertResumed(_node.SubscribeFrom(_node.After(7), "kept.a"), 10, 13, 16, 19, 22, 25, 28, 31, 32, 33);
        Assert.Equal([(Retention("kept.a", 6, 7), 0)], _node.SubscribeFrom(_node.After(6), "kept.a").Gaps);
    }

    [Fact]
    public void What_was_published_to_nobody_is_a_gap()
    {
        Assert.Equal([(Retention("none", 29, 30), 0)], _node.SubscribeFrom(_node.After(29), "none").Gaps);
        AssertResumed(_node.SubscribeFrom(_node.After(30), "none"));
    }

    [Fact]
    public void A_channel_that_died_meanwhile_is_no_gap_if_nothing_was_missed()
    {
        var first = _node.Subscribe("none");
        _node.PublishNumbers("none", 31, 32);
        _node.RunAll();
        _node.Leave(first);
        _node.Age(TimeSpan.FromHours(1));
        Assert.Equal(0, _node.Hub.ChannelCount);

        AssertResumed(_node.SubscribeFrom(StartPoint.After(first.Position), "none"));
        Assert.Equal([(Retention("kept.a", 27, 28), 0)], _node.SubscribeFrom(_node.After(27), "kept.a").Gaps);
        AssertResumed(_node.SubscribeFrom(_node.After(28), "kept.a"));
    }

    [Fact]
    public void A_gap_with_a_place_for_nothing_else_blocks_until_there_is_one()
    {
        var subscriber = _node.SubscribeFrom(_node.After(5), room: 0, "none");
        Assert.True(subscriber.IsBlocked);
        Assert.Equal(5, subscriber.Position.Sequence);
        _node.Shard.Do(() => subscriber.TakeMore(1));
        Assert.Equal([(Retention("none", 5, 30), 0)], subscriber.Gaps);
        Assert.Equal(30, subscriber.Position.Sequence);
    }

    [Fact]
    public void Who_resumes_while_others_are_walked_gets_everything_once()
    {
        var live = _node.Subscribe("kept.a");
        _node.PublishNumbers("kept.a", 31, 40);
        var resumed = _node.SubscribeFrom(_node.After(28), room: 3, "kept.a");
        _node.RunAll();
        _node.PublishNumbers("kept.a", 41, 42);
        _node.RunAll();
        _node.Shard.Do(() => resumed.TakeMore());
        AssertResumed(resumed, [.. Enumerable.Range(31, 12)]);
        AssertResumed(live, [.. Enumerable.Range(31, 12)]);
    }

    [Fact]
    public void However_many_resume_an_entry_is_encoded_once_per_format()
    {
        const int Subscribers = 10_000;
        var node = new Node(new ChannelNamespace { Pattern = ChannelFilter.Parse(">"), HistoryEntries = 200 });
        node.PublishNumbers("a", 1, 200);
        foreach (var format in Enum.GetValues<WireFormat>())
        {
            var first = new Reference(node.Shard, format);
            node.Shard.Do(() => first.Start(node.Hub));
            Assert.Equal(200, first.Forms.Count);
            long bytes = node.Hub.Budget.LogBytes;
            for (int i = 1; i < Subscribers / 5; i++)
            {
                var other = new Reference(node.Shard, format) { Expected = first.Forms };
                node.Shard.Do(() => other.Start(node.Hub));
                Assert.Equal(200, other.Same);
            }

            Assert.Equal(bytes, node.Hub.Budget.LogBytes);
        }
    }

    private void AssertResumed(TestSubscriber subscriber, params int[] expected)
    {
        _node.RunAll();
        Assert.Equal(expected, subscriber.Numbers);
        Assert.Empty(subscriber.Gaps);
        Assert.Empty(subscriber.Lagged);
        Assert.Empty(subscriber.Faults);
    }

    private GapNotice Retention(string channel, long from, long to) => new(ChannelFilter.Parse(channel), _node.Id(from), _node.Id(to), GapReason.Retention);

    /// <summary>Starts at the earliest entry, and holds what it gets against what another one got.</summary>
    private sealed class Reference(Shard shard, WireFormat format) : Subscriber(shard, format)
    {
        public List<byte[]> Forms { get; } = [];

        public List<byte[]>? Expected { get; init; }

        public int Same { get; private set; }

        public void Start(ChannelHub hub)
        {
            Assert.True(TrySubscribe(hub, [ChannelFilter.Parse("a")], StartPoint.Earliest));
            DeliverNow();
        }

        protected override int Write(ReadOnlySpan<byte[]> forms)
        {
            foreach (byte[] form in forms)
            {
                if (Expected is null)
                {
                    Forms.Add(form);
                }
                else
                {
                    Assert.Same(Expected[Same++], form);
                }
            }

            return forms.Length;
        }

        protected override void OnLagged(ChannelFilter filter) => Assert.Fail("lagged");

        protected override void OnFault(Exception exception) => Assert.Fail(exception.ToString());
    }
}
