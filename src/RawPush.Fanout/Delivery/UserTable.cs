namespace RawPush.Fanout.Delivery;

/// <summary>Which subscribers of a shard are known users. Apart from the subscribers, so that those who are nobody in particular cost nothing. Touched by its shard alone.</summary>
internal sealed class UserTable
{
    private const int CapacityKept = 1024;

    private readonly Dictionary<Subscriber, string> _users = [];

    public int Count => _users.Count;

    public void Add(Subscriber subscriber, string user) => _users.Add(subscriber, user);

    /// <summary>Takes out one that may be in.</summary>
    public void Remove(Subscriber subscriber)
    {
        if (_users.Remove(subscriber) && _users.Capacity > CapacityKept && _users.Count < _users.Capacity / 4)
        {
            _users.TrimExcess(_users.Count * 2);
        }
    }

    /// <summary>Whose connection it is; null if that is not known.</summary>
    public string? Find(Subscriber subscriber) => _users.GetValueOrDefault(subscriber);
}
