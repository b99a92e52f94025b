using RawPush.Protocol.Proxy;

namespace RawPush.Server.Connections;

/// <summary>What one client address has: connections, and a bucket of handshakes. Touched under its stripe's lock alone.</summary>
internal sealed class AddressEntry(UInt128 network)
{
    public readonly UInt128 Network = network;

    public long FullAt;

    public int Connections;

    public bool IsLapsing;   // It stands in the queue of those that may be forgotten soon.
}

/// <summary>Counts push connections and handshakes per client address. IPv6 counts by /64, which is what one client has.</summary>
/// <remarks>
/// Any thread. Striped, so that loops seldom meet; coming and leaving are O(1). An address is in the table while it has connections, or less than a whole bucket;
/// that lasts a second after its last handshake, and a sweep per second forgets those for which it is over. So there are as many entries as connections, and
/// as addresses have come within two seconds.
/// </remarks>
internal sealed class AddressTable : IDisposable
{
    private const int StripeCount = 16;

    private readonly Stripe[] _stripes = new Stripe[StripeCount];
    private readonly int _connectionsMax;
    private readonly RateLimit? _rate;
    private readonly ITimer? _timer;

    /// <param name="connectionsMax">Connections of an address; 0 for no limit.</param>
    /// <param name="handshakesPerSecond">Handshakes of an address; 0 for no limit.</param>
    /// <param name="time">Whose seconds.</param>
    public AddressTable(int connectionsMax, int handshakesPerSecond, TimeProvider time)
    {
        _connectionsMax = connectionsMax > 0 ? connectionsMax : int.MaxValue;
        for (int i = 0; i < StripeCount; i++)
        {
            _stripes[i] = new Stripe();
        }

        if (handshakesPerSecond > 0)
        {
            _rate = new RateLimit(handshakesPerSecond, time);
            var period = TimeSpan.FromSeconds(1);
            _timer = time.CreateTimer(static state => ((AddressTable)state!).Sweep(), this, period, period);
        }
    }

    /// <summary>Addresses that are known at the moment.</summary>
    public int Count => _stripes.Sum(stripe => stripe.Count);

    /// <summary>Counts a connection in.</summary>
    /// <param name="client">Whose.</param>
    /// <param name="entry">What must be given to <see cref="Leave"/> once if the answer is <see cref="AdmissionLimit.None"/>; null otherwise.</param>
    /// <returns>The limit that keeps it out.</returns>
    public AdmissionLimit TryEnter(HostAddress client, out AddressEntry? entry)
    {
        var network = NetworkOf(client);
        var stripe = StripeOf(network);
        entry = null;
        lock (stripe.Lock)
        {
            // One that is new has room, so none is made for a connection that is kept out.
            var found = stripe.Entries.GetValueOrDefault(network) ?? stripe.Add(network);
            if (found.Connections >= _connectionsMax)
            {
                return AdmissionLimit.AddressConnections;
            }

            if (_rate?.TryTake(ref found.FullAt) == false)
            {
                return AdmissionLimit.AddressHandshakes;
            }

            found.Connections++;
            entry = found;
            return AdmissionLimit.None;
        }
    }

    /// <summary>Counts it out again.</summary>
    public void Leave(AddressEntry entry)
    {
        var stripe = StripeOf(entry.Network);
        lock (stripe.Lock)
        {
            if (--entry.Connections == 0 && !entry.IsLapsing)
            {
                ForgetOrQueue(stripe, entry);
            }
        }
    }

    public void Dispose() => _timer?.Dispose();

    private static UInt128 NetworkOf(HostAddress client) => client.IsIPv4 ? client.Bits : client.Bits & ~(UInt128)ulong.MaxValue;

    private Stripe StripeOf(UInt128 network) => _stripes[(uint)network.GetHashCode() % StripeCount];

    private void Sweep()
    {
        foreach (var stripe in _stripes)
        {
            lock (stripe.Lock)
            {
                // Those that are in it now: who is not ready goes to its end.
                for (int left = stripe.Lapsing.Count; left > 0; left--)
                {
                    var entry = stripe.Lapsing.Dequeue();
                    entry.IsLapsing = false;
                    if (entry.Connections == 0)
                    {
                        ForgetOrQueue(stripe, entry);
                    }
                }
            }
        }
    }

    private void ForgetOrQueue(Stripe stripe, AddressEntry entry)
    {
        if (_rate is null || _rate.IsFull(entry.FullAt))
        {
            stripe.Entries.Remove(entry.Network);
        }
        else
        {
            entry.IsLapsing = true;
            stripe.Lapsing.Enqueue(entry);
        }
    }

    private sealed class Stripe
    {
        public Lock Lock { get; } = new();

        public Dictionary<UInt128, AddressEntry> Entries { get; } = [];

        public Queue<AddressEntry> Lapsing { get; } = [];

        public int Count
        {
            get
            {
                lock (Lock)
                {
                    return Entries.Count;
                }
            }
        }

        public AddressEntry Add(UInt128 network)
        {
            var entry = new AddressEntry(network);
            Entries.Add(network, entry);
            return entry;
        }
    }
}
