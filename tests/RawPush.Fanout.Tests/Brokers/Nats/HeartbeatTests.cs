using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Brokers.Nats.JetStream;

namespace RawPush.Fanout.Tests.Brokers.Nats;

public sealed class HeartbeatTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void One_that_says_that_another_was_before_it_shows_a_loss()
    {
        var beat = New(settled: 100);
        Assert.True(Hear(beat, 110, 95));
        Assert.True(Hear(beat, 120, 110));
        Assert.False(Hear(beat, 140, 130));
        Assert.True(Hear(beat, 150, 140));
    }

    [Fact]
    public void What_has_come_is_believed_to_be_all_when_six_more_have_come()
    {
        var beat = New(settled: 100);
        for (long sequence = 101; sequence <= 106; sequence++)
        {
            Hear(beat, sequence, sequence - 1);
            Assert.Equal(100, beat.Settled);
        }

        Hear(beat, 107, 106);
        Assert.Equal(101, beat.Settled);
    }

    [Fact]
    public void A_loss_settles_nothing_and_reading_does()
    {
        var beat = New(settled: 100);
        for (long sequence = 102; sequence <= 130; sequence += 2)
        {
            Assert.False(Hear(beat, sequence, sequence - 1));
        }

        Assert.Equal(100, beat.Settled);
        beat.Settle(130);
        Assert.Equal(130, beat.Settled);
    }

    [Fact]
    public void Those_that_were_read_meanwhile_show_nothing()
    {
        var beat = New(settled: 100);
        beat.Settle(150);
        Assert.True(Hear(beat, 120, 110));
        Assert.True(Hear(beat, 160, 140));
    }

    [Fact]
    public void The_first_of_all_after_others_is_that_of_another_stream()
    {
        Assert.True(Hear(New(settled: 0), 1, 0));
        Assert.False(Hear(New(settled: 100), 1, 0));
    }

    [Fact]
    public void Silence_is_between_what_came_and_not_until_it_is_looked_at()
    {
        var beat = New(settled: 100);
        _time.Advance(Heartbeat.Silence);
        long inTime = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        long late = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(beat.IsSilentAt(inTime));
        Assert.True(beat.IsSilentAt(late));
        beat.Hear(101, 100, late);
        Assert.False(beat.IsSilentAt(late));
    }

    private Heartbeat New(long settled)
    {
        var beat = new Heartbeat(_time);
        beat.Settle(settled);
        return beat;
    }

    private bool Hear(Heartbeat beat, long sequence, long previous) => beat.Hear(sequence, previous, _time.GetTimestamp());
}
