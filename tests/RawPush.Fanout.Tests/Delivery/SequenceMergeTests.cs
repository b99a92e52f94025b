using System.Globalization;
using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Formats;
using RawPush.Fanout.Tests.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Delivery;

public sealed class SequenceMergeTests
{
    private const int Messages = 400_000;

    private readonly Channel _odd = Create("odd", historyEntries: 32);
    private readonly Channel _even = Create("even", historyEntries: Messages);
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
        long watermark;
        while ((watermark = Volatile.Read(ref _watermark)) < Messages)
        {
            long cursor = _odd.Describe().DroppedThrough;
            merge.Load(odd, cursor, watermark, WireFormat.WebSocketRaw, catchUp: null);
            AssertWhole(merge.Forms, cursor, watermark, merge.Hole);
            gathered += merge.Forms.Length;
            merge.Clear();
        }

        publisher.Join();
        Assert.True(gathered > 1_000);
    }

    private static Channel Create(string name, int historyEntries)
    {
        var settings = new ChannelNamespace { Pattern = ChannelFilter.Parse(name), HistoryEntries = historyEntries, HistoryBytes = long.MaxValue };
        return new Channel(settings.Pattern, TestEntry.CreateNamespace(settings), shardCount: 1, bornAt: 0, droppedThrough: 0, lastSequence: 0);
    }

    // Odd sequences go to one channel and even ones to the other.
    private void Publish()
    {
        for (long sequence = 1; sequence <= Messages; sequence++)
        {
            var message = new PushMessage(MessageKind.Text, Encoding.ASCII.GetBytes(sequence.ToString(CultureInfo.InvariantCulture)));
            Volatile.Write(ref _watermark, sequence);
            var channel = sequence % 2 == 1 ? _odd : _even;
            channel.TryAppend(TestEntry.Create(ChannelName.Parse(channel.Filter.Value), message, new MessageId(1, sequence), channel.Namespace), isLate: false, out _);
        }
    }

    private static void AssertWhole(ReadOnlySpan<byte[]> forms, long cursor, long watermark, Subscription? hole)
    {
        Assert.True(hole is null || forms.IsEmpty, "A hole is told of alone.");
        foreach (byte[] form in forms)
        {
            long sequence = long.Parse(form.AsSpan(2), CultureInfo.InvariantCulture);
            Assert.Equal(++cursor, sequence);
            Assert.InRange(sequence, 1, watermark);
        }
    }
}
