using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Formats;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>What a message costs in memory: its entry and its forms, whoever gets it.</summary>
public sealed class DeliveryAllocationTests
{
    private const int PayloadBytes = 100;

    // The header of an object, and the header and length of an array, on 64 bits.
    private const int ArrayOverhead = 24;

    // Header 16, four references 32, id 16, two times 16, three numbers 12 and three small ones 3, rounded up; and the forms.
    private const int EntryBytes = 96 + (8 * ((int)WireFormats.Last + 1));

    private static readonly PushMessage Message = new(MessageKind.Text, Encoding.UTF8.GetBytes(new string('x', PayloadBytes)));
    private static readonly ChannelName A = ChannelName.Parse("a");
    private static readonly ChannelName B = ChannelName.Parse("b");

    private readonly Node _node = new(new ChannelLimits { LogEntriesMax = 16 });
    private long _sequence;

    [Theory]
    [InlineData(10, WireFormat.WebSocketRaw)]
    [InlineData(1_000, WireFormat.WebSocketRaw)]
    [InlineData(10_000, WireFormat.WebSocketRaw)]
    [InlineData(1_000, WireFormat.ServerSentEvent)]
    internal void Delivering_costs_no_memory_but_the_form(int subscribers, WireFormat format)
    {
        var counters = Join(subscribers, format, A);
        MeasureDelivery();
        MeasureDelivery();   // warm-up

        // The form, and the id's two numbers in boxes as long as the JIT has not optimised their formatting.
        int formBytes = RoundUp(ArrayOverhead + "id: \ndata: \n\n".Length + MessageId.LengthMax + PayloadBytes) + (2 * 24);
        Assert.InRange(MeasureDelivery(), 0, format == WireFormat.WebSocketRaw ? 0 : formBytes);
        Assert.All(counters, counter => Assert.Equal(3, counter.Taken));
    }

    [Fact]
    public void Delivering_several_channels_in_order_costs_no_memory()
    {
        var counters = Join(1_000, WireFormat.WebSocketRaw, A, B);
        MeasureDelivery();
        MeasureDelivery();   // warm-up

        Assert.Equal(0, MeasureDelivery());
        Assert.All(counters, counter => Assert.Equal(3, counter.Taken));
    }

    [Fact]
    public void Passing_over_the_blocked_and_resuming_them_costs_no_memory()
    {
        var counters = Join(1_000, WireFormat.WebSocketRaw, A);
        Action resume = () => Array.ForEach(counters, counter => counter.TakeMore());
        for (int i = 0; i < 2; i++)
        {
            MeasureBlocked();   // warm-up
        }

        Assert.Equal(0, MeasureBlocked());
        Assert.All(counters, counter => Assert.Equal(3, counter.Taken));

        long MeasureBlocked()
        {
            Array.ForEach(counters, counter => counter.IsFull = true);
            long allocated = MeasureDelivery();
            Assert.True(counters[0].IsBlocked);
            long before = GC.GetAllocatedBytesForCurrentThread();
            _node.Shard.Do(resume);
            return allocated + GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public void Publishing_costs_an_entry_and_its_payload(int subscribers)
    {
        Join(subscribers, WireFormat.WebSocketRaw, A);
        for (int i = 0; i < 100; i++)
        {
            MeasurePublish();   // warm-up: the ring grows to its limit, the queues to theirs
        }

        int frameBytes = RoundUp(ArrayOverhead + 2 + PayloadBytes);
        for (int i = 0; i < 10; i++)
        {
            Assert.InRange(MeasurePublish(), frameBytes, EntryBytes + frameBytes);
        }
    }

    [Fact]
    public void Publishing_costs_ten_subscribers_and_ten_thousand_the_same()
    {
        Join(10, WireFormat.WebSocketRaw, A);
        Join(10_000, WireFormat.WebSocketRaw, B);
        for (int i = 0; i < 100; i++)
        {
            MeasurePublish(A);   // warm-up
            MeasurePublish(B);
        }

        Assert.Equal(MeasurePublish(A), MeasurePublish(B));
    }

    [Fact]
    public void Joining_costs_a_subscription_and_its_place_in_two_lists()
    {
        const int Subscribers = 4_096;
        Join(Subscribers, WireFormat.WebSocketRaw, A);   // warm-up
        var shard = _node.Shard;
        var subscribers = Enumerable.Range(0, Subscribers).Select(_ => new Counter(shard, WireFormat.WebSocketRaw)).ToArray();
        Action join = () => Array.ForEach(subscribers, subscriber => subscriber.TrySubscribe(_node.Hub, [A]));

        long before = GC.GetAllocatedBytesForCurrentThread();
        shard.Do(join);
        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / Subscribers;

        // Subscription: header 16, four references and index. The channel's list doubles, so 16 at most.
        Assert.InRange(each, 0, 56 + 16);
    }

    private static int RoundUp(int bytes) => (bytes + 7) & ~7;

    private Counter[] Join(int count, WireFormat format, params ChannelFilter[] channels)
    {
        var shard = _node.Shard;
        var counters = Enumerable.Range(0, count).Select(_ => new Counter(shard, format)).ToArray();
        shard.Do(() => Array.ForEach(counters, counter => Assert.True(counter.TrySubscribe(_node.Hub, channels))));
        return counters;
    }

    /// <summary>Bytes allocated by all the turns that one message takes.</summary>
    private long MeasureDelivery()
    {
        _ = _node.Broker.PublishAsync(A, Message).AsTask();
        long before = GC.GetAllocatedBytesForCurrentThread();
        _node.Shard.RunAll();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>Bytes allocated by one publish, without the task that the broker would wrap its receipt in.</summary>
    private long MeasurePublish() => MeasurePublish(A);

    private long MeasurePublish(ChannelName channel)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var appended = _node.Hub.Append(channel, Message, ChannelHub.CreateFrame(Message), new MessageId(1, ++_sequence));
        bool isDone = appended.DeliverAsync().IsCompletedSuccessfully;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(isDone);
        _node.Shard.RunAll();
        return allocated;
    }

    private sealed class Counter(Shard shard, WireFormat format) : Subscriber(shard, format)
    {
        public int Taken { get; private set; }

        public bool IsFull { get; set; }

        public void TakeMore()
        {
            IsFull = false;
            Resume();
        }

        protected override int Write(ReadOnlySpan<byte[]> forms)
        {
            int taken = IsFull ? 0 : forms.Length;
            Taken += taken;
            return taken;
        }

        protected override void OnLagged(ChannelFilter filter) => throw new InvalidOperationException("lagged");

        protected override void OnFault(Exception exception) => Assert.Fail(exception.ToString());
    }
}
