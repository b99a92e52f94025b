using System.Globalization;
using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Formats;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class SequenceMergeTests
{
    private const int Messages = 400_000;

    private readonly Channel _odd = new(ChannelName.Parse("odd"), new ChannelLimits { LogEntriesMax = 32 }, shardCount: 1);
    private readonly Channel _even = new(ChannelName.Parse("even"), new ChannelLimits { LogEntriesMax = 4_096 }, shardCount: 1);
    private long _watermark;

    [Fact]
    public void What_it_gathers_has_no_hole_while_logs_drop_entries()
    {
        // Somebody who was blocked reads on from the oldest entries, and at that moment the publisher pushes them out of one of the logs.
        var publisher = new Thread(Publish);
        publisher.Start();
        var subscriber = new TestSubscriber(new ManualShard());
        var odd = new Subscription(subscriber, _odd);
        var even = new Subscription(subscriber, _even);
        odd.Next = even;
        var merge = new SequenceMerge();
        int gathered = 0;
        while (Volatile.Read(ref _watermark) < Messages)
        {
            _odd.Read(0, [], out long tail);
            odd.Cursor = even.Cursor = tail + 1;
            if (merge.Load(odd, Volatile.Read(ref _watermark), WireFormat.WebSocketRaw) is null)
            {
                AssertNoHole(merge.Forms, firstSequence: (2 * odd.Cursor) + 1);
                gathered += merge.Forms.Length;
            }

            merge.Clear();
        }

        publisher.Join();
        Assert.True(gathered > 1_000);
    }

    // Odd sequences go to one channel and even ones to the other: position p of the first is sequence 2p + 1.
    private void Publish()
    {
        for (long sequence = 1; sequence <= Messages; sequence++)
        {
            var message = new PushMessage(MessageKind.Text, Encoding.ASCII.GetBytes(sequence.ToString(CultureInfo.InvariantCulture)));
            Volatile.Write(ref _watermark, sequence);
            (sequence % 2 == 1 ? _odd : _even).TryAppend(message, Entry.CreateFrame(message), new MessageId(1, sequence));
        }
    }

    private static void AssertNoHole(ReadOnlySpan<byte[]> forms, long firstSequence)
    {
        foreach (byte[] form in forms)
        {
            Assert.Equal(firstSequence++, long.Parse(form.AsSpan(2), CultureInfo.InvariantCulture));
        }
    }
}
