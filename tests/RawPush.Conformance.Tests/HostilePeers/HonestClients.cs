using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>A publisher over HTTP.</summary>
internal sealed partial class Publisher(RawClient client) : IAsyncDisposable
{
    public static async Task<Publisher> ConnectAsync(int internalPort) => new(await RawClient.ConnectAsync(internalPort));

    /// <summary>Publishes, and says how many subscriptions it goes to.</summary>
    public async Task<int> PublishAsync(string channel, string text)
    {
        await client.SendAsync($"POST /channels/{channel} HTTP/1.1\r\nHost: h\r\nContent-Length: {text.Length}\r\n\r\n{text}");
        var (head, body) = await client.ReadResponseAsync();
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        return int.Parse(Subscribers().Match(body).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    public ValueTask DisposeAsync() => client.DisposeAsync();

    [GeneratedRegex("\"subscribers\":([0-9]+)")]
    private static partial Regex Subscribers();
}

/// <summary>Clients that do as they should, on a channel of their own: each must get every message, in order. How long each takes is written down.</summary>
internal sealed class HonestClients : IAsyncDisposable
{
    public const int Count = 20;

    private const string Channel = "honest";

    private readonly Publisher _publisher;
    private readonly Reader[] _readers;
    private int _published;

    private HonestClients(Publisher publisher, Reader[] readers)
    {
        _publisher = publisher;
        _readers = readers;
    }

    public static async Task<HonestClients> StartAsync(int publicPort, int internalPort)
    {
        var readers = new Reader[Count];
        for (int i = 0; i < readers.Length; i++)
        {
            readers[i] = await Reader.OpenAsync(publicPort, isWebSocket: i % 2 == 0);
        }

        return new HonestClients(await Publisher.ConnectAsync(internalPort), readers);
    }

    /// <summary>Publishes so many messages, and ends when every client has all of them.</summary>
    /// <returns>Milliseconds from each publish to each receipt, sorted.</returns>
    public async Task<double[]> RoundAsync(int messages)
    {
        int first = _published;
        var reading = Task.WhenAll(_readers.Select(reader => reader.ReadAsync(first, messages)));
        for (int i = 0; i < messages; i++)
        {
            Assert.Equal(_readers.Length, await _publisher.PublishAsync(Channel, $"{first + i}:{Stopwatch.GetTimestamp()}"));
        }

        double[] latencies = [.. (await reading).SelectMany(some => some)];
        _published = first + messages;
        Array.Sort(latencies);
        return latencies;
    }

    public async ValueTask DisposeAsync()
    {
        await _publisher.DisposeAsync();
        foreach (var reader in _readers)
        {
            await reader.DisposeAsync();
        }
    }

    private sealed class Reader(RawClient client, bool isWebSocket) : IAsyncDisposable
    {
        public static async Task<Reader> OpenAsync(int port, bool isWebSocket)
        {
            var client = await RawClient.ConnectAsync(port);
            await client.SendAsync(isWebSocket ? Heads.Upgrade($"/channels/{Channel}") : Heads.Events($"/channels/{Channel}"));
            Assert.StartsWith(isWebSocket ? "HTTP/1.1 101 " : "HTTP/1.1 200 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
            return new Reader(client, isWebSocket);
        }

        public async Task<List<double>> ReadAsync(int first, int messages)
        {
            var latencies = new List<double>(messages);
            for (int i = 0; i < messages; i++)
            {
                string[] parts = (await ReadMessageAsync()).Split(':');
                latencies.Add(Stopwatch.GetElapsedTime(long.Parse(parts[1], CultureInfo.InvariantCulture)).TotalMilliseconds);
                Assert.Equal(first + i, int.Parse(parts[0], CultureInfo.InvariantCulture));
            }

            return latencies;
        }

        public ValueTask DisposeAsync() => client.DisposeAsync();

        private async Task<string> ReadMessageAsync()
        {
            while (true)
            {
                if (!isWebSocket)
                {
                    string item = await client.ReadUntilAsync("\n\n");
                    int data = item.IndexOf("data: ", StringComparison.Ordinal);
                    if (data >= 0)
                    {
                        return item[(data + 6)..].TrimEnd('\n');
                    }

                    continue;
                }

                var frame = await client.ReadFrameAsync();
                if (frame.Opcode != Opcode.Ping)
                {
                    Assert.Equal(Opcode.Text, frame.Opcode);
                    return frame.Text;
                }

                await client.SendAsync(ClientFrames.Pong(frame.Payload));
            }
        }
    }
}
