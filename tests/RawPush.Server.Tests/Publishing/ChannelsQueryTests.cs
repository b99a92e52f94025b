using System.Net;
using System.Text.Json;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Publishing;

/// <summary>Looking at the channels, on the internal listener.</summary>
public sealed class ChannelsQueryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(1000)]
    public async Task AllAreListedByNamePageByPage(int limit)
    {
        await using var host = await Histories.StartAsync();
        string[] names = [.. Enumerable.Range(0, 30).Select(i => $"c{i}").Append("ü").Append("C").Order(StringComparer.Ordinal)];
        foreach (string name in names)
        {
            await host.PublishAsync(name, "x");
        }

        var listed = new List<string>();
        string? next = string.Empty;
        while (next is not null)
        {
            var page = await GetAsync(host, $"?limit={limit}&after={Uri.EscapeDataString(next)}");
            Assert.Equal(32, page.GetProperty("count").GetInt32());
            var channels = page.GetProperty("channels").EnumerateArray().Select(NameOf).ToArray();
            Assert.InRange(channels.Length, 0, limit);
            listed.AddRange(channels);
            next = page.TryGetProperty("next", out var name) ? name.GetString() : null;
        }

        Assert.Equal(names, listed);
    }

    [Theory]
    [InlineData("a.*", "a.*,a.b,a.c")]
    [InlineData("*.b", "a.b,c.b")]
    [InlineData(">", "a,a.*,a.b,a.c,a.c.d,c.b")]
    [InlineData("a", "a")]
    [InlineData("x", "")]
    public async Task OnlyThoseThatMatchAreListed(string match, string expected)
    {
        await using var host = await Histories.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a.*");
        foreach (string name in (string[])["a", "a.b", "a.c", "a.c.d", "c.b"])
        {
            await host.PublishAsync(name, "x");
        }

        var page = await GetAsync(host, $"?match={Uri.EscapeDataString(match)}");
        Assert.Equal(expected, string.Join(',', page.GetProperty("channels").EnumerateArray().Select(NameOf)));
        Assert.Equal((5, 1), (page.GetProperty("count").GetInt32(), page.GetProperty("patterns").GetInt32()));
    }

    [Fact]
    public async Task OneIsDescribed()
    {
        await using var host = await Histories.StartAsync(entries: 3);
        await using var first = await host.UpgradeAsync("/channels/a");
        await using var second = await host.OpenEventsAsync("/channels/a,b");
        string[] ids = await host.PublishManyAsync("a", 5);
        await first.ReadFrameAsync();
        await host.SettleAsync();
        var report = await GetAsync(host, "?name=a");
        Assert.Equal(("a", 2, 0), (NameOf(report), report.GetProperty("subscribers").GetInt32(), report.GetProperty("slow").GetInt32()));
        Assert.Equal((ids[4], ids[2], ids[1]), (report.GetProperty("newest").GetString(), report.GetProperty("oldest").GetString(), report.GetProperty("droppedThrough").GetString()));
        Assert.Equal(3, report.GetProperty("entries").GetInt32());
        Assert.InRange(report.GetProperty("bytes").GetInt32(), 3, 100);
        var settings = report.GetProperty("namespace");
        Assert.Equal((">", 3, "Disconnect"), (settings.GetProperty("pattern").GetString(), settings.GetProperty("historyEntries").GetInt32(), settings.GetProperty("lagPolicy").GetString()));
        Assert.Equal("""{"subscribers":2,"nodes":{"known":1,"answered":1,"connected":true}}""", report.GetProperty("cluster").GetRawText());
        Assert.Equal(ids[4], (await GetAsync(host, string.Empty)).GetProperty("newest").GetString());
    }

    [Theory]
    [InlineData("?name=unknown", HttpStatusCode.NotFound)]
    [InlineData("?name=a%20b", HttpStatusCode.BadRequest)]
    [InlineData("?name=a.*", HttpStatusCode.BadRequest)]
    [InlineData("?limit=0", HttpStatusCode.BadRequest)]
    [InlineData("?limit=1001", HttpStatusCode.BadRequest)]
    [InlineData("?limit=x", HttpStatusCode.BadRequest)]
    [InlineData("?match=a**", HttpStatusCode.BadRequest)]
    [InlineData("?match=", HttpStatusCode.BadRequest)]
    public async Task AWrongQuestionIsRefused(string query, HttpStatusCode expected)
    {
        await using var host = await PushHost.StartAsync();
        using var response = await host.Http.GetAsync($"/channels{query}", Patience.Token);
        Assert.Equal(expected, response.StatusCode);
        Assert.EndsWith("\n", await response.Content.ReadAsStringAsync(Patience.Token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/channels")]
    [InlineData("/channels?name=a")]
    public async Task ThePublicListenerSaysNothing(string target)
    {
        await using var host = await Histories.StartAsync();
        await host.PublishAsync("a", "x");
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Get(target));
        Assert.StartsWith("HTTP/1.1 404 ", (await client.ReadResponseAsync()).Head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatNobodyUsesIsNotThere()
    {
        await using var host = await PushHost.StartAsync();
        await host.PublishAsync("a", "x");
        var page = await GetAsync(host, string.Empty);
        Assert.Equal((0, 0), (page.GetProperty("count").GetInt32(), page.GetProperty("channels").GetArrayLength()));
        Assert.False(page.TryGetProperty("next", out _));
    }

    private static string NameOf(JsonElement channel) => channel.GetProperty("name").GetString()!;

    private static async Task<JsonElement> GetAsync(PushHost host, string query)
    {
        using var response = await host.Http.GetAsync($"/channels{query}", Patience.Token);
        response.EnsureSuccessStatusCode();
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(Patience.Token)).RootElement;
    }
}
