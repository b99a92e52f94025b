using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using RawPush.Fanout.Channels;
using RawPush.Protocol;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Clients;

/// <summary>Libraries that WebSocket clients outside of browsers are made of.</summary>
public enum WebSocketLibrary
{
    /// <summary>npm's <c>ws</c>.</summary>
    Npm,

    /// <summary>Python's <c>websockets</c>, of Debian.</summary>
    Python,
}

/// <summary>The libraries, and what they see of the server. By default they offer compression.</summary>
public sealed class WebSocketLibraryTests
{
    public static TheoryData<WebSocketLibrary> Libraries => [.. Enum.GetValues<WebSocketLibrary>()];

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task TextAndBinaryArriveAsTheyWerePublished(WebSocketLibrary library)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(library, host, "/channels/a");
        await host.PublishAsync("a", "grüße, 世界 🎈");
        byte[] bytes = [0x00, 0xFF, 0x80, 0x0A];
        await PublishAsync(host, "a", MessageKind.Binary, bytes);
        await host.PublishAsync("a", string.Empty);

        var text = await client.ReadAsync("message");
        Assert.False(text.GetProperty("isBinary").GetBoolean());
        Assert.Equal("grüße, 世界 🎈", text.GetProperty("data").GetString());
        var binary = await client.ReadAsync("message");
        Assert.True(binary.GetProperty("isBinary").GetBoolean());
        AssertSame(bytes, binary);
        Assert.Equal(string.Empty, (await client.ReadAsync("message")).GetProperty("data").GetString());
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task AMessageOfOneMebibyteArrivesWhole(WebSocketLibrary library)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(library, host, "/channels/a");
        byte[] bytes = new byte[1024 * 1024];
        new Random(1).NextBytes(bytes);
        await PublishAsync(host, "a", MessageKind.Binary, bytes);
        AssertSame(bytes, await client.ReadAsync("message"));
        byte[] text = Encoding.ASCII.GetBytes(Convert.ToHexString(bytes.AsSpan(0, bytes.Length / 2)));
        await PublishAsync(host, "a", MessageKind.Text, text);
        AssertSame(text, await client.ReadAsync("message"));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task ManyMessagesArriveInOrder(WebSocketLibrary library)
    {
        const int Count = 2000;
        await using var host = await Histories.StartAsync(Count);
        await using var client = await OpenAsync(library, host, "/channels/a");
        await host.PublishManyAsync("a", Count);
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal($"{i}", (await client.ReadAsync("message")).GetProperty("data").GetString());
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task EachMessageNamesItsChannelAndId_WhenTheClientFollowsSeveral(WebSocketLibrary library)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(library, host, "/channels/a,b.c");
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

    [Theory]
    [InlineData(WebSocketLibrary.Npm, "true", "permessage-deflate; client_max_window_bits")]
    [InlineData(WebSocketLibrary.Npm, "{\"clientMaxWindowBits\":10,\"serverMaxWindowBits\":9}", "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10")]
    [InlineData(WebSocketLibrary.Npm, "{\"serverNoContextTakeover\":true,\"clientNoContextTakeover\":true}", "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits")]
    [InlineData(WebSocketLibrary.Npm, "false", "")]
    [InlineData(WebSocketLibrary.Python, "true", "permessage-deflate; client_max_window_bits")]
    [InlineData(WebSocketLibrary.Python, "{\"client_max_window_bits\":10,\"server_max_window_bits\":9}", "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10")]
    [InlineData(WebSocketLibrary.Python, "false", "")]
    public async Task CompressionIsOfferedAndDeclined_UnlessTheServerIsToldTo(WebSocketLibrary library, string compression, string offer)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = Start(library, host, "/echo", compression);
        var open = await client.ReadAsync("open");
        Assert.Equal(offer, open.GetProperty("offered").GetString());
        Assert.Equal(string.Empty, open.GetProperty("extensions").GetString());
        string text = string.Concat(Enumerable.Repeat("as it is ", 100));
        await client.SayAsync($"send {text}");
        Assert.Equal(text, (await client.ReadAsync("message")).GetProperty("data").GetString());
    }

    [Theory]
    [InlineData(WebSocketLibrary.Npm, "true")]
    [InlineData(WebSocketLibrary.Npm, "{\"clientMaxWindowBits\":10,\"serverMaxWindowBits\":12}")]
    [InlineData(WebSocketLibrary.Npm, "{\"serverNoContextTakeover\":true,\"clientNoContextTakeover\":true,\"threshold\":0}")]
    [InlineData(WebSocketLibrary.Python, "true")]
    [InlineData(WebSocketLibrary.Python, "{\"client_max_window_bits\":10,\"server_max_window_bits\":12}")]
    [InlineData(WebSocketLibrary.Python, "{\"server_no_context_takeover\":true,\"client_no_context_takeover\":true}")]
    public async Task CompressedMessagesPassBothWays_WhenTheServerIsToldTo(WebSocketLibrary library, string compression)
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options => options.Compression = true);
        await using var client = Start(library, host, "/echo", compression);
        Assert.StartsWith("permessage-deflate", (await client.ReadAsync("open")).GetProperty("extensions").GetString(), StringComparison.Ordinal);
        string text = string.Concat(Enumerable.Repeat("smaller, grüße, ", 100));
        for (int i = 0; i < 3; i++)
        {
            await client.SayAsync($"send {text}{i}");
            var echo = await client.ReadAsync("message");
            AssertSame(Encoding.UTF8.GetBytes($"{text}{i}"), echo);
        }

        await AssertEchoAsync(client, 1024 * 1024);
        await using var subscriber = Start(library, host, "/channels/a", compression);
        await subscriber.ReadAsync("open");
        for (int i = 0; i < 3; i++)
        {
            await host.PublishAsync("a", $"{text}{i}");
            AssertSame(Encoding.UTF8.GetBytes($"{text}{i}"), await subscriber.ReadAsync("message"));
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task APingIsAnswered(WebSocketLibrary library)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(library, host, "/channels/a");
        await client.SayAsync("ping are you there");
        Assert.Equal("are you there", (await client.ReadAsync("pong")).GetProperty("data").GetString());
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task WhatTheClientSendsIsUnmaskedForItsHandler(WebSocketLibrary library)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(library, host, "/echo");
        await client.SayAsync("send grüße");
        Assert.Equal("grüße", (await client.ReadAsync("message")).GetProperty("data").GetString());
        await client.SayAsync("sendParts in fragments, grüße 🎈");
        Assert.Equal("in fragments, grüße 🎈", (await client.ReadAsync("message")).GetProperty("data").GetString());
        foreach (int length in (int[])[0, 1, 125, 126, 65_535, 65_536, 1024 * 1024])
        {
            await AssertEchoAsync(client, length);
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task AMessageOfTheLimitIsTakenAndOneByteMoreIsNot(WebSocketLibrary library)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(library, host, "/echo");
        await AssertEchoAsync(client, PushHost.EchoBytesMax);
        await client.SayAsync($"sendBytes {PushHost.EchoBytesMax + 1}");
        await client.ReadAsync("sent");
        Assert.Equal(1009, (await client.ReadAsync("close")).GetProperty("code").GetInt32());
        await host.Metrics.WaitForEndedAsync("MessageTooBig");
    }

    [Theory]
    [InlineData(WebSocketLibrary.Npm, 1000)]
    [InlineData(WebSocketLibrary.Npm, 3000)]
    [InlineData(WebSocketLibrary.Npm, 4999)]
    [InlineData(WebSocketLibrary.Python, 1000)]
    [InlineData(WebSocketLibrary.Python, 4999)]
    public async Task TheClientsCloseCodeComesBack(WebSocketLibrary library, int code)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(library, host, "/channels/a");
        await client.SayAsync($"close {code}");
        Assert.Equal(code, (await client.ReadAsync("close")).GetProperty("code").GetInt32());
        await client.EndAsync();
        await host.Metrics.WaitForEndedAsync("ClientClosed");
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task TheClientIsClosedWith1001_WhenTheServerStops_AndIsToldOfTheGap_WhenItComesBack(WebSocketLibrary library)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(library, host, "/channels/a?format=json");
        string id = (await host.PublishAsync("a", "before")).Id.ToString();
        Assert.Equal(id, (await ReadEnvelopeAsync(client)).GetProperty("id").GetString());
        await host.StopAsync();
        var close = await client.ReadAsync("close");
        Assert.Equal(1001, close.GetProperty("code").GetInt32());
        Assert.Equal("the server is going away", close.GetProperty("reason").GetString());
        await client.EndAsync();

        await using var successor = await host.StartSuccessorAsync();
        await using var next = await OpenAsync(library, successor, $"/channels/a?format=json&after={id}");
        await successor.PublishAsync("a", "after");
        var gap = (await ReadEnvelopeAsync(next)).GetProperty("gap");
        Assert.Equal(("epoch", id), (gap.GetProperty("reason").GetString(), gap.GetProperty("from").GetString()));
        Assert.Equal("after", (await ReadEnvelopeAsync(next)).GetProperty("data").GetString());
    }

    private static async Task AssertEchoAsync(ClientScript client, int length)
    {
        await client.SayAsync($"sendBytes {length}");
        var sent = await client.ReadAsync("sent");
        var echo = await client.ReadAsync("message");
        Assert.True(echo.GetProperty("isBinary").GetBoolean());
        Assert.Equal(length, echo.GetProperty("length").GetInt32());
        Assert.Equal(sent.GetProperty("sha256").GetString(), echo.GetProperty("sha256").GetString());
    }

    private static async Task<ClientScript> OpenAsync(WebSocketLibrary library, PushHost host, string target)
    {
        var client = Start(library, host, target);
        await client.ReadAsync("open");
        return client;
    }

    /// <param name="library">Whose client.</param>
    /// <param name="host">Where to.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="compression">What it offers, as its script takes it; nothing for what it offers by itself.</param>
    private static ClientScript Start(WebSocketLibrary library, PushHost host, string target, params string[] compression)
    {
        string[] arguments = [host.WebSocketUri(target).ToString(), .. compression];
        return library == WebSocketLibrary.Npm ? NodeScript.Start("ws.mjs", arguments) : ClientScript.Start("/usr/bin/python3", "python-ws.py", arguments);
    }

    private static Task<PublishReceipt> PublishAsync(PushHost host, string channel, MessageKind kind, byte[] payload) =>
        host.Publisher.PublishAsync(ChannelName.Parse(channel), new PushMessage(kind, payload), Patience.Token).AsTask();

    private static async Task<JsonElement> ReadEnvelopeAsync(ClientScript client)
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
