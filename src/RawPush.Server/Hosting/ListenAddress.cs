using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RawPush.Server.Hosting;

/// <summary>An address to listen on: <c>ADDR:PORT</c>, where ADDR is an IP address (IPv6 in brackets), <c>localhost</c>, or <c>*</c> or nothing for all;
/// or <c>unix:PATH</c>.</summary>
internal static class ListenAddress
{
    private const string UnixPrefix = "unix:";
    private const string Form = "write ADDR:PORT, as 127.0.0.1:8081, [::1]:8081, localhost:8081 or *:8080; or unix:/run/rawpush.sock";

    /// <summary>Reads an address that was validated.</summary>
    public static EndPoint Parse(string text) => TryParse(text, out var address, out string? error) ? address : throw new FormatException(error);

    public static bool TryParse(string text, [NotNullWhen(true)] out EndPoint? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            return TryParsePath(text[UnixPrefix.Length..], out address, out error);
        }

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

        address = new IPEndPoint(host, port);
        error = null;
        return true;
    }

    private static bool TryParsePath(string path, [NotNullWhen(true)] out EndPoint? address, [NotNullWhen(false)] out string? error)
    {
        try
        {
            address = path.StartsWith('/') ? new UnixDomainSocketEndPoint(path) : null;
            error = address is null ? Form : null;
        }
        catch (ArgumentOutOfRangeException)
        {
            address = null;
            error = "the path of a Unix socket has at most 107 bytes";
        }

        return error is null;
    }

    private static bool TryParseHost(string host, [NotNullWhen(true)] out IPAddress? address)
    {
        switch (host)
        {
            case "" or "*":
                address = IPAddress.IPv6Any;
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
