using Microsoft.Extensions.Time.Testing;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Connections;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Messages;

/// <summary>A message that was begun has ten seconds, and a second more for every 240 bytes that came of it. Timers may be a second late, never early.</summary>
public sealed class SlowMessageTests
{
    private const int Rate = 240;

    public static TheoryData<string, byte[]> Beginnings => new()
    {
        { "one byte of a header", [0x81] },
        { "a header without its mask", ClientFrames.Header(Opcode.Text, 100)[..3] },
        { "a header without its payload", ClientFrames.Header(Opcode.Binary, 100) },
        { "a part of a frame", ClientFrames.Text("a message")[..^1] },
        { "a fragment", ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false) },
        { "an empty fragment", ClientFrames.Frame(Opcode.Text, [], isFinal: false) },
        { "a part of a ping", ClientFrames.Ping("ping"u8)[..^1] },
        { "a part of a close", ClientFrames.Close(1000)[..^1] },
        { "a message, and a part of another", [.. ClientFrames.Text("a"), .. ClientFrames.Text("b")[..^1]] },
    };

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(Beginnings))]
    public async Task What_was_begun_and_does_not_go_on_ends_its_client(string what, byte[] beginning)
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/echo"));
        await client.SendAsync(beginning);
        client.Forget();
        await host.AdvanceAsync(TimeSpan.FromSeconds(10));
        Assert.True(client.Received.Length == 0, what);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        AssertTooSlow(client);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        await client.Served.WaitAsync(Patience.Token);
        Assert.Equal(1, host.Metrics.Ended("MessageTooSlow"));
    }

    [Theory]
    [InlineData(1, 12)]
    [InlineData(200, 62)]
    [InlineData(239, 300)]
    [InlineData(240, 300)]
    public async Task A_message_below_the_rate_ends_its_client_and_one_at_the_rate_does_not(int bytesPerSecond, int secondsMax)
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/echo"));
        await client.SendAsync(ClientFrames.Header(Opcode.Binary, 1_000_000));
        int second = 0;
        for (; second < secondsMax && host.Metrics.EndedInAll == 0 && client.Received.Length == 0; second++)
        {
            await client.SendAsync(new byte[bytesPerSecond]);
            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        // 10 s of grace are used up after 10 / (1 − rate / 240) seconds, which is forty minutes at 239.
        if (bytesPerSecond < 239)
        {
            Assert.InRange(second, secondsMax - 2, secondsMax);
            AssertTooSlow(client);
        }
        else
        {
            Assert.Equal((secondsMax, 0), (second, client.Received.Length));
        }
    }

    [Fact]
    public async Task Neither_empty_fragments_nor_pings_between_them_buy_time()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/echo"));
        await client.SendAsync(ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false));
        int second = 0;
        for (; second < 30 && Array.IndexOf(client.Received, (byte)0x88) < 0; second++)
        {
            client.Forget();
            await client.SendAsync((byte[])[.. ClientFrames.Ping([]), .. ClientFrames.Frame(Opcode.Continuation, [], isFinal: false), .. ClientFrames.Pong([])[..3]]);
            await client.SendAsync(ClientFrames.Pong([])[3..]);
            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(second, 11, 12);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(1, host.Metrics.Ended("MessageTooSlow"));
    }

    [Fact]
    public async Task Each_message_has_its_own_time()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/echo"));
        byte[] message = ClientFrames.Text("message");
        await client.SendAsync(message[..4]);
        for (int i = 0; i < 10; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(9));
            await client.SendAsync((byte[])[.. message[4..], .. message[..4]]);
        }

        Assert.Equal(10 * 9, client.Received.Length);
        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    [Fact]
    public async Task Each_control_frame_outside_of_a_message_has_its_own_time()
    {
        await using var host = await StartAsync();
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/echo"));
        byte[] ping = ClientFrames.Ping("ping"u8);
        await client.SendAsync(ping[..8]);
        for (int i = 0; i < 10; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(9));
            await client.SendAsync((byte[])[.. ping[8..], .. ping[..8]]);
        }

        Assert.Equal(10 * 6, client.Received.Length);
        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    [Fact]
    public async Task Time_in_which_our_handler_works_does_not_count()
    {
        var release = new TaskCompletionSource();
        await using var host = await StartAsync(null, setup => setup.Handlers.Add(("/slow", new DelegateHandler(async (_, _) => await release.Task), 0)));
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/slow"));
        await client.SendAsync((byte[])[.. ClientFrames.Text("1"), .. ClientFrames.Text("22")[..^1]]);
        await host.AdvanceAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(0, host.Metrics.EndedInAll);
        client.Forget();
        release.SetResult();
        await HeldAsync(host, 1);
        await host.AdvanceAsync(TimeSpan.FromSeconds(10));
        Assert.Empty(client.Received);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        AssertTooSlow(client);
    }

    [Fact]
    public async Task Time_in_which_the_client_may_not_send_does_not_count()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = 1);
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/echo"));
        await client.SendAsync(ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false));
        await host.AdvanceAsync(TimeSpan.FromSeconds(5));

        // A minute is owed; five of the ten seconds are left behind it.
        await client.SendAsync((byte[])[.. Enumerable.Range(0, 61).SelectMany(_ => ClientFrames.Ping([]))]);
        Assert.Equal(1, host.Metrics.Throttled("Messages"));
        client.Forget();
        await host.AdvanceAsync(TimeSpan.FromSeconds(60 + 4));
        Assert.Empty(client.Received);
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        AssertTooSlow(client);
    }

    [Fact]
    public async Task Without_a_rate_a_half_message_may_stay()
    {
        await using var host = await StartAsync(options => options.ClientMessageRateMin = 0);
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/echo"));
        await client.SendAsync(ClientFrames.Header(Opcode.Binary, 1000));
        for (int i = 0; i < 20; i++)
        {
            await client.SendAsync("a"u8.ToArray());
            await host.AdvanceAsync(TimeSpan.FromSeconds(20));
        }

        Assert.Empty(client.Received);
        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    [Theory]
    [InlineData(Rate / 2, true)]
    [InlineData(Rate, false)]
    public async Task On_a_socket_a_slow_message_ends_its_client_and_one_at_the_rate_arrives(int bytesPerSecond, bool isEnded)
    {
        const int Length = 40 * Rate;
        await using var host = await StartAsync();
        await using var client = await host.UpgradeAsync("/echo");
        await client.SendAsync(ClientFrames.Header(Opcode.Binary, Length, maskKey: 0));

        // It is counted when its head has left already.
        await HeldAsync(host, 0);
        while (host.Metrics.Active == 0)
        {
            await host.SettleAsync();
        }

        int sent = 0;
        while (sent < Length && host.Metrics.Active == 1 && client.Socket.Available == 0)
        {
            await client.SendAsync(new byte[bytesPerSecond]);
            sent += bytesPerSecond;
            await HeldAsync(host, sent < Length ? sent : 0);
            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        var frame = await client.ReadFrameAsync();
        Assert.Equal(isEnded ? (Opcode.Close, 1008) : (Opcode.Binary, 0), (frame.Opcode, isEnded ? frame.Status : 0));
        Assert.Equal(isEnded, sent < Length);
    }

    private static Task<PushHost> StartAsync(Action<RawPushOptions>? configure = null, Action<PushHostSetup>? further = null) => PushHost.StartAsync(setup =>
    {
        setup.Time = new FakeTimeProvider();
        setup.Options = options =>
        {
            options.Shards = 1;
            configure?.Invoke(options);
        };
        further?.Invoke(setup);
    });

    /// <summary>Ends when the server has so many bytes of the message.</summary>
    private static async Task HeldAsync(PushHost host, int bytes)
    {
        var patience = Patience.Token;
        while (host.Get<ConnectionLoops>().HeldBytes != bytes)
        {
            patience.ThrowIfCancellationRequested();
            await host.SettleAsync();
        }
    }

    private static void AssertTooSlow(PipeClient client)
    {
        const string Sentence = "a message you began arrives too slowly";
        byte[] expected = [0x88, (byte)(2 + Sentence.Length), 1008 >> 8, 1008 & 0xFF, .. System.Text.Encoding.ASCII.GetBytes(Sentence)];
        Assert.Equal(expected, client.Received);
    }
}
