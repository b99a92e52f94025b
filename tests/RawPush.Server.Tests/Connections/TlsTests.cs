using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Connections;

/// <summary>Behind Kestrel's TLS the same sessions run over pipes, and over HTTP/2 through ASP.NET Core.</summary>
public sealed class TlsTests
{
    private const string Subject = "CN=localhost";

    private static readonly RemoteCertificateValidationCallback TrustOurs = (_, certificate, _, _) => certificate?.Subject == Subject;

    [Fact]
    public async Task AWebSocketOverTlsGetsMessagesAndIsAnswered()
    {
        await using var host = await StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = TrustOurs;
        await socket.ConnectAsync(new Uri($"wss://{AuthorityOf(host)}/channels/a"), Patience.Token);
        await host.PublishAsync("a", "over TLS");
        Assert.Equal("over TLS", await ReceiveAsync(socket));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Patience.Token);
        await host.Metrics.WaitForEndedAsync("ClientClosed");

        using var echo = new ClientWebSocket();
        echo.Options.RemoteCertificateValidationCallback = TrustOurs;
        await echo.ConnectAsync(new Uri($"wss://{AuthorityOf(host)}/echo"), Patience.Token);
        await echo.SendAsync(Encoding.UTF8.GetBytes("hello"), WebSocketMessageType.Text, endOfMessage: true, Patience.Token);
        Assert.Equal("hello", await ReceiveAsync(echo));
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task AnEventStreamAndAnOrdinaryRequestAreServedOverTls(string version)
    {
        await using var host = await StartAsync();
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = TrustOurs } };
        using var client = new HttpClient(handler) { DefaultRequestVersion = Version.Parse(version), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Assert.Equal(PushHost.Hello, await client.GetStringAsync($"https://{AuthorityOf(host)}/hello", Patience.Token));

        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{AuthorityOf(host)}/channels/a")
        {
            Headers = { { "Accept", "text/event-stream" } },
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience.Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Patience.Token));
        await host.PublishAsync("a", "over TLS");
        string? line = await reader.ReadLineAsync(Patience.Token);
        while (line is not null && !line.StartsWith("data:", StringComparison.Ordinal))
        {
            line = await reader.ReadLineAsync(Patience.Token);
        }

        Assert.Equal("data: over TLS", line);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task PollsAreServedOverTls(string version)
    {
        await using var host = await StartAsync();
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = TrustOurs } };
        using var client = new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://{AuthorityOf(host)}"),
            DefaultRequestVersion = Version.Parse(version),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        string first = (await host.PublishAsync("a", "first")).Id.ToString();
        using var shortPoll = await client.GetAsync("/channels/a", Patience.Token);
        Assert.Equal((HttpStatusCode.OK, first), (shortPoll.StatusCode, shortPoll.Headers.GetValues("RawPush-Next").Single()));
        Assert.Contains("\"data\":\"first\"", await shortPoll.Content.ReadAsStringAsync(Patience.Token), StringComparison.Ordinal);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/channels/a")
        {
            Headers = { IfNoneMatch = { shortPoll.Headers.ETag! } },
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var unchanged = await client.SendAsync(again, Patience.Token);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);

        // Several at a time, on one connection where the version allows it.
        var polls = Enumerable.Range(0, 20).Select(_ => client.GetStringAsync($"/channels/a?wait=300&after={first}", Patience.Token)).ToArray();
        await host.Metrics.WaitForActiveAsync(20);
        await host.SettleAsync();
        await host.PublishAsync("a", "second");
        Assert.All(await Task.WhenAll(polls), body => Assert.Contains("\"data\":\"second\"", body, StringComparison.Ordinal));

        using var leaving = new CancellationTokenSource();
        var left = client.GetStringAsync("/channels/a?wait=300", leaving.Token);
        await host.Metrics.WaitForActiveAsync(1);
        await host.SettleAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await host.Metrics.WaitForEndedAsync("ClientGone");
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task BehindTlsNoProxyHeaderIsWaitedFor()
    {
        await using var host = await StartAsync(options =>
        {
            options.TrustedProxies.AddRange(["127.0.0.1"]);
            options.ProxyProtocol = true;
        });
        using var echo = new ClientWebSocket();
        echo.Options.RemoteCertificateValidationCallback = TrustOurs;
        await echo.ConnectAsync(new Uri($"wss://{AuthorityOf(host)}/echo"), Patience.Token);
        await echo.SendAsync(Encoding.UTF8.GetBytes("hello"), WebSocketMessageType.Text, endOfMessage: true, Patience.Token);
        Assert.Equal("hello", await ReceiveAsync(echo));
    }

    private static Task<PushHost> StartAsync(Action<RawPushOptions>? options = null) => Histories.StartAsync(configure: setup =>
    {
        setup.Options = options;
        setup.Listeners = kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(CreateCertificate());
            listen.UseRawPush();
        });
    });

    private static string AuthorityOf(PushHost host) => new Uri(host.Addresses[2]).Authority;

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    private static async Task<string> ReceiveAsync(ClientWebSocket socket)
    {
        byte[] buffer = new byte[1024];
        var result = await socket.ReceiveAsync(buffer, Patience.Token);
        return Encoding.UTF8.GetString(buffer, 0, result.Count);
    }
}
