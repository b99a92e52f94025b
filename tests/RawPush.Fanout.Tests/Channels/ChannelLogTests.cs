using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Channels;

public sealed class ChannelLogTests
{
    private const int HeaderBytes = 2;

    private static readonly LogHold Free = new(long.MaxValue, IsForLaggards: false);
    private static readonly LogHold ForLaggards = new(long.MaxValue, IsForLaggards: true);

    [Fact]
    public void A_new_log_is_empty()
    {
        var log = new ChannelLog(isView: false);
        Assert.Equal((0, 0L, 0L, 0L, null), (log.Count, log.Bytes, log.LastSequence, log.DroppedThrough, log.Oldest));
        Assert.Equal(0, log.Read(0, new Entry[1], 0, out long through));
        Assert.Equal(0, through);
        Assert.False(log.IsOverfull(new ChannelLimits(), walked: 0));
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(9, 5)]
    public void The_oldest_entries_go_when_there_are_more_than_the_limit(int appended, long dropped)
    {
        var log = new ChannelLog(isView: false);
        Fill(log, appended);
        Assert.Equal(dropped > 0, log.IsOverfull(new ChannelLimits { LogEntriesMax = 4 }, walked: 0));

        log.Trim(Room(lagEntries: 4), ForLaggards);

        Assert.Equal((dropped, (long)appended), (log.DroppedThrough, log.LastSequence));
        AssertHolds(log);
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(9, 5)]
    public void History_keeps_as_many_whoever_lags(int appended, long dropped)
    {
        var log = new ChannelLog(isView: false);
        Fill(log, appended);
        log.Trim(Room(historyEntries: 4), Free);
        Assert.Equal(dropped, log.DroppedThrough);
        AssertHolds(log);
    }

    [Theory]
    [InlineData(29, 0)]
    [InlineData(30, 0)]
    [InlineData(31, 1)]
    [InlineData(41, 2)]
    public void The_oldest_entries_go_when_there_are_more_bytes_than_the_limit(int lastBytes, long dropped)
    {
        // Headers count: three entries of 10, and one of the rest.
        foreach (bool isForLaggards in new[] { true, false })
        {
            var log = new ChannelLog(isView: false);
            Fill(log, 3, payloadBytes: 10 - HeaderBytes);
            Append(log, lastBytes - HeaderBytes);

            log.Trim(isForLaggards ? Room(lagEntries: 10, lagBytes: 60) : Room(historyEntries: 10, historyBytes: 60), isForLaggards ? ForLaggards : Free);

            Assert.Equal(dropped, log.DroppedThrough);
            Assert.Equal(((3 - dropped) * 10) + lastBytes, log.Bytes);
        }
    }

    [Fact]
    public void One_entry_may_be_larger_than_the_log()
    {
        var limits = new ChannelLimits { LogBytesMax = 10 };
        var log = new ChannelLog(isView: false);
        Append(log, 100);
        log.Trim(Room(lagEntries: 10, lagBytes: 10), ForLaggards);
        Assert.Equal((1, false), (log.Count, log.IsOverfull(limits, walked: 0)));

        Append(log, 100);
        Assert.True(log.IsOverfull(limits, walked: 0));
        Assert.False(log.IsOverfull(limits, walked: 1));
        log.Trim(Room(lagEntries: 10, lagBytes: 10), ForLaggards);
        Assert.Equal((1L, 1), (log.DroppedThrough, log.Count));
    }

    [Theory]
    [InlineData(999, 5)]
    [InlineData(1_000, 0)]
    public void Entries_go_when_they_are_as_old_as_they_may_get(long oldestMs, int count)
    {
        var log = new ChannelLog(isView: false);
        var state = TestEntry.CreateNamespace(new ChannelNamespace { Pattern = ChannelFilter.Parse("a") }, time: new FixedTime(1_000));
        for (int i = 1; i <= 5; i++)
        {
            log.Append(TestEntry.Create(i, 1, state: state), Room(historyEntries: 10), Free);
        }

        log.Trim(Room(historyEntries: 10) with { OldestMs = oldestMs }, Free);
        Assert.Equal(count, log.Count);
    }

    [Fact]
    public void What_was_not_walked_stays_whatever_the_limits_say()
    {
        var limits = new ChannelLimits { LogEntriesMax = 2, LogBytesMax = 1 };
        var log = new ChannelLog(isView: false);
        Fill(log, 10);
        for (long walked = 0; walked <= 8; walked++)
        {
            log.Trim(Room(lagEntries: 2, lagBytes: 1), new LogHold(walked, IsForLaggards: true));
            Assert.Equal(walked, log.DroppedThrough);
            AssertHolds(log);
        }

        Assert.True(log.IsOverfull(limits, walked: 8));
        log.Trim(Room(lagEntries: 2, lagBytes: 1), new LogHold(10, IsForLaggards: true));
        Assert.Equal((9L, false), (log.DroppedThrough, log.IsOverfull(limits, walked: 10)));
    }

    [Fact]
    public void What_was_walked_goes_when_nobody_lags_and_nothing_is_kept()
    {
        var log = new ChannelLog(isView: false);
        Fill(log, 5);
        log.Trim(Room(lagEntries: 100), new LogHold(3, IsForLaggards: false));
        Assert.Equal((3L, 2), (log.DroppedThrough, log.Count));
        AssertHolds(log);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(100)]
    public void The_ring_grows_and_shrinks_wherever_its_seam_is(int kept)
    {
        var room = Room(historyEntries: kept);
        for (int before = 0; before < 10; before++)
        {
            var log = new ChannelLog(isView: false);
            for (int i = 0; i < before; i++)
            {
                Append(log);
                log.Trim(room, Free);
            }

            // Unwalked, so all of them stay and the ring grows around the seam, more than once.
            Fill(log, 1_000);
            AssertHolds(log);

            log.Trim(room, Free);
            AssertHolds(log);
            Assert.Equal(Math.Min(kept, before + 1_000), log.Count);
            for (int i = 0; i < 20; i++)
            {
                Append(log);
                log.Trim(room, Free);
                AssertHolds(log);
            }
        }
    }

    [Fact]
    public void Reading_gives_what_fits_and_is_there_and_says_how_far_it_looked()
    {
        var log = new ChannelLog(isView: false);
        Fill(log, 10);
        log.Trim(Room(historyEntries: 6), Free);
        var into = new Entry[4];

        Assert.Equal((4, 8L), (log.Read(0, into, 0, out long through), through));
        Assert.Equal([5, 6, 7, 8], into.Select(entry => entry.Sequence));
        Assert.Equal((1, 10L), (log.Read(9, into, 0, out through), through));
        Assert.Equal([10, 6, 7, 8], into.Select(entry => entry.Sequence));
        Assert.Equal((0, 10L), (log.Read(10, into, 0, out through), through));
        Assert.Equal((0, 11L), (log.Read(11, into, 0, out through), through));
        Assert.Equal((4, 10L), (log.Read(6, into, 0, out through), through));
    }

    [Fact]
    public void A_superseded_entry_counts_no_more_and_is_no_loss()
    {
        var log = new ChannelLog(isView: false, conflates: true);
        AppendKeyed(log, "x");
        AppendKeyed(log, "y");
        AppendKeyed(log, "x");
        AppendKeyed(log, "x");

        Assert.Equal((2, 2 * (1 + HeaderBytes)), (log.Count, (int)log.Bytes));
        Assert.Equal([2, 4], Sequences(log));
        log.Trim(Room(historyEntries: 2), Free);
        log.Compact(Room(historyEntries: 2), Free);
        Assert.Equal((2, 0L, 2L), (log.Count, log.DroppedThrough, log.Oldest?.Sequence));

        log.Trim(Room(historyEntries: 1), Free);
        Assert.Equal((1, 2L), (log.Count, log.DroppedThrough));
        AppendKeyed(log, "x");
        Assert.Equal([5], Sequences(log));
        Assert.Equal(1 + HeaderBytes, log.Bytes);
    }

    [Fact]
    public void A_log_that_is_flooded_with_a_few_keys_keeps_the_newest_of_each()
    {
        var log = new ChannelLog(isView: false, conflates: true);
        AppendKeyed(log, null);
        for (int i = 0; i < 10_000; i++)
        {
            AppendKeyed(log, $"{i % 3}");
        }

        Assert.Equal(4, log.Count);
        Assert.Equal([1, 9_999, 10_000, 10_001], Sequences(log));
    }

    [Fact]
    public void A_view_keeps_what_the_channels_log_keeps_also_in_the_middle()
    {
        var own = new ChannelLog(isView: false);
        var other = new ChannelLog(isView: false);
        var view = new ChannelLog(isView: true);
        for (int sequence = 1; sequence <= 10; sequence++)
        {
            var entry = TestEntry.Create(sequence, 1);
            (sequence % 2 == 0 ? own : other).Append(entry, Room(historyEntries: 10), Free);
            view.Append(entry, Room(), Free);
        }

        other.Trim(Room(historyEntries: 1), Free);
        view.Compact(Room(), Free);
        Assert.Equal([2, 4, 6, 8, 9, 10], Sequences(view));
        Assert.Equal(7, view.DroppedThrough);
        Assert.Equal(6 * (1 + HeaderBytes), view.Bytes);

        own.Clear();
        other.Clear();
        Assert.Equal(6, view.Count);
    }

    [Fact]
    public void A_seeded_view_has_both_lists_once_and_in_order()
    {
        var channel = new ChannelLog(isView: false);
        var view = new ChannelLog(isView: true);
        Entry[] entries = [.. Enumerable.Range(1, 6).Select(sequence => TestEntry.Create(sequence, 1))];
        Array.ForEach(entries, entry => channel.Append(entry, Room(historyEntries: 10), Free));
        Array.ForEach(entries[3..], entry => view.Append(entry, Room(), Free));
        view.Insert([.. entries[..5]]);
        Assert.Equal([1, 2, 3, 4, 5, 6], Sequences(view));
        Assert.Equal((6L, channel.Bytes), (view.LastSequence, view.Bytes));
    }

    private static LogRoom Room(
        int historyEntries = 0, long historyBytes = long.MaxValue, int lagEntries = 0, long lagBytes = long.MaxValue) =>
        new(historyEntries, historyBytes, OldestMs: 0, lagEntries, lagBytes, NowMs: 0);

    private static void Fill(ChannelLog log, int count, int payloadBytes = 1)
    {
        for (int i = 0; i < count; i++)
        {
            Append(log, payloadBytes);
        }
    }

    private static void Append(ChannelLog log, int payloadBytes = 1) => log.Append(TestEntry.Create(log.LastSequence + 1, payloadBytes), Room(), Free);

    private static void AppendKeyed(ChannelLog log, string? key)
    {
        log.Append(TestEntry.Create(log.LastSequence + 1, 1, new MessageTraits { Key = key }), Room(historyEntries: 1_000), Free);
    }

    private static long[] Sequences(ChannelLog log)
    {
        var entries = new Entry[100];
        int count = log.Read(0, entries, 0, out _);
        return [.. entries.Take(count).Select(entry => entry.Sequence)];
    }

    /// <summary>Behind what was dropped, every sequence is there that was appended, and the bytes are their sum.</summary>
    private static void AssertHolds(ChannelLog log)
    {
        var entries = new Entry[log.Count + 1];
        Assert.Equal(log.LastSequence - log.DroppedThrough, log.Count);
        Assert.Equal(log.Count, log.Read(0, entries, 0, out _));
        Assert.Equal(Enumerable.Range((int)log.DroppedThrough + 1, log.Count).Select(i => (long)i), entries.Take(log.Count).Select(entry => entry.Sequence));
        Assert.Equal(entries.Take(log.Count).Sum(entry => entry.PayloadBytes), log.Bytes);
        Assert.Equal(entries[0], log.Oldest);
    }

    private sealed class FixedTime(long milliseconds) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }
}
