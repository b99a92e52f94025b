using System.Diagnostics;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Resuming;

namespace RawPush.Bench.Tests;

/// <summary>What a client that moves between nodes accepts, and what it calls a lie, by what the nodes promise.</summary>
public sealed class ClusterCheckerTests
{
    private const int A = 0;
    private const int B = 1;
    private const int One = 3;
    private const int Other = 4;

    private readonly Verdict _verdict = new();
    private long _sequence;
    private ulong _epoch = 1;
    private long _due = 1;

    public static TheoryData<string> Promises => [nameof(Promise.Core), nameof(Promise.JetStream)];

    [Theory]
    [MemberData(nameof(Promises))]
    public void Messages_that_follow_one_by_one_are_no_fault(string promise)
    {
        var client = NewClient(promise);
        Messages(client, A, 5, 6, 7);

        AssertEnd(client, last: 7);
    }

    [Theory]
    [MemberData(nameof(Promises))]
    public void An_acknowledged_number_that_never_comes_is_lost(string promise)
    {
        var client = NewClient(promise);
        Messages(client, A, 5, 8);

        var end = AssertEnd(client, last: 8, lost: 2);
        Assert.Equal((One, 6u, 7u), (end.Losses![0].Channel, end.Losses[0].From, end.Losses[0].To));
        Assert.Contains("client 7", end.Losses[0].Story, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Promises))]
    public void A_number_of_which_its_publisher_does_not_know_may_stay_away_or_come_once(string promise)
    {
        var client = NewClient(promise);
        Messages(client, A, 5, 8, 9, 10);

        AssertEnd(client, last: 10, unknown: [6, 7, 9]);
    }

    [Theory]
    [MemberData(nameof(Promises))]
    public void A_message_that_comes_again_is_repeated_whether_it_was_acknowledged_or_not(string promise)
    {
        var client = NewClient(promise);
        Messages(client, A, 5, 6, 7, 6, 8);

        AssertEnd(client, last: 8, unknown: [6], repeated: 1);
    }

    [Theory]
    [MemberData(nameof(Promises))]
    public void A_gap_explains_what_is_missing_up_to_its_end_and_nothing_behind_it(string promise)
    {
        var client = NewClient(promise);
        Messages(client, A, 5);
        Gap(client, GapReason.Bus);
        Messages(client, A, 8);
        AssertEnd(client, last: 8, missed: 2);

        Messages(client, A, 10);
        AssertEnd(client, last: 10, missed: 2, lost: 1);
    }

    [Fact]
    public void A_gap_may_be_told_of_before_messages_that_stand_before_it()
    {
        var client = NewClient(nameof(Promise.JetStream));
        Messages(client, A, 5);
        var from = Id(_sequence);
        client.OnGap(new Gap(from, Id(_sequence + 15), GapReason.Retention), from, [One]);
        Messages(client, A, 6);
        _sequence += 10;
        Messages(client, A, 8);

        AssertEnd(client, last: 8, missed: 1);
    }

    [Fact]
    public void A_gap_of_one_channel_explains_nothing_of_another()
    {
        var client = NewClient(nameof(Promise.JetStream), One, Other);
        Messages(client, A, 5);
        Message(client, A, 5, Other);
        Gap(client, GapReason.Bus);
        Message(client, A, 7, Other);
        Messages(client, A, 7);

        var end = new Verdict { Losses = [] };
        client.AddEnd(FatesOf(7), end);
        Assert.Equal((1, 1, Other), (end.Lost, end.MissedInGaps, end.Losses![0].Channel));
    }

    [Fact]
    public void Nodes_with_a_log_each_may_bring_messages_of_different_nodes_late()
    {
        var client = NewClient(nameof(Promise.Core));
        Messages(client, A, 5);
        Messages(client, B, 7);
        Messages(client, A, 6);

        AssertEnd(client, last: 7);
        Assert.Equal(1, _verdict.Late);
    }

    [Fact]
    public void Messages_of_one_node_keep_their_order()
    {
        var client = NewClient(nameof(Promise.Core));
        Messages(client, A, 5, 7, 6);

        AssertEnd(client, last: 7, outOfOrder: 1);
    }

    [Fact]
    public void Nodes_with_one_log_keep_the_order_of_all_messages()
    {
        var client = NewClient(nameof(Promise.JetStream));
        Messages(client, A, 5);
        Messages(client, B, 7);
        Messages(client, A, 6);

        AssertEnd(client, last: 7, outOfOrder: 1);
    }

    [Fact]
    public void A_loss_that_is_told_of_with_a_later_message_is_no_lie_where_each_node_has_a_log()
    {
        var client = NewClient(nameof(Promise.Core));
        Messages(client, A, 5);
        Messages(client, B, 7);
        Gap(client, GapReason.Bus);
        Messages(client, A, 8);

        AssertEnd(client, last: 8, missed: 1);
    }

    [Fact]
    public void A_new_epoch_that_is_told_of_may_repeat_and_leave_out_what_was_before()
    {
        var client = NewClient(nameof(Promise.Core));
        Messages(client, A, 5, 6, 7);
        MoveToAnotherEpoch(client);
        Messages(client, A, 6, 7, 8, 9);
        MoveToAnotherEpoch(client);
        Messages(client, A, 12);

        AssertEnd(client, last: 12, missed: 2);
    }

    [Fact]
    public void A_log_that_has_dropped_its_oldest_may_begin_with_a_message_that_came_late()
    {
        var client = NewClient(nameof(Promise.Core));
        Messages(client, A, 4);
        MoveToAnotherEpoch(client);
        Gap(client, GapReason.Retention);

        // The node has kept 5, 6, 4, 7 and dropped the first two.
        Messages(client, B, 4);
        Messages(client, A, 7);
        AssertEnd(client, last: 7, missed: 2);

        _due += 6 * Stopwatch.Frequency;
        Messages(client, A, 8, 10);
        AssertEnd(client, last: 10, missed: 2, lost: 1);
    }

    [Fact]
    public void Within_the_new_epoch_nothing_comes_twice_and_nothing_is_left_out()
    {
        var client = NewClient(nameof(Promise.Core));
        Messages(client, A, 5);
        MoveToAnotherEpoch(client);
        Messages(client, A, 4, 5, 5);
        _due += 6 * Stopwatch.Frequency;
        Messages(client, A, 7);

        AssertEnd(client, last: 7, repeated: 1, lost: 1);
    }

    [Fact]
    public void A_new_epoch_without_a_notice_is_a_lie()
    {
        var client = NewClient(nameof(Promise.Core));
        Messages(client, A, 5);
        _epoch++;
        Messages(client, A, 6);

        Assert.Equal(1, _verdict.UnannouncedEpochs);
        Assert.False(_verdict.IsClean);
    }

    [Fact]
    public void Where_there_is_one_log_even_a_new_epoch_forgives_no_repeat()
    {
        var client = NewClient(nameof(Promise.JetStream));
        Messages(client, A, 5, 6);
        MoveToAnotherEpoch(client);
        Messages(client, A, 6, 8);

        AssertEnd(client, last: 8, repeated: 1, lost: 1);
    }

    [Theory]
    [MemberData(nameof(Promises))]
    public void A_client_that_knows_where_it_is_when_the_load_begins_is_owed_the_first_message(string promise)
    {
        var client = NewClient(promise);
        client.OnPosition(Id(_sequence));
        client.BeginLoad();
        Messages(client, A, 2);

        AssertEnd(client, last: 2, lost: 1);
    }

    [Theory]
    [MemberData(nameof(Promises))]
    public void A_client_must_come_to_the_last_acknowledged_message_or_be_told(string promise)
    {
        var client = NewClient(promise);
        Messages(client, A, 5);
        Assert.False(client.HasReached(FatesOf(6)));
        var end = new Verdict { Losses = [] };
        client.AddEnd(FatesOf(6), end);
        Assert.Equal(1, end.LostAtEnd);

        Gap(client, GapReason.Bus);
        Assert.True(client.HasReached(FatesOf(6)));
    }

    [Fact]
    public void An_id_that_does_not_grow_is_out_of_order()
    {
        var client = NewClient(nameof(Promise.Core));
        Messages(client, A, 5);
        _sequence = 0;
        Messages(client, A, 6);

        AssertEnd(client, last: 6, outOfOrder: 1);
    }

    [Fact]
    public void Fates_are_read_as_they_are_written()
    {
        var fates = Fates.Read(new Fates([(9, [3, 4]), (0, [])]).ToString());

        Assert.Equal((9u, 0u), (fates.LastOf(0), fates.LastOf(1)));
        Assert.Equal(6, fates.CountAcknowledged(0, 2, 12));
        Assert.Equal(0, fates.CountAcknowledged(1, 1, 12));
    }

    [Theory]
    [InlineData(0, 20)]
    [InlineData(100, 0)]
    [InlineData(30, 14)]
    public void So_many_per_cent_of_the_clients_cover_more_than_one_channel(int manyPercent, int withOne)
    {
        var map = new ChannelMap(20, 4);
        Coverage[] coverages = [.. Enumerable.Range(0, 20).Select(client => Coverage.Of(map, client, manyPercent))];

        Assert.Equal(withOne, coverages.Count(coverage => !coverage.IsMany));
        foreach (var coverage in coverages)
        {
            Assert.Equal(coverage.Channels.Distinct(), coverage.Channels);
            Assert.All(coverage.Channels, channel => Assert.True(coverage.IsNameOf(System.Text.Encoding.ASCII.GetBytes(map.NameOf(channel)), channel)));
            Assert.Equal(coverage.Channels.Order(), coverage.Address.Split(',').SelectMany(name => coverage.ChannelsNamed(System.Text.Encoding.ASCII.GetBytes(name)).ToArray()).Distinct().Order());
        }
    }

    private static Fates FatesOf(uint last, uint[]? unknown = null) => new([.. Enumerable.Range(0, 5).Select(channel => channel is One or Other ? (last, unknown ?? []) : (0u, Array.Empty<uint>()))]);

    private EntryId Id(long sequence) => new(_epoch, 1, sequence);

    private ClusterChecker NewClient(string promise, params int[] channels) => new("client 7", _verdict, Enum.Parse<Promise>(promise), channels.Length == 0 ? [One] : channels);

    private void Messages(ClusterChecker client, int node, params uint[] numbers)
    {
        foreach (uint number in numbers)
        {
            Message(client, node, number, One);
        }
    }

    // The sequence grows over all channels, so a channel's own numbers leave holes in it.
    private void Message(ClusterChecker client, int node, uint number, int channel) => client.OnMessage(Id(_sequence += 10), new Payload(node, channel, number, _due));

    private void Gap(ClusterChecker client, GapReason reason)
    {
        var from = Id(_sequence);
        var to = Id(_sequence += 5);
        client.OnGap(new Gap(from, to, reason), to, [One]);
    }

    private void MoveToAnotherEpoch(ClusterChecker client)
    {
        var from = Id(_sequence);
        _epoch++;
        _sequence = 0;
        client.OnGap(new Gap(from, Id(0), GapReason.Epoch), Id(0), [One]);
    }

    private Verdict AssertEnd(ClusterChecker client, uint last, uint[]? unknown = null, long lost = 0, long missed = 0, long repeated = 0, long outOfOrder = 0)
    {
        var end = new Verdict { Losses = [] };
        client.AddEnd(FatesOf(last, unknown), end);
        var sum = _verdict + end;
        Assert.Equal((lost, missed, repeated, outOfOrder, 0L), (sum.Lost, sum.MissedInGaps, sum.Repeated, sum.OutOfOrder, sum.LostAtEnd));
        Assert.Equal(lost + repeated + outOfOrder == 0, sum.IsClean);
        return end;
    }
}
