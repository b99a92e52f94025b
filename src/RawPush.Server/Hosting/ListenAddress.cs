using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RawPush.Server.Hosting;

/// <summary>An address to listen on: <c>ADDR:PORT</c>, where ADDR is an IP address (IPv6 in brackets), <c>localhost</c>, or <c>*</c> or nothing for all.</summary>
internal readonly record struct ListenAddress
{
    private const string Form = "write ADDR:PORT, as 127.0.0.1:8081, [::1]:8081, localhost:8081 or *:8080";

    /// <summary>Null stands for every address of the machine.</summary>
    private IPAddress? Address { get; init; }

    private int Port { get; init; }

    public static bool TryParse(string text, out ListenAddress address, [NotNullWhen(false)] out string? error)
    {
        address = default;
        int colon = text.LastIndexOf(':');
        if (colon < 0)
        {
            error = Form;
            return false;
        }

        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            error = "the port must be a number from 0 to 65535";
            return false;
        }

        if (!TryParseHost(text[..colon], out var host))
        {
            error = Form;
            return false;
        }

        address = new ListenAddress { Address = host, Port = port };
        error = null;
        return true;
    }

    public void Listen(KestrelServerOptions kestrel, Action<ListenOptions> configure)
    {
        if (Address is null)
        {
            kestrel.ListenAnyIP(Port, configure);
        }
        else
        {
            kestrel.Listen(Address, Port, configure);
        }
    }

    private static bool TryParseHost(string host, out IPAddress? address)
    {
        address = null;
        switch (host)
        {
            case "" or "*":
                return true;
            case "localhost":
                address = IPAddress.Loopback;
                return true;
            default:
                // Brackets are what tells an IPv6 address from its port, so they are asked for.
                bool isBracketed = host.StartsWith('[') && host.EndsWith(']');
                return IPAddress.TryParse(isBracketed ? host[1..^1] : host, out address) && isBracketed == host.Contains(':');
        }
    }
}
