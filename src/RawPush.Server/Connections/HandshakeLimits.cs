using Microsoft.Extensions.Options;
using RawPush.Protocol.Proxy;
using RawPush.Server.Hosting;
using RawPush.Server.Requests;

namespace RawPush.Server.Connections;

/// <summary>How fast clients may come, and how many from one address: the limits that are not the number of all connections. Any thread.</summary>
internal sealed class HandshakeLimits : IDisposable
{
    private readonly RateLimit? _rate;
    private long _fullAt;

    public HandshakeLimits(IOptions<RawPushOptions> options, TimeProvider time)
    {
        var settings = options.Value;
        _rate = settings.HandshakesPerSecond > 0 ? new RateLimit(settings.HandshakesPerSecond, time) : null;
        Addresses = settings.AddressConnectionsMax > 0 || settings.AddressHandshakesPerSecond > 0
            ? new AddressTable(settings.AddressConnectionsMax, settings.AddressHandshakesPerSecond, time)
            : null;
    }

    /// <summary>Null: nothing is counted by address, and nobody needs to find it out.</summary>
    public AddressTable? Addresses { get; }

    /// <summary>Lets a handshake pass. The address is asked first, so that one which comes too often does not take the others' share.</summary>
    /// <param name="client">Whose; null for a peer without an address, which only the server's own rate can keep out.</param>
    /// <param name="entry">What to give to <see cref="Leave"/>, once, when the connection is over; null if there is nothing to leave.</param>
    public Refusal? TryEnter(HostAddress? client, out AddressEntry? entry)
    {
        entry = null;
        var limit = client is { } address && Addresses is not null ? Addresses.TryEnter(address, out entry) : AdmissionLimit.None;
        if (limit == AdmissionLimit.None && _rate?.TryTake(ref _fullAt) == false)
        {
            Leave(entry);
            entry = null;
            limit = AdmissionLimit.Handshakes;
        }

        return limit switch
        {
            AdmissionLimit.None => null,
            AdmissionLimit.AddressConnections => Refusal.TooManyOfAddress,
            _ => Refusal.TooFast(limit),
        };
    }

    public void Leave(AddressEntry? entry)
    {
        if (entry is not null)
        {
            Addresses!.Leave(entry);
        }
    }

    public void Dispose() => Addresses?.Dispose();
}
