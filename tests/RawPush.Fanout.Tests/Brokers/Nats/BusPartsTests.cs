using System.Buffers;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Brokers.Nats;

namespace RawPush.Fanout.Tests.Brokers.Nats;

/// <summary>What the broker is made of, without a server.</summary>
public sealed class BusPartsTests
{
    private static readonly object One = new();
    private static readonly object Two = new();

    [Fact]
    public void A_message_by_two_subscriptions_is_one_and_the_same_bytes_again_are_another()
    {
        var filter = new CopyFilter();
        bool[] copies = [.. new[] { One, Two, One, Two, Two, One }.Select(by => filter.IsCopy(Delivery("a", "x", by)))];
        Assert.Equal([false, true, false, true, false, true], copies);
        Assert.False(filter.IsCopy(Delivery("b", "x", Two)));
        Assert.False(filter.IsCopy(Delivery("a", "y", Two)));
    }

    [Fact]
    public void What_finds_no_room_in_the_inbox_is_marked_at_its_place_once()
    {
        var inbox = new BusInbox(TimeProvider.System);
        for (int i = 0; i < BusInbox.MessagesMax; i++)
        {
            inbox.Add(One, "a", default, default);
        }

        inbox.Add(One, "a", default, default);
        inbox.Add(One, "a", default, default);
        inbox.Add(One, "b", default, default);
        Assert.Equal(3, inbox.Dropped);
        var taken = TakeAll(inbox);
        Assert.Equal(BusInbox.MessagesMax + 2, taken.Count);
        Assert.Equal(["a", "b"], taken[^2..].Select(delivery => delivery.Bytes is null ? delivery.Subject : "not a loss"));

        inbox.Add(One, "a", default, Bytes("again"));
        Assert.Equal("again", Encoding.UTF8.GetString(Assert.Single(TakeAll(inbox)).Bytes!));
    }

    [Fact]
    public void After_a_cut_the_loss_of_all_stands_before_what_comes_next()
    {
        var inbox = new BusInbox(TimeProvider.System);
        inbox.Add(One, "a", default, Bytes("1"));
        inbox.CutOff();
        inbox.Add(One, "a", Bytes("head"), Bytes("2"));
        inbox.Reconnect();
        var taken = TakeAll(inbox);
        Assert.Equal(3, taken.Count);
        Assert.Equal((null, null), (taken[1].Subject, taken[1].Bytes));
        Assert.Equal(("head2", 4), (Encoding.UTF8.GetString(taken[2].Bytes!), taken[2].HeaderBytes));
    }

    [Fact]
    public void Numbers_are_remembered_for_the_last_keys_and_not_for_ever()
    {
        var table = new RecentTable<int>(10);
        Assert.Equal(0, table.Exchange(1, 7));
        Assert.Equal(7, table.Exchange(1, 8));
        for (int key = 2; key <= 10; key++)
        {
            table.Exchange(key, key);
        }

        Assert.Equal(0, table.Exchange(11, 11));
        Assert.Equal(8, table.Exchange(1, 9));
        for (int key = 100; key < 130; key++)
        {
            table.Exchange(key, key);
        }

        Assert.Equal(0, table.Exchange(1, 10));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 2 3")]
    [InlineData("1 2 3 4 5")]
    [InlineData("x 2 3 4")]
    [InlineData("1 -2 3 4")]
    [InlineData("1 2  4")]
    public void An_origin_that_is_none_is_not_read(string text) => Assert.False(Origin.TryParse(text, out _));

    [Fact]
    public void An_origin_comes_back_as_it_was_written()
    {
        var origin = new Origin(ulong.MaxValue, long.MaxValue, 0, 1_764_000_000_000_000);
        Assert.True(Origin.TryParse(origin.ToString(), out var read));
        Assert.Equal(origin, read);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a.b.c")]
    [InlineData("café.$SYS.☃")]
    public void A_channel_and_its_subject_are_the_same_but_for_the_prefix(string name)
    {
        var subjects = new BusSubjects("push.eu");
        Assert.Equal($"push.eu.in.{name}", subjects.Of(name));
        Assert.True(subjects.TryRead(subjects.Of(name), out var channel));
        Assert.Equal(name, channel.Value);
    }

    [Theory]
    [InlineData("push.in.a")]
    [InlineData("push.eu.in.")]
    [InlineData("push.eu.in.a/b")]
    [InlineData("push.eu.in.rawpush.gap")]
    [InlineData("push.eu.out.a")]
    public void What_is_no_channel_of_ours_is_passed_over(string subject) => Assert.False(new BusSubjects("push.eu").TryRead(subject, out _));

    [Fact]
    public void What_is_wrong_says_where_and_since_when_but_not_who_we_are()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 27, 7, 0, 0, TimeSpan.Zero));
        var trouble = new BusTrouble("nats://user:secret@one:4222, tls://two", time);
        Assert.Equal("not connected to NATS (nats://one:4222, tls://two) since 2026-11-27 07:00:00Z", trouble.ToString());
        time.Advance(TimeSpan.FromMinutes(1));
        trouble.Note("Authorization Violation");
        Assert.Equal("not connected to NATS (nats://one:4222, tls://two) since 2026-11-27 07:00:00Z; NATS said at 2026-11-27 07:01:00Z: Authorization Violation", trouble.ToString());
        trouble.End();
        time.Advance(TimeSpan.FromMinutes(1));
        trouble.Begin();
        Assert.Equal("not connected to NATS (nats://one:4222, tls://two) since 2026-11-27 07:02:00Z", trouble.ToString());
    }

    private static BusDelivery Delivery(string subject, string text, object by) => new(subject, Encoding.UTF8.GetBytes(text), 0, by);

    private static ReadOnlySequence<byte> Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    private static List<BusDelivery> TakeAll(BusInbox inbox)
    {
        var taken = new List<BusDelivery>();
        while (inbox.TryTake(out var delivery))
        {
            taken.Add(delivery);
        }

        return taken;
    }
}
