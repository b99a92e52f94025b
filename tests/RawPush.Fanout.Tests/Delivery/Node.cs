using System.Globalization;
using System.Text;
using RawPush.Fanout.Brokers;
using RawPush.Fanout.Channels;
using RawPush.Protocol;

namespace RawPush.Fanout.Tests.Delivery;

/// <summary>A hub, its broker and shards that run by hand.</summary>
internal sealed class Node
{
    public Node(ChannelLimits? limits = null, int shards = 1)
    {
        Broker = new InProcessBroker(TimeProvider.System);
        Hub = new ChannelHub(limits ?? new ChannelLimits(), Broker, shards);
        Broker.Attach(Hub);
        Shards = [.. Enumerable.Range(0, shards).Select(index => new ManualShard(index))];
    }

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

    /// <summary>Only on the subscriber's shard.</summary>
    public void Join(TestSubscriber subscriber, params string[] channels)
    {
        foreach (string channel in channels)
        {
            Assert.True(subscriber.TrySubscribe(Hub, ChannelName.Parse(channel)));
        }
    }

    public Task<PublishReceipt> Publish(string channel, string text) =>
        Broker.PublishAsync(ChannelName.Parse(channel), new PushMessage(MessageKind.Text, Encoding.UTF8.GetBytes(text))).AsTask();

    /// <summary>Publishes the numbers <paramref name="first"/> to <paramref name="last"/> without waiting for room.</summary>
    public void PublishNumbers(string channel, int first, int last)
    {
        for (int number = first; number <= last; number++)
        {
            _ = Publish(channel, number.ToString(CultureInfo.InvariantCulture));
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
}
