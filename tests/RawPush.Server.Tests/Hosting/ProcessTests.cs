using System.Net;
using System.Net.Sockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Hosting;

public sealed class ProcessTests
{
    private const string Server = "RawPush.Server.dll";
    private const string Sample = "RawPush.Sample.Backend.dll";

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task ASignalEndsTheServerInOrder(string signal)
    {
        await using var server = await ServerProcess.StartAsync(Server);
        await using var client = await RawClient.ConnectAsync(server.Ports[0]);
        await client.SendAsync(Heads.Upgrade("/channels/a"));
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await using var silent = await RawClient.ConnectAsync(server.Ports[0]);
        var ending = server.EndAsync(signal);
        Assert.Equal(1001, (await client.ReadFrameAsync()).Status);
        await client.SendAsync(ClientFrames.Close(1001));
        Assert.Empty(await client.ReadToEndAsync());
        var (exitCode, output, error) = await ending;
        Assert.Equal(0, exitCode);
        Assert.Empty(error);
        Assert.DoesNotContain("fail:", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheDaemonPublishesToItsClients()
    {
        await using var server = await ServerProcess.StartAsync(Server, "RawPush:MessageBytesMax=5");
        await using var client = await RawClient.ConnectAsync(server.Ports[0]);
        await client.SendAsync(Heads.Upgrade("/channels/a"));
        await client.ReadHeadAsync();
        await using var publisher = await RawClient.ConnectAsync(server.Ports[1]);
        await publisher.SendAsync("POST /channels/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
        Assert.StartsWith("HTTP/1.1 200 ", (await publisher.ReadResponseAsync()).Head, StringComparison.Ordinal);
        Assert.Equal("hello", (await client.ReadFrameAsync()).Text);
        await publisher.SendAsync("POST /channels/a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nhello!");
        Assert.StartsWith("HTTP/1.1 413 ", (await publisher.ReadResponseAsync()).Head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheSampleEchoesPublishesTheTimeAndHasItsOwnRoute()
    {
        await using var server = await ServerProcess.StartAsync(Sample);
        await using var client = await RawClient.ConnectAsync(server.Ports[0]);
        await client.SendAsync(Heads.Get("/hello"));
        Assert.Equal(PushHost.Hello, (await client.ReadResponseAsync()).Body);
        await client.SendAsync(Heads.Upgrade("/echo"));
        await client.ReadHeadAsync();
        foreach (byte[] payload in (byte[][])[[], "hello"u8.ToArray(), new byte[300_000]])
        {
            await client.SendAsync(ClientFrames.Binary(payload));
            Assert.Equal(payload, (await client.ReadFrameAsync()).Payload);
        }

        await client.SendAsync(ClientFrames.Close(1000));
        Assert.Equal(1000, (await client.ReadFrameAsync()).Status);
        await using var clock = await RawClient.ConnectAsync(server.Ports[0]);
        await clock.SendAsync(Heads.Events("/channels/clock"));
        await clock.ReadUntilAsync("\r\n\r\n");
        await clock.ReadUntilAsync("\n\n");
        Assert.Contains("\ndata: 2", await clock.ReadUntilAsync("\n\n"), StringComparison.Ordinal);
        Assert.Equal(0, (await server.EndAsync("TERM")).ExitCode);
    }

    [Theory]
    [InlineData("RawPush:Public", "--public", "nonsense")]
    [InlineData("RawPush:Public", "--public", "127.0.0.1:65536")]
    [InlineData("RawPush:Internal", "--internal", "::1:80")]
    [InlineData("RawPush:Internal", "--internal", "host.example:80")]
    [InlineData("LogEntriesMax", "RawPush:LogEntriesMax=many")]
    [InlineData("RawPush:LogEntriesMax is 63; it must be from 64 to 1048576", "RawPush:LogEntriesMax=63")]
    [InlineData("RawPush:PingInterval", "--RawPush:PingInterval=00:00:00.5")]
    [InlineData("PingInterval", "RawPush:PingInterval=soon")]
    [InlineData("NoSuchSetting", "RawPush:NoSuchSetting=1")]
    [InlineData("NoSuchSetting", "--RawPush:NoSuchSetting=1")]
    [InlineData("RawPush:Namespaces:0:Pattern is '': a channel name", "RawPush:Namespaces:0:HistoryEntries=1")]
    [InlineData("RawPush:Namespaces:0:HistoryEntries is -1", "RawPush:Namespaces:0:Pattern=a", "RawPush:Namespaces:0:HistoryEntries=-1")]
    [InlineData("NoSuchSetting", "RawPush:Namespaces:0:Pattern=a", "RawPush:Namespaces:0:NoSuchSetting=1")]
    [InlineData("LagPolicy", "RawPush:Namespaces:0:Pattern=a", "RawPush:Namespaces:0:LagPolicy=Wait")]
    [InlineData("RawPush:Nats:Prefix is 'a.in': the tokens 'in' and 'out'", "--nats", "nats://127.0.0.1:1", "RawPush:Nats:Prefix=a.in")]
    [InlineData("Readiness", "RawPush:Nats:Readiness=Maybe")]
    [InlineData("--no-such-option", "--no-such-option")]
    [InlineData("'word' is not an option", "word")]
    [InlineData("--public", "--public")]
    [InlineData("rawpush:shards is given twice", "RawPush:Shards=1", "rawpush:shards=2")]
    [InlineData("cannot listen", "--public", "192.0.2.1:8080")]
    public async Task AMistakeOfTheOperatorIsOneLine(string said, params string[] arguments)
    {
        // The listeners that are not at stake go to any free port.
        string[] others = [.. new[] { "--public", "--internal" }.Where(option => !arguments.Contains(option)).SelectMany(option => new[] { option, "127.0.0.1:0" })];
        var (exitCode, output, error) = await ServerProcess.RunAsync(Server, [.. others, .. arguments]);
        AssertOneLine(said, exitCode, output, error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NamespacesComeFromTheCommandLineOrTheEnvironment(bool isEnvironment)
    {
        string[] settings = ["RawPush:Namespaces:0:Pattern=a.*", "RawPush:Namespaces:0:HistoryEntries=2", "RawPush:Namespaces:1:Pattern=>", "RawPush:Namespaces:1:LagPolicy=skip"];
        await using var server = isEnvironment
            ? await ServerProcess.StartAsync(Server, 0, [], [.. settings.Select(setting => setting.Replace(":", "__", StringComparison.Ordinal))])
            : await ServerProcess.StartAsync(Server, settings);
        await using var client = await RawClient.ConnectAsync(server.Ports[1]);
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync("POST /channels/a.b HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n" + i);
            await client.ReadResponseAsync();
        }

        await client.SendAsync(Heads.Get("/channels?name=a.b"));
        string report = (await client.ReadResponseAsync()).Body;
        Assert.Contains("\"entries\":2,", report, StringComparison.Ordinal);
        Assert.Contains("\"namespace\":{\"pattern\":\"a.*\",\"historyEntries\":2,", report, StringComparison.Ordinal);
        await client.SendAsync(Heads.Get("/channels/a.b"));
        Assert.Contains("\"data\":\"1\"", (await client.ReadResponseAsync()).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--public", "--internal")]
    [InlineData("--internal", "--public")]
    public async Task APortInUseIsOneLine(string taken, string free)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        string address = $"127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}";
        var (exitCode, output, error) = await ServerProcess.RunAsync(Server, taken, address, free, "127.0.0.1:0");
        AssertOneLine(address, exitCode, output, error);
    }

    [Theory]
    [InlineData("--help", "--internal")]
    [InlineData("-h", "--public")]
    [InlineData("--version", "0.")]
    public async Task AQuestionIsAnswered(string option, string answer)
    {
        var (exitCode, output, error) = await ServerProcess.RunAsync(Server, option);
        Assert.Equal(0, exitCode);
        Assert.Contains(answer, output, StringComparison.Ordinal);
        Assert.Empty(error);
    }

    private static void AssertOneLine(string said, int exitCode, string output, string error)
    {
        Assert.NotEqual(0, exitCode);
        Assert.Matches("\\Arawpush: [^\\n]+\\n\\z", error);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", output + error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
    }
}
