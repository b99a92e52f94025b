using System.Security.Cryptography;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.HostilePeers;

/// <summary>Honest clients on networks that are slow: none of the limits is for them.</summary>
[Collection(nameof(Siege))]
public sealed class SlowNetworkTests
{
    private const int Readers = 20;
    private const int Messages = 30;

    [Fact]
    public async Task EverythingArrivesOverASlowNetworkAndNobodyIsTakenForDead()
    {
        await using var host = await PushHost.StartAsync(setup => setup.Options = options =>
        {
            options.PingInterval = TimeSpan.FromSeconds(1);
            options.PeerTimeout = TimeSpan.FromSeconds(5);
        });
        await using var siege = await Siege.OfHostAsync(host);
        await using var relay = new DelayRelay(siege.PublicPort, TimeSpan.FromMilliseconds(250));
        await siege.MeasureUntilAsync(Task.WhenAll(EchoAsync(relay.Port), ReadAsync(siege, relay.Port)));
        await host.Metrics.WaitForEndedAsync("ClientClosed", Readers + 1);
        Assert.Equal(Readers + 1, host.Metrics.EndedInAll);
    }

    private static async Task ReadAsync(Siege siege, int port)
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => OpenAsync(port, "/channels/slow")));
        await using var publisher = await Publisher.ConnectAsync(siege.InternalPort);
        for (int i = 0; i < Messages; i++)
        {
            Assert.Equal(Readers, await publisher.PublishAsync("slow", $"message {i}"));
        }

        await Task.WhenAll(clients.Select(ReadAllAsync));
    }

    private static async Task ReadAllAsync(RawClient client)
    {
        for (int i = 0; i < Messages; i++)
        {
            Assert.Equal($"message {i}", (await NextAsync(client)).Text);
        }

        // It stays for two pings, each of which is answered half a second late.
        for (int pings = 0; pings < 2; pings++)
        {
            var ping = await client.ReadFrameAsync();
            Assert.Equal(Opcode.Ping, ping.Opcode);
            await client.SendAsync(ClientFrames.Pong(ping.Payload));
        }

        await LeaveAsync(client);
    }

    private static async Task EchoAsync(int port)
    {
        var client = await OpenAsync(port, "/echo");
        byte[] payload = RandomNumberGenerator.GetBytes(300_000);
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync(ClientFrames.Binary(payload));
            Assert.Equal(payload, (await NextAsync(client)).Payload);
        }

        await LeaveAsync(client);
    }

    private static async Task<RawClient> OpenAsync(int port, string target)
    {
        var client = await RawClient.ConnectAsync(port);
        await client.SendAsync(Heads.Upgrade(target));
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        return client;
    }

    private static async Task LeaveAsync(RawClient client)
    {
        await client.SendAsync(ClientFrames.Close(1000));
        Assert.Equal(Opcode.Close, (await NextAsync(client)).Opcode);
        await client.DisposeAsync();
    }

    private static async Task<ServerFrame> NextAsync(RawClient client)
    {
        while (true)
        {
            var frame = await client.ReadFrameAsync();
            if (frame.Opcode != Opcode.Ping)
            {
                return frame;
            }

            await client.SendAsync(ClientFrames.Pong(frame.Payload));
        }
    }
}
