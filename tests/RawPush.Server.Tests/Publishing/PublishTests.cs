using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Publishing;

public sealed class PublishTests
{
    private const int BytesMax = 1000;

    [Fact]
    public async Task TheReceiptSaysIdAndSubscribers()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a?format=json");
        using var response = await PostAsync(host, "/channels/a", "hello"u8.ToArray(), "text/plain");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        var receipt = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Patience.Token)).RootElement;
        Assert.Equal(1, receipt.GetProperty("subscribers").GetInt32());
        var envelope = JsonDocument.Parse((await client.ReadFrameAsync()).Text).RootElement;
        Assert.Equal(envelope.GetProperty("id").GetString(), receipt.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("text/plain", Opcode.Text)]
    [InlineData("application/json", Opcode.Text)]
    [InlineData(null, Opcode.Text)]
    [InlineData("application/octet-stream", Opcode.Binary)]
    [InlineData("APPLICATION/Octet-Stream", Opcode.Binary)]
    [InlineData("application/octet-stream; name=x", Opcode.Binary)]
    [InlineData("application/octet-stream-not", Opcode.Text)]
    public async Task TheContentTypeDecidesBetweenTextAndBinary(string? contentType, Opcode expected)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        using var response = await PostAsync(host, "/channels/a", "x"u8.ToArray(), contentType);
        response.EnsureSuccessStatusCode();
        Assert.Equal(expected, (await client.ReadFrameAsync()).Opcode);
    }

    [Fact]
    public async Task AnEmptyBodyIsAnEmptyMessage()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        await SequenceOf(await PostAsync(host, "/channels/a", []));
        await using var publisher = await host.ConnectAsync(host.Internal);
        await publisher.SendAsync("POST /channels/a HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", (await publisher.ReadResponseAsync()).Head, StringComparison.Ordinal);
        for (int i = 0; i < 2; i++)
        {
            var frame = await client.ReadFrameAsync();
            Assert.Equal((Opcode.Text, 0), (frame.Opcode, frame.Payload.Length));
        }
    }

    [Theory]
    [InlineData(BytesMax - 1, HttpStatusCode.OK)]
    [InlineData(BytesMax, HttpStatusCode.OK)]
    [InlineData(BytesMax + 1, HttpStatusCode.RequestEntityTooLarge)]
    public async Task AMessageMayBeAsLongAsTheLimitWhetherItsLengthIsSaidOrNot(int length, HttpStatusCode expected)
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.MessageBytesMax = BytesMax);
        await using var client = await host.UpgradeAsync("/channels/a");
        foreach (bool isChunked in (bool[])[false, true])
        {
            using var response = await PostAsync(host, "/channels/a", new byte[length], "application/octet-stream", isChunked);
            Assert.Equal(expected, response.StatusCode);
            if (expected == HttpStatusCode.OK)
            {
                Assert.Equal(length, (await client.ReadFrameAsync()).Payload.Length);
            }
            else
            {
                Assert.Equal($"a message is at most {BytesMax} bytes long\n", await response.Content.ReadAsStringAsync(Patience.Token));
            }
        }

        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task TheLimitMayBeAboveKestrels()
    {
        const int Length = 40 * 1024 * 1024;
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.MessageBytesMax = Length);
        using var response = await PostAsync(host, "/channels/a", new byte[Length], isChunked: true);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task ChunksOfAnySizeMakeOneMessage()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        await using var publisher = await host.ConnectAsync(host.Internal);
        await publisher.SendAsync("POST /channels/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        foreach (string chunk in (string[])["1\r\na\r\n", "3;x=y\r\nb\r\n\r\n", "0\r\n\r\n"])
        {
            await publisher.SendAsync(chunk);
        }

        Assert.StartsWith("HTTP/1.1 200 ", (await publisher.ReadResponseAsync()).Head, StringComparison.Ordinal);
        Assert.Equal("ab\r\n", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task TextThatIsNotUtf8IsRefusedAndNothingIsDelivered()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        long before = await SequenceOf(await PostAsync(host, "/channels/other", "x"u8.ToArray()));
        using var response = await PostAsync(host, "/channels/a", [0xC3, 0x28]);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.EndsWith("\n", await response.Content.ReadAsStringAsync(Patience.Token), StringComparison.Ordinal);
        Assert.Equal(before + 1, await SequenceOf(await PostAsync(host, "/channels/a", "good"u8.ToArray())));
        Assert.Equal("good", (await client.ReadFrameAsync()).Text);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Theory]
    [InlineData("/channels/")]
    [InlineData("/channels/a,b")]
    [InlineData("/channels/a*")]
    [InlineData("/channels/a%2Cb")]
    [InlineData("/channels/a/b")]
    [InlineData("/channels/a%zz")]
    [InlineData("/channels/.a")]
    [InlineData("/channels/rawpush.gap")]
    [InlineData("/channels/%FF")]
    public async Task WhatIsNotTheNameOfOneChannelIsRefusedAndNothingIsStored(string target)
    {
        await using var host = await PushHost.StartAsync();
        long before = await SequenceOf(await PostAsync(host, "/channels/a", "x"u8.ToArray()));
        await using var publisher = await host.ConnectAsync(host.Internal);
        await publisher.SendAsync($"POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
        var (head, body) = await publisher.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 400 ", head, StringComparison.Ordinal);
        Assert.EndsWith("\n", body, StringComparison.Ordinal);
        Assert.Equal(before + 1, await SequenceOf(await PostAsync(host, "/channels/a", "x"u8.ToArray())));
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task ThePublicListenerTakesNoPublishes()
    {
        await using var host = await PushHost.StartAsync();
        await using var reader = await host.UpgradeAsync("/channels/a");
        await using var publisher = await host.ConnectAsync();
        await publisher.SendAsync("POST /channels/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
        var (head, body) = await publisher.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 405 ", head, StringComparison.Ordinal);
        Assert.Equal("GET, HEAD", RawClient.FieldOf(head, "Allow"));
        Assert.Equal("publishing is not allowed on this listener\n", body);
        await host.PublishAsync("a", "y");
        Assert.Equal("y", (await reader.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task OneConnectionPublishesManyMessagesAlsoPipelined()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/a");
        await using var publisher = await host.ConnectAsync(host.Internal);
        await publisher.SendAsync(string.Concat(Enumerable.Range(0, 50).Select(i => $"POST /channels/a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{i:00}")));
        for (int i = 0; i < 50; i++)
        {
            Assert.StartsWith("HTTP/1.1 200 ", (await publisher.ReadResponseAsync()).Head, StringComparison.Ordinal);
            Assert.Equal($"{i:00}", (await client.ReadFrameAsync()).Text);
        }
    }

    [Fact]
    public async Task AChannelsNameMayBePercentEncoded()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await host.UpgradeAsync("/channels/gr%C3%BC%C3%9Fe");
        using var response = await PostAsync(host, "/channels/gr%c3%bc%c3%9fe", "x"u8.ToArray());
        response.EnsureSuccessStatusCode();
        Assert.Equal("x", (await client.ReadFrameAsync()).Text);
    }

    private static async Task<HttpResponseMessage> PostAsync(PushHost host, string target, byte[] body, string? contentType = "text/plain", bool isChunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        request.Headers.TransferEncodingChunked = isChunked;
        return await host.Http.SendAsync(request, Patience.Token);
    }

    private static async Task<long> SequenceOf(HttpResponseMessage response)
    {
        using (response)
        {
            string json = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(Patience.Token));
            Assert.True(response.IsSuccessStatusCode, json);
            Assert.True(MessageId.TryParse(JsonDocument.Parse(json).RootElement.GetProperty("id").GetString(), out var id));
            return id.Sequence;
        }
    }
}
