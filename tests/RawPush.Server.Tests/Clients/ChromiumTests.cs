using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using RawPush.Fanout.Channels;
using RawPush.Fanout.Publishing;
using RawPush.Protocol;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Clients;

/// <summary>A real browser: the live page as a person uses it, and the browser's own clients without the page.</summary>
/// <remarks>One class, so that one browser runs at a time. The hosts have history: what is published between two polls must be kept for the next one.</remarks>
public sealed class ChromiumTests
{
    // With an icon, so that the browser does not ask for one.
    private const string EmptyPage = "<!doctype html><link rel=icon href='data:,'><title>empty</title>";

    [Fact]
    public async Task APublishedMessageArrivesInAllColumns_WithTheSameId()
    {
        await using var host = await Histories.StartAsync(entries: 300);
        var page = await ShowAsync(host, "publish");
        var webSocket = Assert.Single(RowsOf(page, "ws"));
        var events = Assert.Single(RowsOf(page, "sse"));
        Assert.Equal("Hello, columns", webSocket.GetProperty("data").GetString());
        Assert.Equal("Hello, columns", events.GetProperty("data").GetString());
        string id = webSocket.GetProperty("id").GetString()!;
        Assert.True(MessageId.TryParse(id, out _));
        Assert.Equal(id, events.GetProperty("id").GetString());
        Assert.EndsWith(" ms", webSocket.GetProperty("latency").GetString(), StringComparison.Ordinal);
        Assert.EndsWith(" ms", events.GetProperty("latency").GetString(), StringComparison.Ordinal);
        Assert.Equal(id, Assert.Single(RowsOf(page, "poll")).GetProperty("id").GetString());

        // Between two polls there is no third subscriber, and nothing is missed.
        Assert.Matches($"\\APublished as {id} to [23] subscribers\\.\\z", page.GetProperty("result").GetString());
        Assert.Equal(string.Empty, page.GetProperty("message").GetString());
        Assert.Equal("1 message", page.GetProperty("ws").GetProperty("count").GetString());
        AssertNoProblems(page);
    }

    [Fact]
    public async Task HtmlInAMessageStaysText()
    {
        await using var host = await Histories.StartAsync(entries: 300);
        var page = await ShowAsync(host, "html");
        foreach (var row in RowsOf(page, "ws").Concat(RowsOf(page, "sse")).Concat(RowsOf(page, "poll")))
        {
            Assert.StartsWith("<img src=", row.GetProperty("data").GetString(), StringComparison.Ordinal);
            Assert.Equal(0, row.GetProperty("elements").GetInt32());
        }

        Assert.Equal("RawPush live", page.GetProperty("title").GetString());
        AssertNoProblems(page);
    }

    [Fact]
    public async Task TheServersReasonIsShown_WhenTheChannelsNameIsNotValid()
    {
        await using var host = await Histories.StartAsync(entries: 300);
        var page = await ShowAsync(host, "invalidChannel");
        const string Reason = "a channel name must not contain white space or control characters";
        Assert.Equal(Reason, page.GetProperty("result").GetString());
        Assert.Equal("To nobody", page.GetProperty("message").GetString());
        Assert.Contains(Reason, page.GetProperty("ws").GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(Reason, page.GetProperty("sse").GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherChannelStartsAfresh()
    {
        await using var host = await Histories.StartAsync(entries: 300);
        var page = await ShowAsync(host, "otherChannel");
        Assert.Equal("On the second", Assert.Single(RowsOf(page, "ws")).GetProperty("data").GetString());
        Assert.Equal("On the second", Assert.Single(RowsOf(page, "sse")).GetProperty("data").GetString());
        Assert.Equal("On the second", Assert.Single(RowsOf(page, "poll")).GetProperty("data").GetString());
        await host.Metrics.WaitForEndedAsync("ClientClosed", 2);
        AssertNoProblems(page);
    }

    [Fact]
    public async Task EachMessageShowsItsChannel_WhenThePageFollowsSeveral()
    {
        await using var host = await Histories.StartAsync(entries: 300);
        await using var script = NodeScript.StartBrowser("live-page.mjs", "severalChannels", host.Internal.AbsoluteUri);
        await script.ReadAsync("open");
        string[] channels = ["a", "error", "message"];
        foreach (string channel in channels)
        {
            await host.PublishAsync(channel, $"to {channel}");
        }

        var page = await script.ReadAsync("shown");
        foreach (string column in (string[])["ws", "sse", "poll"])
        {
            Assert.Equal(channels.Reverse(), RowsOf(page, column).Select(row => row.GetProperty("channel").GetString()));
            Assert.Equal("to message", RowsOf(page, column)[0].GetProperty("data").GetString());
        }

        AssertNoProblems(page);
    }

    [Fact]
    public async Task AllMessagesAreCountedAndTheNewest200AreKept()
    {
        await using var host = await Histories.StartAsync(entries: 300);
        await using var script = NodeScript.StartBrowser("live-page.mjs", "burst", host.Internal.AbsoluteUri);
        await script.ReadAsync("open");
        for (int number = 1; number <= 250; number++)
        {
            await host.PublishAsync("news", $"number {number}");
        }

        var page = await script.ReadAsync("shown");
        var newest = Enumerable.Range(51, 200).Reverse().Select(number => $"number {number}").ToArray();
        Assert.Equal(newest, RowsOf(page, "ws").Select(row => row.GetProperty("data").GetString()));
        Assert.Equal(newest, RowsOf(page, "sse").Select(row => row.GetProperty("data").GetString()));
        Assert.Equal(newest, RowsOf(page, "poll").Select(row => row.GetProperty("data").GetString()));
        AssertNoProblems(page);
    }

    [Fact]
    public async Task AllColumnsComeBack_WhenTheServerRestarts()
    {
        await using var host = await Histories.StartAsync(entries: 300);
        await using var script = NodeScript.StartBrowser("live-page.mjs", "restart", host.Internal.AbsoluteUri);
        await script.ReadAsync("open");
        await host.StopAsync();
        Assert.Equal("1001", (await script.ReadAsync("lost")).GetProperty("closeCode").GetString());

        await using var successor = await host.StartSuccessorAsync();
        var page = await script.ReadAsync("shown");
        Assert.Equal("After the restart", Assert.Single(RowsOf(page, "ws")).GetProperty("data").GetString());
        Assert.Equal("After the restart", Assert.Single(RowsOf(page, "sse")).GetProperty("data").GetString());
        Assert.Equal("After the restart", Assert.Single(RowsOf(page, "poll")).GetProperty("data").GetString());
    }

    [Fact]
    public async Task TheBrowsersOwnClientsGetTextAndBytes()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Routes = app => app.MapGet("/empty", () => Results.Content(EmptyPage, "text/html")));
        await using var script = NodeScript.StartBrowser("bare-page.mjs", new Uri(host.Public, "/empty").AbsoluteUri);
        await script.ReadAsync("open");
        var text = await host.Publisher.PublishAsync("bare", "grüße\n世界", Patience.Token);
        var channel = ChannelName.Parse("bare");
        await host.Publisher.PublishAsync(channel, new PushMessage(MessageKind.Binary, new byte[] { 0, 128, 255 }), Patience.Token);
        await host.PublishAsync("bare", string.Empty);

        var received = await script.ReadAsync("received");
        var webSocket = received.GetProperty("webSocket").EnumerateArray().ToArray();
        Assert.Equal("grüße\n世界", webSocket[0].GetProperty("text").GetString());
        Assert.Equal([0, 128, 255], webSocket[1].GetProperty("bytes").EnumerateArray().Select(value => value.GetInt32()));
        Assert.Equal(string.Empty, webSocket[2].GetProperty("text").GetString());
        var events = received.GetProperty("eventSource").EnumerateArray().ToArray();
        Assert.Equal(text.Id.ToString(), events[0].GetProperty("id").GetString());
        Assert.Equal("grüße\n世界", events[0].GetProperty("text").GetString());
        Assert.Equal([0, 128, 255], events[1].GetProperty("text").GetBytesFromBase64());
        Assert.Equal(string.Empty, events[2].GetProperty("text").GetString());
        AssertNoProblems(received);
        await script.EndAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task TheBrowsersOwnEventSourceLosesNothing_WhenItIsCut(int before)
    {
        // Also before the first message: the position that the stream began with is enough.
        await using var host = await StartWithEmptyPageAsync();
        await using var script = NodeScript.StartBrowser("cut-page.mjs", new Uri(host.Public, "/empty").AbsoluteUri, $"{before + 5}");
        await script.ReadAsync("open");
        await host.SettleAsync();
        await host.PublishManyAsync("cut", before);
        await host.CutAsync();
        for (int i = before; i < before + 5; i++)
        {
            await host.PublishAsync("cut", $"{i}");
        }

        var received = await script.ReadAsync("received");
        Assert.Equal(Enumerable.Range(0, before + 5).Select(i => $"{i}"), received.GetProperty("messages").EnumerateArray().Select(message => message.GetString()));
        Assert.Equal(2, received.GetProperty("opened").GetInt32());
        await script.EndAsync();
    }

    [Fact]
    public async Task TheBrowsersOwnClientsAreToldOfTheGap_WhenTheServerRestarts()
    {
        await using var host = await StartWithEmptyPageAsync();
        await using var script = StartOwnPage(host, "restart");
        await script.ReadAsync("open");
        string id = (await host.PublishAsync("again", "before")).Id.ToString();
        var before = await script.ReadAsync("before");
        Assert.Equal(id, Assert.Single(before.GetProperty("webSocket").EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal(id, Assert.Single(before.GetProperty("eventSource").EnumerateArray()).GetProperty("id").GetString());

        await using var successor = await host.RestartAsync();
        await successor.Metrics.WaitForActiveAsync(2);
        string next = (await successor.PublishAsync("again", "after")).Id.ToString();
        var after = await script.ReadAsync("after");
        Assert.Equal([null, id], after.GetProperty("lastEventIds").EnumerateArray().Select(value => value.GetString()));
        var events = after.GetProperty("eventSource").EnumerateArray().ToArray();
        Assert.Equal("rawpush.gap", events[1].GetProperty("type").GetString());
        AssertGap(id, JsonElement.Parse(events[1].GetProperty("data").GetString()!));
        Assert.Equal((next, "after"), (events[2].GetProperty("id").GetString(), events[2].GetProperty("data").GetString()));
        var messages = after.GetProperty("webSocket").EnumerateArray().ToArray();
        AssertGap(id, messages[1].GetProperty("gap"));
        Assert.Equal((next, "after"), (messages[2].GetProperty("id").GetString(), messages[2].GetProperty("data").GetString()));
    }

    [Fact]
    public async Task TheBrowsersOwnWebSocketSendsAndGetsBytesUpToTheLimit_UncompressedThoughItOffers()
    {
        await using var host = await StartWithEmptyPageAsync();
        await using var script = StartOwnPage(host, "echo", $"{PushHost.EchoBytesMax}");
        var echoed = await script.ReadAsync("echoed");
        Assert.Equal("permessage-deflate; client_max_window_bits", Assert.Single(echoed.GetProperty("offers").EnumerateArray()).GetString());
        Assert.Equal(string.Empty, echoed.GetProperty("extensions").GetString());
        Assert.Equal(Enumerable.Repeat(true, 7), echoed.GetProperty("equal").EnumerateArray().Select(value => value.GetBoolean()));
        Assert.Equal(1009, echoed.GetProperty("closeCode").GetInt32());
        await host.Metrics.WaitForEndedAsync("MessageTooBig");
        AssertNoProblems(await script.ReadAsync("done"));
    }

    [Fact]
    public async Task TheBrowsersOwnClientsGetLongMessagesAndManyInOrder()
    {
        const int Count = 2000;
        await using var host = await StartWithEmptyPageAsync(Count + 2);
        await using var script = StartOwnPage(host, "flood", $"{Count + 2}");
        await script.ReadAsync("open");
        string text = string.Create(1024 * 1024, 0, (characters, _) => new Random(1).GetItems("abc de\n", characters));
        byte[] bytes = new byte[1024 * 1024];
        new Random(2).NextBytes(bytes);
        await host.PublishAsync("flood", text);
        await host.Publisher.PublishAsync(ChannelName.Parse("flood"), new PushMessage(MessageKind.Binary, bytes), Patience.Token);
        await host.PublishManyAsync("flood", Count);

        var received = await script.ReadAsync("received");
        var numbers = Enumerable.Range(0, Count).Select(number => $"{number}").ToArray();
        string digest = DigestOf(Encoding.UTF8.GetBytes(text));
        Assert.Equal([digest, DigestOf(bytes), .. numbers], received.GetProperty("webSocket").EnumerateArray().Select(message => message.GetString()));
        string[] events = [digest, DigestOf(Encoding.UTF8.GetBytes(Convert.ToBase64String(bytes))), .. numbers];
        Assert.Equal(events, received.GetProperty("eventSource").EnumerateArray().Select(message => message.GetString()));
        AssertNoProblems(await script.ReadAsync("done"));
    }

    private static Task<PushHost> StartWithEmptyPageAsync(int entries = 100) =>
        Histories.StartAsync(entries, setup => setup.Routes = app => app.MapGet("/empty", () => Results.Content(EmptyPage, "text/html")));

    private static ClientScript StartOwnPage(PushHost host, string name, params string[] arguments) =>
        NodeScript.StartBrowser("own-page.mjs", [name, new Uri(host.Public, "/empty").AbsoluteUri, .. arguments]);

    private static void AssertGap(string from, JsonElement gap) =>
        Assert.Equal(("again", from, "epoch"), (gap.GetProperty("channel").GetString(), gap.GetProperty("from").GetString(), gap.GetProperty("reason").GetString()));

    private static string DigestOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Runs a case of <c>live-page.mjs</c> that needs nothing but the page, and takes what the page shows at its end.</summary>
    private static async Task<JsonElement> ShowAsync(PushHost host, string name)
    {
        await using var script = NodeScript.StartBrowser("live-page.mjs", name, host.Internal.AbsoluteUri);
        var page = await script.ReadAsync("shown");
        await script.EndAsync();
        return page;
    }

    private static JsonElement[] RowsOf(JsonElement page, string column) => [.. page.GetProperty(column).GetProperty("rows").EnumerateArray()];

    private static void AssertNoProblems(JsonElement page) => Assert.Empty(page.GetProperty("problems").EnumerateArray());
}
