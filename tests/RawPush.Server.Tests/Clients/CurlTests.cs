using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Clients;

/// <summary>curl, as people try things with, in the versions of HTTP that it speaks.</summary>
public sealed class CurlTests
{
    // Over plain TCP --http2 asks for an upgrade, which the server need not take (RFC 9110 section 7.8), and does not.
    public static TheoryData<string> Versions => ["--http1.1", "--http1.0", "--http2"];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task AnEventStreamComesLineByLine(string version)
    {
        await using var host = await PushHost.StartAsync();
        await using var curl = Curl.Start("-N", "-i", version, "-H", "Accept: text/event-stream", AddressOf(host, "/channels/a"));
        string[] head = await curl.ReadBlockAsync();
        Assert.Equal("HTTP/1.1 200 OK", head[0]);
        string position = FieldOf(head, "RawPush-Position");
        Assert.Equal([$"id: {position}"], await curl.ReadBlockAsync());
        for (int i = 0; i < 5; i++)
        {
            string id = (await host.PublishAsync("a", $"{i}\nsecond line")).Id.ToString();
            Assert.Equal([$"id: {id}", $"data: {i}", "data: second line"], await curl.ReadBlockAsync());
        }

        await host.StopAsync();
        Assert.Matches("^retry: [1-5][0-9]{3}\n", await curl.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task JsonLinesComeLineByLine(string version)
    {
        await using var host = await PushHost.StartAsync();
        await using var curl = Curl.Start("-N", "-i", version, "-H", "Accept: application/x-ndjson", AddressOf(host, "/channels/a"));
        Assert.Equal("HTTP/1.1 200 OK", (await curl.ReadBlockAsync())[0]);
        Assert.Equal(string.Empty, await curl.ReadLineAsync());
        for (int i = 0; i < 5; i++)
        {
            string id = (await host.PublishAsync("a", $"{i}")).Id.ToString();
            Assert.Equal($"{{\"channel\":\"a\",\"id\":\"{id}\",\"data\":\"{i}\"}}", await curl.ReadLineAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task PollsAreAnswered(string version)
    {
        await using var host = await Histories.StartAsync();
        await using var waiting = Curl.Start(version, AddressOf(host, "/channels/a?wait=30"));
        await host.Metrics.WaitForActiveAsync(1);
        await host.SettleAsync();
        string id = (await host.PublishAsync("a", "x")).Id.ToString();
        string message = $"{{\"channel\":\"a\",\"id\":\"{id}\",\"data\":\"x\"}}";
        var answer = JsonElement.Parse(await waiting.ReadToEndAsync());
        Assert.Equal(id, answer.GetProperty("next").GetString());
        Assert.Contains(message, answer.GetProperty("messages").GetRawText(), StringComparison.Ordinal);
        Assert.Contains(message, await Curl.RunAsync(version, AddressOf(host, "/channels/a")), StringComparison.Ordinal);
        Assert.Equal("204", await Curl.RunAsync(version, "-w", "%{http_code}", AddressOf(host, $"/channels/a?wait=1&after={id}")));
    }

    [Fact]
    public async Task PollsShareAConnection()
    {
        await using var host = await Histories.StartAsync();
        await host.PublishAsync("a", "x");
        string poll = AddressOf(host, "/channels/a");
        string[] quietly = ["-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n"];
        Assert.Equal("200 1\n200 0\n200 0\n", await Curl.RunAsync([.. quietly, poll, .. quietly, poll, .. quietly, poll]));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task PublishingIsAnswered(string version)
    {
        await using var host = await Histories.StartAsync();
        string target = new Uri(host.Internal, "/channels/a").AbsoluteUri;
        var receipt = JsonElement.Parse(await Curl.RunAsync(version, "-d", "grüße", target));
        Assert.Equal(0, receipt.GetProperty("subscribers").GetInt32());
        string batch = await Curl.RunAsync(version, "-H", "Content-Type: application/x-ndjson", "--data-binary", "{\"data\":1}\n{\"data\":\"two\"}\n", target);
        Assert.Equal(2, batch.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal("405", await Curl.RunAsync(version, "-o", "/dev/null", "-w", "%{http_code}", "-d", "x", AddressOf(host, "/channels/a")));
        var history = JsonElement.Parse(await Curl.RunAsync(version, target)).GetProperty("messages");
        Assert.Equal(["grüße", "1", "two"], history.EnumerateArray().Select(message => message.GetProperty("data").ToString()));
    }

    [Fact]
    public async Task ALongMessageIsPublishedFromAFile_WithAnExpectation()
    {
        await using var host = await Histories.StartAsync();
        string text = string.Create(1024 * 1024, 0, (characters, _) => new Random(1).GetItems("abcdefgh", characters));
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, text, Patience.Token);
        string target = new Uri(host.Internal, "/channels/a").AbsoluteUri;
        string answer = await Curl.RunAsync("-i", "-H", "Expect: 100-continue", "--data-binary", $"@{file}", target);
        File.Delete(file);
        Assert.StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.Contains(text, await Curl.RunAsync(AddressOf(host, "/channels/a")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--http1.1", "1.1")]
    [InlineData("--http2", "2")]
    public async Task StreamsAndPollsComeOverTls(string version, string spoken)
    {
        await using var host = await Histories.StartAsync(configure: setup => setup.Listeners = kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(CreateCertificate());
            listen.UseRawPush();
        }));
        string address = $"{host.Addresses[2]}/channels/a";
        await using var curl = Curl.Start("-N", "-i", "-k", version, "-H", "Accept: text/event-stream", address);
        Assert.StartsWith($"HTTP/{spoken} 200", (await curl.ReadBlockAsync())[0], StringComparison.Ordinal);
        Assert.Single(await curl.ReadBlockAsync());
        string id = (await host.PublishAsync("a", "over TLS")).Id.ToString();
        Assert.Equal([$"id: {id}", "data: over TLS"], await curl.ReadBlockAsync());
        Assert.Contains("\"data\":\"over TLS\"", await Curl.RunAsync("-k", version, address), StringComparison.Ordinal);
    }

    private static string AddressOf(PushHost host, string target) => new Uri(host.Public, target).AbsoluteUri;

    // HTTP/2 has its field names in lower case.
    private static string FieldOf(string[] head, string name) =>
        head.Single(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))[(name.Length + 2)..];

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
