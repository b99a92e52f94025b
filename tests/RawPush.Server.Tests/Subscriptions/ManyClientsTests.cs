using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Subscriptions;

public sealed class ManyClientsTests
{
    private const int Clients = 2000;
    private const int Channels = 10;
    private const int Messages = 100;

    [Fact]
    public async Task EveryClientGetsEveryMessageOfItsChannelOnceAndInOrder()
    {
        await using var host = await PushHost.StartAsync();
        var readers = new List<Task<string>>(Clients);
        for (int i = 0; i < Clients; i++)
        {
            // Half of the clients of each channel are WebSockets.
            readers.Add(ReadAsync(await OpenAsync(host, i % Channels, i / Channels % 2 == 0), i % Channels, i / Channels % 2 == 0));
        }

        await host.Metrics.WaitForActiveAsync(Clients);
        await Parallel.ForEachAsync(Enumerable.Range(0, Channels), new ParallelOptions { MaxDegreeOfParallelism = Channels }, async (channel, _) =>
        {
            for (int message = 0; message < Messages; message++)
            {
                await PublishAsync(host, channel, message);
            }
        });
        string[] faults = await Task.WhenAll(readers);
        Assert.All(faults, Assert.Empty);
        await host.Metrics.WaitForActiveAsync(0);
        Assert.Equal(Clients, host.Metrics.EndedInAll);
        Assert.Empty(host.Logs.AboveDebug);
    }

    private static async Task PublishAsync(PushHost host, int channel, int message)
    {
        string text = $"{channel}:{message:00}";
        if (channel % 2 == 0)
        {
            Assert.Equal(Clients / Channels, (await host.PublishAsync($"c{channel}", text)).Subscribers);
            return;
        }

        using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(text));
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        using var response = await host.Http.PostAsync($"/channels/c{channel}", content, Patience.Token);
        response.EnsureSuccessStatusCode();
    }

    private static async Task<Socket> OpenAsync(PushHost host, int channel, bool isWebSocket)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", host.Public.Port, Patience.Token);
        string head = isWebSocket ? Heads.Upgrade($"/channels/c{channel}") : Heads.Events($"/channels/c{channel}");
        await socket.SendAsync(Encoding.ASCII.GetBytes(head), Patience.Token);
        return socket;
    }

    /// <summary>Reads what must come, byte for byte, and leaves; what is wrong with it, or nothing.</summary>
    private static async Task<string> ReadAsync(Socket socket, int channel, bool isWebSocket)
    {
        using (socket)
        {
            string expected = string.Concat(Enumerable.Range(0, Messages).Select(i => isWebSocket ? $"\u0081\u0004{channel}:{i:00}" : $"{channel}:{i:00};"));
            var received = new StringBuilder();
            byte[] buffer = new byte[2048];
            while (true)
            {
                int read = await socket.ReceiveAsync(buffer, SocketFlags.None, Patience.Token);
                received.Append(Encoding.Latin1.GetString(buffer, 0, read));
                string body = BodyOf(received.ToString(), isWebSocket);
                if (body == expected)
                {
                    return string.Empty;
                }

                if (read == 0 || !expected.StartsWith(body, StringComparison.Ordinal))
                {
                    return $"got {received}, expected {expected}";
                }
            }
        }
    }

    private static string BodyOf(string wire, bool isWebSocket)
    {
        int end = wire.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return string.Empty;
        }

        string body = wire[(end + 4)..];
        return isWebSocket
            ? body
            : string.Concat(body.Split("\n\n")[..^1].Select(item => item.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..] + ";").SingleOrDefault()));
    }
}
