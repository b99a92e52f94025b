using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Publishing;

/// <summary>What a message may have beyond its payload.</summary>
public sealed class TraitTests
{
    [Fact]
    public async Task AnEventsNameIsTheOneThatThePublisherGave()
    {
        await using var host = await PushHost.StartAsync();
        await using var one = await host.OpenEventsAsync("/channels/a");
        await using var several = await host.OpenEventsAsync("/channels/a,b");
        await using var json = await host.UpgradeAsync("/channels/a?format=json");
        string id = await PublishAsync(host, "/channels/a", ("RawPush-Event", "said"));
        Assert.Equal($"id: {id}\nevent: said\ndata: x\n\n", await one.ReadUntilAsync("\n\n"));
        Assert.Equal($"id: {id}\nevent: said\ndata: x\n\n", await several.ReadUntilAsync("\n\n"));
        Assert.Equal($"{{\"channel\":\"a\",\"id\":\"{id}\",\"event\":\"said\",\"data\":\"x\"}}", (await json.ReadFrameAsync()).Text);
    }

    [Theory]
    [InlineData("/channels/a?key=k%201", null)]
    [InlineData("/channels/a", "k 1")]
    [InlineData("/channels/a?key=k%201", "another")]
    public async Task TheKeyIsInTheEnvelope(string target, string? field)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a?format=json");
        await PublishAsync(host, target, field is null ? [] : [("RawPush-Key", field)]);
        Assert.Equal("k 1", JsonDocument.Parse((await client.ReadFrameAsync()).Text).RootElement.GetProperty("key").GetString());
    }

    [Theory]
    [InlineData("/channels/a?expires=10", null)]
    [InlineData("/channels/a", "10")]
    public async Task WhatHasExpiredIsSentToNobodyAndNobodyIsTold(string target, string? field)
    {
        await using var host = await Histories.StartAsync(configure: setup => setup.Time = new FakeTimeProvider());
        string seen = (await host.PublishAsync("a", "stays")).Id.ToString();
        await PublishAsync(host, target, field is null ? [] : [("RawPush-Expires", field)]);
        await using (var early = await Feed.OpenAsync(host, FeedKind.Lines, "a", "after=earliest"))
        {
            Assert.Equal(["stays", "x"], await early.NextAsync(2));
        }

        await host.AdvanceAsync(TimeSpan.FromSeconds(11));
        await host.PublishAsync("a", "new");
        foreach (var kind in Enum.GetValues<FeedKind>())
        {
            await using var late = await Feed.OpenAsync(host, kind, "a", $"after={seen}");
            Assert.Equal(["new"], await late.NextAsync(1));
        }
    }

    [Theory]
    [InlineData("?expires=0")]
    [InlineData("?expires=-1")]
    [InlineData("?expires=x")]
    [InlineData("?expires=")]
    [InlineData("?expires=1.5")]
    [InlineData("?expires=31536001")]
    [InlineData("?expires=99999999999")]
    [InlineData("?key=")]
    [InlineData("?key=%00")]
    [InlineData("?key=a%0Ab")]
    [InlineData("", "RawPush-Event", "rawpush.gap")]
    [InlineData("", "RawPush-Event", "")]
    [InlineData("", "RawPush-Event", "a\tb")]
    [InlineData("", "RawPush-Expires", "soon")]
    [InlineData("", "Idempotency-Key", "")]
    public async Task ABadOneIsRefusedAndNothingIsPublished(string query, string? name = null, string? value = null)
    {
        await using var host = await Histories.StartAsync();
        await using var publisher = await host.ConnectAsync(host.Internal);
        string field = name is null ? string.Empty : $"{name}: {value}\r\n";
        await publisher.SendAsync($"POST /channels/a{query} HTTP/1.1\r\nHost: h\r\n{field}Content-Length: 1\r\n\r\nx");
        var (head, body) = await publisher.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 400 ", head, StringComparison.Ordinal);
        Assert.EndsWith("\n", body, StringComparison.Ordinal);
        Assert.Equal(1, (await host.PublishAsync("a", "x")).Id.Sequence);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Theory]
    [InlineData(255, 200)]
    [InlineData(256, 400)]
    public async Task NamesAndKeysHaveALimit(int length, int expected)
    {
        await using var host = await Histories.StartAsync();
        foreach (string name in (string[])["RawPush-Event", "RawPush-Key", "Idempotency-Key"])
        {
            using var response = await PostAsync(host, "/channels/a", (name, new string('x', length)));
            Assert.Equal(expected, (int)response.StatusCode);
        }
    }

    [Fact]
    public async Task TheSameAgainIsPublishedOnceWhileItIsKept()
    {
        await using var host = await Histories.StartAsync(entries: 3);
        await using var client = await host.UpgradeAsync("/channels/a");
        string first = await PublishAsync(host, "/channels/a", ("Idempotency-Key", "k"));
        using (var response = await PostAsync(host, "/channels/a", ("Idempotency-Key", "k")))
        {
            Assert.Equal($"{{\"id\":\"{first}\",\"subscribers\":0,\"duplicate\":true}}", await response.Content.ReadAsStringAsync(Patience.Token));
        }

        Assert.NotEqual(first, await PublishAsync(host, "/channels/b", ("Idempotency-Key", "k")));
        await host.PublishManyAsync("a", 3);

        // The log keeps the first one until the shard has offered it to the client.
        await host.SettleAsync();
        Assert.NotEqual(first, await PublishAsync(host, "/channels/a", ("Idempotency-Key", "k")));
        foreach (string expected in (string[])["x", "0", "1", "2", "x"])
        {
            Assert.Equal(expected, (await client.ReadFrameAsync()).Text);
        }
    }

    [Fact]
    public async Task WithoutHistoryThereIsNothingToCompareWith()
    {
        await using var host = await PushHost.StartAsync();
        using var response = await PostAsync(host, "/channels/a", ("Idempotency-Key", "k"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("needs a channel with history", await response.Content.ReadAsStringAsync(Patience.Token), StringComparison.Ordinal);
    }

    private static async Task<string> PublishAsync(PushHost host, string target, params (string Name, string Value)[] fields)
    {
        using var response = await PostAsync(host, target, fields);
        string json = await response.Content.ReadAsStringAsync(Patience.Token);
        Assert.True(response.IsSuccessStatusCode, json);
        return JsonDocument.Parse(json).RootElement.GetProperty("id").GetString()!;
    }

    private static async Task<HttpResponseMessage> PostAsync(PushHost host, string target, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new StringContent("x") };
        foreach (var (name, value) in fields)
        {
            request.Headers.Add(name, value);
        }

        return await host.Http.SendAsync(request, Patience.Token);
    }
}
