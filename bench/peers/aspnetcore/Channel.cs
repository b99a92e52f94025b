using System.Collections.Concurrent;

namespace AspNetCorePeer;

/// <summary>Who listens. Stays when the last one has left: the bench has few channels.</summary>
internal sealed class Channel
{
    private readonly ConcurrentDictionary<Subscriber, Channel> _subscribers = new();

    public void Add(Subscriber subscriber) => _subscribers.TryAdd(subscriber, this);

    public void Remove(Subscriber subscriber) => _subscribers.TryRemove(subscriber, out _);

    public void Send(Message message)
    {
        foreach (var (subscriber, _) in _subscribers)
        {
            subscriber.Send(message);
        }
    }

    public void SendHeartbeat()
    {
        foreach (var (subscriber, _) in _subscribers)
        {
            if (subscriber is EventStreamSubscriber)
            {
                subscriber.Send(Message.EventStreamHeartbeat);
            }
        }
    }
}
