using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Channels;

public sealed class ChannelLogTests
{
    private const int HeaderBytes = 2;

    [Fact]
    public void A_new_log_is_empty()
    {
        var log = new ChannelLog(new ChannelLimits());
        Assert.Equal((0L, 0L, 0, 0L, false), (log.Tail, log.Head, log.Count, log.Bytes, log.IsOverfull));
        Assert.Equal(0, log.CopyTo(0, new Entry[1]));
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(9, 5)]
    public void The_oldest_entries_go_when_there_are_more_than_the_limit(int appended, long tail)
    {
        var log = new ChannelLog(new ChannelLimits { LogEntriesMax = 4 });
        Fill(log, appended);
        Assert.Equal(tail > 0, log.IsOverfull);

        log.Trim(walked: log.Head);

        Assert.Equal((tail, (long)appended, false), (log.Tail, log.Head, log.IsOverfull));
        AssertHolds(log);
    }

    [Theory]
    [InlineData(29, 0)]
    [InlineData(30, 0)]
    [InlineData(31, 1)]
    [InlineData(41, 2)]
    public void The_oldest_entries_go_when_there_are_more_bytes_than_the_limit(int lastBytes, long tail)
    {
        // Headers count: three entries of 10, and one of the rest.
        var log = new ChannelLog(new ChannelLimits { LogBytesMax = 60 });
        Fill(log, 3, payloadBytes: 10 - HeaderBytes);
        log.Append(CreateEntry(4, lastBytes - HeaderBytes));

        log.Trim(walked: log.Head);

        Assert.Equal(tail, log.Tail);
        Assert.Equal(((3 - tail) * 10) + lastBytes, log.Bytes);
    }

    [Fact]
    public void One_entry_may_be_larger_than_the_log()
    {
        var log = new ChannelLog(new ChannelLimits { LogBytesMax = 10 });
        log.Append(CreateEntry(1, 100));
        log.Trim(walked: 1);
        Assert.Equal((1, false), (log.Count, log.IsOverfull));

        log.Append(CreateEntry(2, 100));
        Assert.True(log.IsOverfull);
        log.Trim(walked: 2);
        Assert.Equal((1L, 1), (log.Tail, log.Count));
    }

    [Fact]
    public void What_was_not_walked_stays_whatever_the_limits_say()
    {
        var log = new ChannelLog(new ChannelLimits { LogEntriesMax = 2, LogBytesMax = 1 });
        Fill(log, 10);
        for (long walked = 0; walked <= 8; walked++)
        {
            log.Trim(walked);
            Assert.Equal(walked, log.Tail);
            AssertHolds(log);
        }

        Assert.True(log.IsOverfull);
        log.Trim(walked: 10);
        Assert.Equal((9L, false), (log.Tail, log.IsOverfull));
    }

    [Fact]
    public void Nothing_goes_while_the_limits_hold()
    {
        var log = new ChannelLog(new ChannelLimits());
        Fill(log, 5);
        log.Trim(walked: 5);
        Assert.Equal((0L, 5), (log.Tail, log.Count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(100)]
    public void The_ring_grows_wherever_its_seam_is(int kept)
    {
        var limits = new ChannelLimits { LogEntriesMax = kept };
        for (int before = 0; before < 10; before++)
        {
            var log = new ChannelLog(limits);
            for (int i = 0; i < before; i++)
            {
                Append(log);
                log.Trim(walked: log.Head);
            }

            // Unwalked, so all of them stay and the ring grows around the seam, more than once.
            Fill(log, 20);
            AssertHolds(log);

            log.Trim(walked: log.Head);
            AssertHolds(log);
            Assert.Equal(Math.Min(kept, before + 20), log.Count);
        }
    }

    [Fact]
    public void Copying_gives_what_fits_and_is_there()
    {
        var log = new ChannelLog(new ChannelLimits { LogEntriesMax = 6 });
        Fill(log, 10);
        log.Trim(walked: 10);
        var into = new Entry[4];

        Assert.Equal(4, log.CopyTo(log.Tail, into));
        Assert.Equal([5, 6, 7, 8], into.Select(entry => entry.Id.Sequence));
        Assert.Equal(1, log.CopyTo(9, into));
        Assert.Equal([10, 6, 7, 8], into.Select(entry => entry.Id.Sequence));
        Assert.Equal(0, log.CopyTo(10, into));
        Assert.Equal(0, log.CopyTo(11, into));
        Assert.Equal(0, log.CopyTo(4, []));
    }

    private static void Fill(ChannelLog log, int count, int payloadBytes = 1)
    {
        for (int i = 0; i < count; i++)
        {
            Append(log, payloadBytes);
        }
    }

    private static void Append(ChannelLog log, int payloadBytes = 1) => log.Append(CreateEntry(log.Head + 1, payloadBytes));

    private static Entry CreateEntry(long sequence, int payloadBytes)
    {
        byte[] frame = Entry.CreateFrame(new PushMessage(MessageKind.Text, new byte[payloadBytes]));
        return new Entry(ChannelName.Parse("a"), MessageKind.Text, frame, new MessageId(1, sequence), sequence - 1);
    }

    /// <summary>From tail to head, every position holds the entry that was appended there, and the bytes are their sum.</summary>
    private static void AssertHolds(ChannelLog log)
    {
        var entries = new Entry[log.Count + 1];
        Assert.Equal(log.Count, log.CopyTo(log.Tail, entries));
        Assert.Equal(Enumerable.Range((int)log.Tail + 1, log.Count).Select(i => (long)i), entries.Take(log.Count).Select(entry => entry.Id.Sequence));
        Assert.Equal(entries.Take(log.Count).Sum(entry => entry.PayloadBytes), log.Bytes);
    }
}
