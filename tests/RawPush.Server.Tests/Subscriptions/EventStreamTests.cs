using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Protocol;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Subscriptions;

public sealed class EventStreamTests
{
    [Theory]
    [InlineData("hello", "hello")]
    [InlineData("", "")]
    [InlineData("two\nlines", "two\nlines")]
    [InlineData("three\r\nlines\rof text", "three\nlines\nof text")]
    [InlineData("\n", "\n")]
    [InlineData(" leading space: and colon", " leading space: and colon")]
    [InlineData("grüße 🎉", "grüße 🎉")]
    public async Task AnEventCarriesTheTextAndTheIdOfTheReceipt(string published, string expected)
    {
        await using var host = await PushHost.StartAsync();
        await using var events = await EventsOf(host, "/channels/news");
        var receipt = await host.PublishAsync("news", published);
        var item = await events.NextAsync();
        Assert.Equal(expected, item.Data);
        Assert.Equal("message", item.EventType);
        Assert.Equal(receipt.Id.ToString(), item.EventId);
        Assert.Equal(1, receipt.Subscribers);
    }

    [Fact]
    public async Task ABinaryMessageComesAsBase64()
    {
        await using var host = await PushHost.StartAsync();
        await using var events = await EventsOf(host, "/channels/news");
        byte[] payload = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        await host.Publisher.PublishAsync(ChannelName.Parse("news"), new PushMessage(MessageKind.Binary, payload), Patience.Token);
        Assert.Equal(payload, Convert.FromBase64String((await events.NextAsync()).Data));
    }

    [Fact]
    public async Task EventsOfSeveralChannelsSayWhichOneAndComeInTheOrderOfTheStream()
    {
        await using var host = await PushHost.StartAsync();
        await using var events = await EventsOf(host, "/channels/a,b.c,%C3%BC,a");
        string[] channels = ["ü", "a", "b.c", "b.c", "a", "ü", "other", "a"];
        for (int i = 0; i < channels.Length; i++)
        {
            await host.PublishAsync(channels[i], $"{i}");
        }

        foreach (int i in (int[])[0, 1, 2, 3, 4, 5, 7])
        {
            var item = await events.NextAsync();
            Assert.Equal((channels[i], $"{i}"), (item.EventType, item.Data));
        }
    }

    [Fact]
    public async Task WhatAReaderSendsIsDropped()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.OpenEventsAsync("/channels/a");
        await client.SendAsync(new string('x', 300_000));
        await host.PublishAsync("a", "still here");
        Assert.Contains("data: still here\n", await client.ReadUntilAsync("\n\n"), StringComparison.Ordinal);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AReaderThatLeavesIsCountedAsClosedAndUnsubscribed()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.OpenEventsAsync("/channels/a");
        client.EndSending();
        await host.Metrics.WaitForEndedAsync("ClientClosed");
        var receipt = await host.PublishAsync("a", "x");
        Assert.Equal(0, receipt.Subscribers);
        Assert.Empty(await client.ReadToEndAsync());
    }

    private static async Task<EventReader> EventsOf(PushHost host, string target)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Public, target));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        var response = await host.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience.Token);
        response.EnsureSuccessStatusCode();
        return new EventReader(response, await response.Content.ReadAsStreamAsync(Patience.Token));
    }

    /// <summary>Reads with .NET's own parser.</summary>
    private sealed class EventReader(HttpResponseMessage response, Stream stream) : IAsyncDisposable
    {
        private readonly IAsyncEnumerator<SseItem<string>> _items =
            SseParser.Create(stream, static (_, data) => Encoding.UTF8.GetString(data)).EnumerateAsync(Patience.Token).GetAsyncEnumerator(Patience.Token);

        public async Task<SseItem<string>> NextAsync()
        {
            Assert.True(await _items.MoveNextAsync(), "The stream has ended.");
            return _items.Current;
        }

        public async ValueTask DisposeAsync()
        {
            await _items.DisposeAsync();
            response.Dispose();
        }
    }
}
