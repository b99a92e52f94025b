using RawPush.Swarm.Resuming;

namespace RawPush.Bench.Tests;

/// <summary>What a client that resumes accepts, and what it calls a fault.</summary>
public sealed class StrictCheckerTests
{
    private readonly Verdict _verdict = new();
    private readonly StrictChecker _client;

    public StrictCheckerTests() => _client = new StrictChecker("client 7", _verdict);

    [Fact]
    public void The_first_message_is_taken_as_it_is_and_the_others_follow_one_by_one()
    {
        Messages(5, 6, 7);

        AssertFaults();
        Assert.Equal(3, _verdict.Delivered);
        Assert.Equal(Id(7), _client.Position);
    }

    [Fact]
    public void A_number_that_is_passed_over_is_lost()
    {
        Messages(5, 8);

        AssertFaults(lost: 2);
        Assert.Contains("client 7 lost messages 6 to 7", _verdict.Sentence(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_comes_again_is_repeated()
    {
        Messages(5, 6, 7, 6, 7, 8);

        AssertFaults(repeated: 2);
        Assert.Equal(Id(8), _client.Position);
    }

    [Fact]
    public void A_message_that_comes_late_is_lost_and_then_out_of_order()
    {
        Messages(5, 7, 6, 8);

        AssertFaults(lost: 1, outOfOrder: 1);
    }

    [Fact]
    public void A_message_from_before_the_first_one_is_out_of_order()
    {
        Messages(5, 4);

        AssertFaults(outOfOrder: 1);
    }

    [Fact]
    public void An_id_that_does_not_grow_is_out_of_order_though_the_numbers_are_right()
    {
        Messages(5);
        _client.OnMessage(Id(5), 6);

        AssertFaults(outOfOrder: 1);
    }

    [Fact]
    public void A_gap_explains_what_is_missing_and_moves_the_position()
    {
        Messages(5);
        _client.OnGap(new Gap(Id(5), Id(8), GapReason.Slow));
        Assert.Equal(Id(8), _client.Position);
        Messages(9, 10);

        AssertFaults();
        Assert.Equal(("slow", 1), (_verdict.Gaps.Single().Key, _verdict.Gaps.Single().Value));
        Assert.Equal(3, _verdict.MissedInGaps);
    }

    [Fact]
    public void A_gap_explains_nothing_behind_the_message_that_follows_it()
    {
        Messages(5);
        _client.OnGap(new Gap(Id(5), Id(8), GapReason.Slow));
        Messages(9, 11);

        AssertFaults(lost: 1);
    }

    [Fact]
    public void A_gap_is_false_when_the_next_message_follows()
    {
        Messages(5);
        _client.OnGap(new Gap(Id(5), new EntryId(1, 1, Id(5).Sequence + 1), GapReason.Retention));
        _client.OnMessage(Id(6), 6);

        AssertFaults(falseGaps: 1);
    }

    [Fact]
    public void A_gap_whose_messages_come_after_all_is_found_out()
    {
        Messages(5);
        _client.OnGap(new Gap(Id(5), Id(7), GapReason.Retention));
        _client.OnMessage(Id(6), 6);

        AssertFaults(falseGaps: 1, outOfOrder: 1);
    }

    [Theory]
    [InlineData(6, 6, "Slow")]
    [InlineData(7, 6, "Slow")]
    [InlineData(3, 5, "Retention")]
    [InlineData(5, 8, "Epoch")]
    public void A_gap_that_contradicts_itself_or_ends_before_the_position_is_false(uint from, uint to, string reason)
    {
        Messages(5);
        _client.OnGap(new Gap(Id(from), Id(to), Enum.Parse<GapReason>(reason)));

        Assert.Equal(1, _verdict.FalseGaps);
    }

    [Fact]
    public void A_new_epoch_may_be_a_gap_with_nothing_missing()
    {
        Messages(5);
        _client.OnGap(new Gap(Id(5), Id(0, epoch: 2), GapReason.Epoch));
        _client.OnMessage(Id(1, epoch: 2), 6);

        AssertFaults();
    }

    [Fact]
    public void A_position_without_a_message_is_where_to_resume()
    {
        _client.OnPosition(Id(4));
        Assert.Equal(Id(4), _client.Position);
        Messages(5);
        _client.OnPosition(Id(9));
        _client.OnMessage(Id(10), 6);

        AssertFaults();
    }

    [Fact]
    public void A_position_that_goes_back_is_out_of_order_and_not_followed()
    {
        Messages(5);
        _client.OnPosition(Id(4));

        AssertFaults(outOfOrder: 1);
        Assert.Equal(Id(5), _client.Position);
    }

    [Theory]
    [InlineData(7, 0, 0)]
    [InlineData(8, 1, 0)]
    public void A_client_must_come_to_the_end(uint lastNumber, int lost, int falseGaps)
    {
        Messages(5, 6, 7);

        AssertEnd(lastNumber, lost, falseGaps);
    }

    [Theory]
    [InlineData(9, 0, 0)]
    [InlineData(7, 0, 1)]
    public void A_gap_at_the_end_is_true_if_there_was_more(uint lastNumber, int lost, int falseGaps)
    {
        Messages(5, 6, 7);
        _client.OnGap(new Gap(Id(7), Id(9), GapReason.Retention));

        AssertEnd(lastNumber, lost, falseGaps);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    public void A_client_that_got_nothing_is_lost_if_there_was_something(uint lastNumber, int lost) => AssertEnd(lastNumber, lost, falseGaps: 0);

    [Theory]
    [InlineData("19a8c3f2b41e07d-42", true)]
    [InlineData("00a-0", true)]
    [InlineData("", false)]
    [InlineData("-", false)]
    [InlineData("1a-", false)]
    [InlineData("-42", false)]
    [InlineData("xyz-42", false)]
    [InlineData("1a-4f", false)]
    [InlineData("1a-4-2", false)]
    public void An_id_is_written_as_it_was_read(string text, bool isId)
    {
        Assert.Equal(isId, EntryId.TryRead(System.Text.Encoding.ASCII.GetBytes(text), out var id));
        Assert.True(!isId || id.ToString() == text);
    }

    // The sequence grows over all channels, so a channel's own numbers leave holes in it.
    private static EntryId Id(long number, ulong epoch = 1) => new(epoch, 1, 10 * number);

    private void Messages(params uint[] numbers)
    {
        foreach (uint number in numbers)
        {
            _client.OnMessage(Id(number), number);
        }
    }

    private void AssertFaults(long lost = 0, long repeated = 0, long outOfOrder = 0, long falseGaps = 0)
    {
        Assert.Equal((lost, repeated, outOfOrder, falseGaps), (_verdict.Lost, _verdict.Repeated, _verdict.OutOfOrder, _verdict.FalseGaps));
        Assert.Equal(lost + repeated + outOfOrder + falseGaps == 0, _verdict.IsClean);
    }

    private void AssertEnd(uint lastNumber, int lost, int falseGaps)
    {
        var end = new Verdict();
        _client.AddEnd(lastNumber, end);
        Assert.Equal((lost, falseGaps), (end.LostAtEnd, end.FalseGaps));
        Assert.Equal(lost == 0, _client.HasReached(lastNumber));
    }
}
