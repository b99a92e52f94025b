using System.Buffers.Binary;
using Microsoft.Extensions.Time.Testing;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Subscriptions;

public sealed class SlowConsumerTests
{
    private const int LogEntries = 64;

    [Fact]
    public async Task AClientThatNeverReadsIsCutAndTheOthersGetEverything()
    {
        await using var host = await PushHost.StartAsync(setup =>
        {
            setup.Time = new FakeTimeProvider();
            setup.Options = options => options.LogEntriesMax = LogEntries;
        });
        await using var slow = await host.UpgradeAsync("/channels/a");
        await using var webSocket = await host.UpgradeAsync("/channels/a");
        await using var events = await host.OpenEventsAsync("/channels/a");
        string filler = new('x', 32 * 1024);

        // As many as the kernel's buffers between us and the slow one take, and a log full more.
        for (int i = 0; !host.Logs.Lines.Any(line => line.EventId.Name == "SessionEnded"); i++)
        {
            Assert.True(i < 10_000, "The slow client is still there.");
            await host.PublishAsync("a", $"{i} {filler}");
            Assert.StartsWith($"{i} ", (await webSocket.ReadFrameAsync()).Text, StringComparison.Ordinal);
            Assert.Contains($"\ndata: {i} ", await events.ReadUntilAsync("\n\n"), StringComparison.Ordinal);
            if (i % 32 == 0)
            {
                await host.SettleAsync();
            }
        }

        // It is given time to take the goodbye, and does not.
        await host.AdvanceAsync(TimeSpan.FromSeconds(7));
        await host.Metrics.WaitForEndedAsync("SlowConsumer");
        await slow.ReadUntilGoneAsync();
        Assert.Equal(2, (await host.PublishAsync("a", "last")).Subscribers);
        Assert.Equal("last", (await webSocket.ReadFrameAsync()).Text);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AGoodbyeThatWaitsIsNotLostToTheClientsOwn()
    {
        await using var host = await PushHost.StartAsync(setup =>
        {
            setup.Time = new FakeTimeProvider();
            setup.Options = options => options.LogEntriesMax = LogEntries;
        });
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        string large = new('x', 100_000);
        await host.PublishAsync("a", large);
        await host.SettleAsync();
        for (int i = 0; i < LogEntries + 1; i++)
        {
            await host.PublishAsync("a", "small");
        }

        await host.SettleAsync();
        await client.SendAsync(ClientFrames.Close(1000));

        int whereTheCloseIs = 10 + large.Length;
        await client.ReceiveAsync(whereTheCloseIs + 4);
        Assert.Equal(0x88, client.Received[whereTheCloseIs]);
        Assert.Equal(4002, BinaryPrimitives.ReadUInt16BigEndian(client.Received.AsSpan(whereTheCloseIs + 2)));
        await client.Served.WaitAsync(Patience.Token);
        Assert.Equal(1, host.Metrics.Ended("SlowConsumer"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task ABlockedClientMayBeAsManyMessagesBehindAsTheLogKeeps(int over)
    {
        await using var host = await PushHost.StartAsync(setup =>
        {
            setup.Time = new FakeTimeProvider();
            setup.Options = options => options.LogEntriesMax = LogEntries;
        });
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/channels/a"));
        string large = new('x', 100_000);
        await host.PublishAsync("a", large);
        await host.SettleAsync();
        for (int i = 0; i < LogEntries + over; i++)
        {
            await host.PublishAsync("a", "small");
        }

        await host.SettleAsync();
        await host.SettleAsync();
        byte[] wire = await client.ReceiveAsync(4 + 6 + large.Length);
        await host.SettleAsync();
        await host.SettleAsync();
        wire = client.Received[(4 + 6 + large.Length)..];
        if (over == 0)
        {
            Assert.Equal(LogEntries * (2 + 5), wire.Length);
        }
        else
        {
            Assert.Equal([0x88, 0x0F, 0xA2], [wire[0], 0x0F, wire[3]]);
            Assert.Equal(4002, wire[2] * 256 + wire[3]);
        }
    }
}
