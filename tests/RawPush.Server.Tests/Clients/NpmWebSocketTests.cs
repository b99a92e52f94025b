using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Protocol;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Clients;

/// <summary>npm's <c>ws</c>, which most WebSocket clients outside of browsers are made of.</summary>
public sealed class NpmWebSocketTests
{
    [Fact]
    public async Task TextAndBinaryArriveAsTheyWerePublished()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a");
        await host.PublishAsync("a", "grüße, 世界 🎈");
        byte[] bytes = [0x00, 0xFF, 0x80, 0x0A];
        await PublishAsync(host, "a", MessageKind.Binary, bytes);

        var text = await client.ReadAsync("message");
        Assert.False(text.GetProperty("isBinary").GetBoolean());
        Assert.Equal("grüße, 世界 🎈", text.GetProperty("data").GetString());
        var binary = await client.ReadAsync("message");
        Assert.True(binary.GetProperty("isBinary").GetBoolean());
        AssertSame(bytes, binary);
    }

    [Fact]
    public async Task AMessageOfOneMebibyteArrivesWhole()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a");
        byte[] bytes = new byte[1024 * 1024];
        new Random(1).NextBytes(bytes);
        await PublishAsync(host, "a", MessageKind.Binary, bytes);
        AssertSame(bytes, await client.ReadAsync("message"));
        byte[] text = Encoding.ASCII.GetBytes(Convert.ToHexString(bytes.AsSpan(0, bytes.Length / 2)));
        await PublishAsync(host, "a", MessageKind.Text, text);
        AssertSame(text, await client.ReadAsync("message"));
    }

    [Fact]
    public async Task EachMessageNamesItsChannelAndId_WhenTheClientFollowsSeveral()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a,b.c");
        var text = await PublishAsync(host, "b.c", MessageKind.Text, "say \"hi\"\n"u8.ToArray());
        var binary = await PublishAsync(host, "a", MessageKind.Binary, new byte[] { 1, 2, 3 });

        var envelope = await ReadEnvelopeAsync(client);
        Assert.Equal("b.c", envelope.GetProperty("channel").GetString());
        Assert.Equal(text.Id.ToString(), envelope.GetProperty("id").GetString());
        Assert.Equal("say \"hi\"\n", envelope.GetProperty("data").GetString());
        envelope = await ReadEnvelopeAsync(client);
        Assert.Equal("a", envelope.GetProperty("channel").GetString());
        Assert.Equal(binary.Id.ToString(), envelope.GetProperty("id").GetString());
        Assert.Equal("base64", envelope.GetProperty("encoding").GetString());
        Assert.Equal([1, 2, 3], envelope.GetProperty("data").GetBytesFromBase64());
    }

    [Fact]
    public async Task CompressionIsOfferedAndNotNegotiated()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = NodeScript.Start("ws.mjs", host.WebSocketUri("/channels/a").ToString());
        var open = await client.ReadAsync("open");
        Assert.StartsWith("permessage-deflate", open.GetProperty("offered").GetString(), StringComparison.Ordinal);
        Assert.Equal(string.Empty, open.GetProperty("extensions").GetString());
    }

    [Fact]
    public async Task APingIsAnswered()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a");
        await client.SayAsync("ping are you there");
        Assert.Equal("are you there", (await client.ReadAsync("pong")).GetProperty("data").GetString());
    }

    [Fact]
    public async Task WhatTheClientSendsIsUnmaskedForItsHandler()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/echo");
        await client.SayAsync("send grüße");
        Assert.Equal("grüße", (await client.ReadAsync("message")).GetProperty("data").GetString());
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(3000)]
    [InlineData(4999)]
    public async Task TheClientsCloseCodeComesBack(int code)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a");
        await client.SayAsync($"close {code}");
        Assert.Equal(code, (await client.ReadAsync("close")).GetProperty("code").GetInt32());
        await client.EndAsync();
    }

    [Fact]
    public async Task TheClientIsClosedWith1001_WhenTheServerStops()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a");
        await host.StopAsync();
        var close = await client.ReadAsync("close");
        Assert.Equal(1001, close.GetProperty("code").GetInt32());
        Assert.Equal("the server is going away", close.GetProperty("reason").GetString());
        await client.EndAsync();
    }

    private static async Task<NodeScript> OpenAsync(PushHost host, string target)
    {
        var client = NodeScript.Start("ws.mjs", host.WebSocketUri(target).ToString());
        await client.ReadAsync("open");
        return client;
    }

    private static Task<PublishReceipt> PublishAsync(PushHost host, string channel, MessageKind kind, byte[] payload) =>
        host.Publisher.PublishAsync(ChannelName.Parse(channel), new PushMessage(kind, payload), Patience.Token).AsTask();

    private static async Task<JsonElement> ReadEnvelopeAsync(NodeScript client)
    {
        var message = await client.ReadAsync("message");
        Assert.False(message.GetProperty("isBinary").GetBoolean());
        return JsonElement.Parse(message.GetProperty("data").GetString()!);
    }

    private static void AssertSame(byte[] expected, JsonElement message)
    {
        Assert.Equal(expected.Length, message.GetProperty("length").GetInt32());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(expected)), message.GetProperty("sha256").GetString());
    }
}
