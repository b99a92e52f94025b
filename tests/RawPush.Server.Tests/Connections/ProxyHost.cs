using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RawPush.Protocol;
using RawPush.Server.Hosting;
using RawPush.Server.Messages;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Connections;

/// <summary>A host that says whom it takes its clients for: at <c>/whoami</c> to what a WebSocket sends, at <c>/ip</c> by ASP.NET Core. The proxies are addresses of this machine.</summary>
internal static class ProxyHost
{
    public const string Proxy = "127.0.0.2";
    public const string SecondProxy = "127.0.0.3";
    public const string Stranger = "127.0.0.9";
    public const string Client = "192.0.2.1";
    public const string OtherClient = "192.0.2.2";

    private const ushort SourcePort = 56324;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    public static Task<PushHost> StartAsync(Action<RawPushOptions>? options = null, FakeTimeProvider? time = null) => PushHost.StartAsync(setup =>
    {
        setup.Time = time;
        setup.Options = settings =>
        {
            settings.TrustedProxies.AddRange([Proxy, SecondProxy + "/32"]);
            options?.Invoke(settings);
        };
        setup.Handlers.Add(("/whoami", new DelegateHandler(AnswerAsync), 0));
        setup.Routes = app => app.MapGet("/ip", context => context.Response.WriteAsync($"{context.Connection.RemoteIpAddress} {context.Connection.RemotePort}"));
    });

    public static Task<RawClient> ConnectFromAsync(this PushHost host, string source, Uri? listener = null) =>
        RawClient.ConnectAsync((listener ?? host.Public).Port, source: source);

    /// <summary>Whom a WebSocket client is taken for.</summary>
    public static async Task<string> AskAsync(this RawClient client, string fields = "", byte[]? before = null)
    {
        await client.SendAsync((byte[])[.. before ?? [], .. Encoding.ASCII.GetBytes(Heads.Upgrade("/whoami", fields)), .. ClientFrames.Text("?")]);
        return await client.ReadWhoAsync();
    }

    public static async Task<string> ReadWhoAsync(this RawClient client)
    {
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        return (await client.ReadFrameAsync()).Text;
    }

    /// <summary>A PROXY header of version 1.</summary>
    public static byte[] Line(string client) => Encoding.ASCII.GetBytes(client.Contains(':', StringComparison.Ordinal)
        ? $"PROXY TCP6 {client} ::1 {SourcePort} 80\r\n"
        : $"PROXY TCP4 {client} 127.0.0.1 {SourcePort} 80\r\n");

    /// <summary>A PROXY header of version 2, with a TLV.</summary>
    public static byte[] Binary(string client)
    {
        var address = IPAddress.Parse(client);
        byte[] source = address.GetAddressBytes();
        byte[] tlv = [0x04, 0x00, 0x02, 0xAA, 0xBB];
        byte[] header = [.. Signature, 0x21, (byte)(address.AddressFamily == AddressFamily.InterNetwork ? 0x11 : 0x21), 0, (byte)((2 * source.Length) + 4 + tlv.Length), .. source, .. source, 0, 0, 0, 80, .. tlv];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(16 + (2 * source.Length)), SourcePort);
        return header;
    }

    /// <summary>A PROXY header of version 2 with which the proxy speaks for itself.</summary>
    public static byte[] Local() => [.. Signature, 0x20, 0, 0, 0];

    /// <summary>Looks until it is so.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        var patience = Patience.Token;
        while (!condition())
        {
            patience.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static ValueTask AnswerAsync(IClientConnection client, byte[] payload)
    {
        Assert.True(client.TrySend(MessageKind.Text, Encoding.ASCII.GetBytes(client.RemoteAddress?.ToString() ?? "nobody")));
        return default;
    }
}
