using System.Globalization;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Delivery;
using RawPush.Fanout.Formats;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>A hub, its broker and shards that run by hand, under a clock that stands still.</summary>
internal sealed class Node
{
    public Node(ChannelLimits? limits = null, int shards = 1)
    {
        Broker = new InProcessBroker(TimeProvider.System);
        Hub = new ChannelHub(limits ?? new ChannelLimits(), Broker, shards, Time);
        Broker.Attach(Hub);
        Shards = [.. Enumerable.Range(0, shards).Select(index => new ManualShard(index))];
    }

    /// <summary>A node whose channels belong to one namespace.</summary>
    public Node(ChannelNamespace settings)
        : this(new ChannelLimits { Namespaces = [settings] })
    {
    }

    public FakeTimeProvider Time { get; } = new();

    public InProcessBroker Broker { get; }

    public ChannelHub Hub { get; }

    public ManualShard[] Shards { get; }

    public ManualShard Shard => Shards[0];

    /// <summary>A subscriber of the first shard that has joined the channels.</summary>
    public TestSubscriber Subscribe(params string[] channels) => SubscribeOn(Shard, channels);

    public TestSubscriber SubscribeOn(ManualShard shard, params string[] channels)
    {
        var subscriber = new TestSubscriber(shard);
        shard.Do(() => Join(subscriber, channels));
        return subscriber;
    }

    /// <summary>A subscriber that starts where it is told, and has been given what is there.</summary>
    public TestSubscriber SubscribeFrom(StartPoint start, params string[] channels) => SubscribeFrom(start, int.MaxValue, channels);

    /// <summary>The same for one that blocks when it has taken so many.</summary>
    public TestSubscriber SubscribeFrom(StartPoint start, int room, params string[] channels)
    {
        var subscriber = new TestSubscriber(Shard, WireFormat.WebSocketRaw) { Room = room };
        Shard.Do(() => Join(subscriber, start, channels));
        return subscriber;
    }

    /// <summary>Behind the message with this sequence.</summary>
    public StartPoint After(long sequence) => StartPoint.After(Id(sequence));

    public MessageId Id(long sequence) => new(Broker.Epoch, sequence);

    /// <summary>Only on the subscriber's shard.</summary>
    public void Join(TestSubscriber subscriber, params string[] channels) => Assert.True(subscriber.TrySubscribe(Hub, FiltersOf(channels)));

    public void Join(TestSubscriber subscriber, StartPoint start, params string[] channels)
    {
        Assert.True(subscriber.TrySubscribe(Hub, FiltersOf(channels), start));
        subscriber.TakeNow();
    }

    public Task<PublishReceipt> Publish(string channel, string text, MessageTraits? traits = null) =>
        Broker.PublishAsync(ChannelName.Parse(channel), new PushMessage(MessageKind.Text, Encoding.UTF8.GetBytes(text), traits)).AsTask();

    /// <summary>Publishes the numbers <paramref name="first"/> to <paramref name="last"/> without waiting for room.</summary>
    public void PublishNumbers(string channel, int first, int last)
    {
        for (int number = first; number <= last; number++)
        {
            _ = Publish(channel, number.ToString(CultureInfo.InvariantCulture));
        }
    }

    public void Leave(Subscriber subscriber) => ((ManualShard)subscriber.Shard).Do(subscriber.Unsubscribe);

    /// <summary>Lets time pass, and looks what has become too old.</summary>
    public void Age(TimeSpan time)
    {
        Time.Advance(time);
        Hub.Sweep();
    }

    /// <summary>So often that patterns without subscribers are gone.</summary>
    public void SweepPatterns() => SweepPatterns(Hub);

    public static void SweepPatterns(ChannelHub hub)
    {
        for (int sweep = 0; sweep <= Channel.PatternIdleSweepsMax; sweep++)
        {
            hub.Sweep();
        }
    }

    public void RunAll()
    {
        while (Shards.Any(shard => !shard.IsIdle))
        {
            foreach (var shard in Shards)
            {
                shard.RunAll();
            }
        }
    }

    private static ChannelFilter[] FiltersOf(string[] channels) => [.. channels.Select(ChannelFilter.Parse)];
}
