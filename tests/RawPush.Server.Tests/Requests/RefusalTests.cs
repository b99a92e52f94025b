using Microsoft.Extensions.Time.Testing;
using RawPush.Server.Connections;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Requests;

public sealed class RefusalTests
{
    private const string UpgradeFields = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    private const string KeyField = $"Sec-WebSocket-Key: {Heads.Key}\r\n";
    private const string VersionField = "Sec-WebSocket-Version: 13\r\n";

    public static TheoryData<int, string> BadRequests => new()
    {
        // The address.
        { 400, Heads.Upgrade("/channels/a,b?format=raw") },
        { 400, Heads.Upgrade("/channels/a,b", "Sec-WebSocket-Protocol: rawpush.raw\r\n") },
        { 404, Heads.Get("/channels") },
        { 404, Heads.Get("/") },

        // What it asks for.
        { 400, Heads.Upgrade("/channels/a.*?format=raw") },
        { 400, Heads.Events("/channels/a", "Last-Event-ID: x\r\n") },

        // The opening handshake.
        { 426, Heads.Get("/echo") },
        { 426, Heads.Events("/echo") },
        { 426, $"GET /channels/a HTTP/1.0\r\n{UpgradeFields}{KeyField}{VersionField}\r\n" },
        { 426, Heads.Get("/channels/a", UpgradeFields + KeyField) },
        { 426, Heads.Get("/channels/a", UpgradeFields + KeyField + "Sec-WebSocket-Version: 8\r\n") },
        { 426, Heads.Get("/channels/a", UpgradeFields + KeyField + VersionField + VersionField) },
        { 400, Heads.Get("/channels/a", UpgradeFields + VersionField) },
        { 400, Heads.Get("/channels/a", UpgradeFields + VersionField + KeyField + KeyField) },
        { 400, Heads.Get("/channels/a", UpgradeFields + VersionField + "Sec-WebSocket-Key: short\r\n") },
        { 400, Heads.Get("/channels/a", UpgradeFields + VersionField + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n") },
        { 400, Heads.Upgrade("/channels/a", "Sec-WebSocket-Protocol: a b\r\n") },
        { 400, Heads.Upgrade("/channels/a", "Sec-WebSocket-Protocol: a, a\r\n") },

        // What ASP.NET Core's routing takes for one of our addresses, and is none.
        { 404, Heads.Upgrade("/channels") },
        { 404, Heads.Upgrade("/ECHO") },
        { 404, Heads.Events("/Channels/a") },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task ABadRequestIsAnsweredWithAStatusAndALineAndTheEndOfTheConnection(int status, string request)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync(request);
        var (head, body) = await client.ReadResponseAsync();
        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        Assert.Equal("text/plain; charset=utf-8", RawClient.FieldOf(head, "Content-Type"));
        Assert.Equal(status == 426 ? "close, Upgrade" : "close", RawClient.FieldOf(head, "Connection"));
        Assert.Matches("\\A[^\\n]+\\n\\z", body);
        Assert.Empty(await client.ReadToEndAsync());
        Assert.Empty(host.Logs.AboveDebug);
        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task OnAKeptAliveConnectionTheAnswerIsTheSame(int status, string request)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Get("/hello"));
        await client.ReadResponseAsync();
        await client.SendAsync(request);
        var (head, body) = await client.ReadResponseAsync();
        Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
        Assert.Equal("text/plain; charset=utf-8", RawClient.FieldOf(head, "Content-Type"));
        Assert.Equal(status == 426 ? "close, Upgrade" : "close", RawClient.FieldOf(head, "Connection"));
        Assert.Matches("\\A[^\\n]+\\n\\z", body);
        await client.ReadUntilGoneAsync();
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task SixtyFourChannelsAreServed()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.OpenEventsAsync("/channels/" + string.Join(',', Enumerable.Range(0, 64)));
        await host.PublishAsync("63", "x");
        await client.ReadUntilAsync("data: x\n\n");
    }

    [Fact]
    public async Task AHeadOfJustTheLimitIsServedAndOneByteMoreIsNot()
    {
        const int Limit = 1024;
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.HeadBytesMax = Limit);
        string filler = new('y', Limit - Heads.Events("/channels/a", "X: \r\n").Length);
        await using var whole = await host.OpenEventsAsync("/channels/a");
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Events("/channels/a", $"X: {filler}\r\n"));
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await using var other = await host.ConnectAsync();
        await other.SendAsync(Heads.Events("/channels/a", $"X: {filler}y\r\n"));
        Assert.StartsWith("HTTP/1.1 431 ", await other.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EmptyLinesBeforeARequestAreWaitedThroughUpToTheLimitOfAHead()
    {
        const int Limit = 1024;
        await using var host = await PushHost.StartAsync(setup =>
        {
            setup.Time = new FakeTimeProvider();   // Or the deadline could be what answers.
            setup.Options = options => options.HeadBytesMax = Limit;
        });
        await using var client = await host.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Repeat("\r\n", Limit / 2)));
        await host.SettleAsync();
        Assert.Equal(0, client.Socket.Available);
        await client.SendAsync("\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OneConnectionMoreThanAllowedIsSentAwayUntilSomebodyLeaves()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.ConnectionsMax = 2);
        await using var first = await host.UpgradeAsync("/channels/a");
        await using var second = await host.OpenEventsAsync("/channels/a");
        await using var third = await host.ConnectAsync();
        await third.SendAsync(Heads.Upgrade("/channels/a"));
        var (head, body) = await third.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 503 ", head, StringComparison.Ordinal);
        Assert.Equal("5", RawClient.FieldOf(head, "Retry-After"));
        Assert.Equal("the server has as many connections as it may have\n", body);
        Assert.Empty(await third.ReadToEndAsync());

        await first.SendAsync(ClientFrames.Close(1000));
        await first.ReadToEndAsync();
        await first.DisposeAsync();
        var loops = host.Get<ConnectionLoops>();
        var patience = Patience.Token;
        while (loops.Count == 2)
        {
            patience.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await using var fourth = await host.UpgradeAsync("/channels/a");
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task OneConnectionMoreThanAllowedIsSentAwayFromAKeptAliveConnectionToo()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.ConnectionsMax = 1);
        await using var first = await host.UpgradeAsync("/channels/a");
        await using var second = await host.ConnectAsync();
        await second.SendAsync(Heads.Get("/hello"));
        await second.ReadResponseAsync();
        await second.SendAsync(Heads.Upgrade("/channels/a"));
        var (head, _) = await second.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 503 ", head, StringComparison.Ordinal);
        Assert.Equal("5", RawClient.FieldOf(head, "Retry-After"));
    }

    [Fact]
    public async Task OneChannelMoreThanAllowedIsRefusedAndLeavesNothingBehind()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.ChannelsMax = 2);
        await using var first = await host.UpgradeAsync("/channels/a");
        await using var second = await host.ConnectAsync();
        await second.SendAsync(Heads.Events("/channels/a,b,c"));
        var (head, body) = await second.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 503 ", head, StringComparison.Ordinal);
        Assert.Equal("5", RawClient.FieldOf(head, "Retry-After"));
        Assert.Equal("the server has as many channels as it may have\n", body);
        Assert.Equal(1, (await host.PublishAsync("a", "x")).Subscribers);
        await using var third = await host.OpenEventsAsync("/channels/a,b");
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task OneChannelMoreThanAllowedIsRefusedOnAKeptAliveConnectionToo()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.ChannelsMax = 1);
        await using var first = await host.UpgradeAsync("/channels/a");
        await using var second = await host.ConnectAsync();
        await second.SendAsync(Heads.Get("/hello"));
        await second.ReadResponseAsync();
        await second.SendAsync(Heads.Upgrade("/channels/b"));
        var (head, _) = await second.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 503 ", head, StringComparison.Ordinal);
        Assert.Equal("5", RawClient.FieldOf(head, "Retry-After"));
        Assert.Empty(host.Logs.AboveDebug);
    }
}
