using System.Net;
using System.Text;
using Microsoft.Extensions.Options;
using RawPush.Protocol.Proxy;
using RawPush.Server.Hosting;
using RawPush.Server.Requests;

namespace RawPush.Server.Connections;

/// <summary>Whom we believe what they say of their clients' addresses. Safe for threads.</summary>
internal sealed class TrustedProxies
{
    /// <summary>Stands for whoever connects over a Unix socket.</summary>
    public const string Unix = "unix";

    private const int IPv4MappedBits = 96;
    private const int AddressBits = 128;

    private readonly (UInt128 Base, UInt128 Mask)[] _networks;
    private readonly bool _trustsUnix;

    public TrustedProxies(IOptions<RawPushOptions> options)
    {
        var entries = options.Value.TrustedProxies;
        _trustsUnix = entries.Contains(Unix);
        _networks = [.. entries.Where(entry => entry != Unix).Select(entry => TryParse(entry, out var network) ? ToBits(network) : throw new FormatException(entry))];
    }

    public bool IsEmpty => _networks.Length == 0 && !_trustsUnix;

    /// <summary>Reads an address, or a network as <c>10.0.0.0/8</c>.</summary>
    public static bool TryParse(string text, out IPNetwork network)
    {
        int slash = text.IndexOf('/');
        bool isAddress = HostAddress.TryParse(Encoding.UTF8.GetBytes(slash < 0 ? text : text[..slash]), out var address);
        network = default;
        if (!isAddress)
        {
            return false;
        }

        if (slash >= 0)
        {
            return IPNetwork.TryParse(text, out network);
        }

        network = new IPNetwork(address.ToIPAddress(), address.IsIPv4 ? AddressBits - IPv4MappedBits : AddressBits);
        return true;
    }

    /// <param name="peer">Null for a Unix socket.</param>
    public bool Trusts(HostAddress? peer)
    {
        if (peer is not { } address)
        {
            return _trustsUnix;
        }

        foreach (var (network, mask) in _networks)
        {
            if ((address.Bits & mask) == network)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Who sent a request: the first hop, seen from us, that is no proxy of ours. What that one says of others is not believed, nor anything to the left of what cannot be read.</summary>
    /// <param name="peer">Who connected, by its PROXY header if there was one; null for a Unix socket.</param>
    /// <param name="request">Its fields say whom it forwards for.</param>
    public HostAddress? FindClient(HostAddress? peer, PushRequest request)
    {
        bool isStandard = request.ForwardedField == ForwardedField.Forwarded;
        var hops = request.Forwarded;
        var client = peer;
        while (Trusts(client)
            && (isStandard ? ForwardedReader.TryTakeForwarded(ref hops, out var hop) : ForwardedReader.TryTakeForwardedFor(ref hops, out hop)))
        {
            client = hop;
        }

        return client;
    }

    private static (UInt128 Base, UInt128 Mask) ToBits(IPNetwork network)
    {
        var address = HostAddress.From(network.BaseAddress)!.Value;
        int length = network.PrefixLength + (network.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? IPv4MappedBits : 0);

        // A shift by all of the bits would be one by none.
        var mask = length == 0 ? UInt128.Zero : UInt128.MaxValue << (AddressBits - length);
        return (address.Bits & mask, mask);
    }
}
