using System.Globalization;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Messages;

/// <summary>Who sends more than the limits allow has to wait, loses nothing, and is not closed. Time is the test's: what waits, waits until it moves.</summary>
public sealed class ClientRateTests
{
    private const int Limit = 10;

    public static TheoryData<string, byte[]> Countable => new()
    {
        { "a ping", ClientFrames.Ping("p"u8) },
        { "a message", ClientFrames.Text("t") },
        { "a message in fragments and a ping", [.. ClientFrames.Frame(Opcode.Text, "a"u8, isFinal: false), .. ClientFrames.Frame(Opcode.Continuation, "b"u8)] },
    };

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(Countable))]
    public async Task As_many_messages_as_the_limit_are_taken_at_once_and_who_sends_one_more_waits(string what, byte[] frames)
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit);
        await using var client = await host.UpgradeAsync("/echo");
        for (int i = 0; i < Limit; i++)
        {
            await client.SendAsync(frames);
            await client.ReadFrameAsync();
        }

        Assert.True(host.Metrics.Throttled("Messages") == 0, what);
        await AnsweredAsync(client, "one more");
        Assert.Equal(1, host.Metrics.Throttled("Messages"));
        await AssertWaitsAsync(host, client, ClientFrames.Ping("waits"u8));
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal("waits", (await client.ReadFrameAsync()).Text);
        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    [Fact]
    public async Task Pongs_count_though_nothing_answers_them()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit);
        await using var client = await host.UpgradeAsync("/echo");
        await client.SendAsync((byte[])[.. Enumerable.Range(0, Limit).SelectMany(_ => ClientFrames.Pong([]))]);
        await AnsweredAsync(client, "one more");
        Assert.Equal(1, host.Metrics.Throttled("Messages"));
    }

    [Fact]
    public async Task As_many_bytes_as_the_limit_are_taken_at_once_and_who_sends_one_more_waits()
    {
        await using var host = await StartAsync(options => options.ClientBytesPerSecond = 1000);
        await using var client = await host.UpgradeAsync("/echo");
        byte[] whole = ClientFrames.Binary(new byte[992]);
        Assert.Equal(1000, whole.Length);
        await client.SendAsync(whole);
        await client.ReadFrameAsync();
        Assert.Equal(0, host.Metrics.Throttled("Bytes"));
        await AnsweredAsync(client, "one more");
        Assert.Equal((1, 0), (host.Metrics.Throttled("Bytes"), host.Metrics.Throttled("Messages")));
        await AssertWaitsAsync(host, client, ClientFrames.Ping("waits"u8));
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal("waits", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task What_a_message_inflates_to_is_paid_for()
    {
        await using var host = await StartAsync(options => (options.ClientBytesPerSecond, options.Compression) = (100_000, true));
        await using var client = await host.UpgradeAsync("/echo", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
        byte[] frame = ClientFrames.Frame(Opcode.Binary, Compressed.Of(new byte[200_000]));
        frame[0] |= 0x40;
        await client.SendAsync(frame);
        Assert.Equal(200_000, (await client.ReadFrameAsync()).Payload.Length);
        await AssertWaitsAsync(host, client, ClientFrames.Ping("waits"u8));
        Assert.Equal(1, host.Metrics.Throttled("Bytes"));
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal("waits", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task What_was_read_is_answered_whole_and_paid_for_afterwards()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit);
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/echo"));

        // 45 of 10: 35 are owed, which takes 3.5 seconds.
        await client.SendAsync((byte[])[.. Enumerable.Range(0, 45).SelectMany(_ => ClientFrames.Ping([]))]);
        Assert.Equal(45 * 2, client.Received.Length);
        client.Forget();
        await client.SendAsync(ClientFrames.Ping([]));
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        Assert.Empty(client.Received);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(2, (await client.ReceiveAsync(2)).Length);
        Assert.Equal(1, host.Metrics.Throttled("Messages"));
    }

    [Fact]
    public async Task A_long_silence_saves_no_more_than_a_seconds_worth()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit);
        await using var client = await host.UpgradeAsync("/echo");
        await host.AdvanceAsync(TimeSpan.FromSeconds(20));
        for (int i = 0; i <= Limit; i++)
        {
            Assert.Equal(0, host.Metrics.Throttled("Messages"));
            await AnsweredAsync(client, "x");
        }

        Assert.Equal(1, host.Metrics.Throttled("Messages"));
    }

    [Fact]
    public async Task Who_stays_at_the_limit_is_never_made_to_wait()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit);
        await using var client = await host.UpgradeAsync("/echo");
        for (int second = 0; second < 20; second++)
        {
            for (int i = 0; i < Limit; i++)
            {
                await AnsweredAsync(client, "x");
            }

            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, host.Metrics.Throttled("Messages"));
    }

    [Fact]
    public async Task Others_of_the_same_shard_do_not_wait()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit);
        await using var flooder = await FloodedAsync(host, "/echo", 100);
        await using var neighbour = await host.UpgradeAsync("/echo");
        await AnsweredAsync(neighbour, "I am quick");
        await AssertWaitsAsync(host, flooder, ClientFrames.Ping([]));
        await AnsweredAsync(neighbour, "and again");
    }

    [Fact]
    public async Task Who_waits_is_sent_messages_meanwhile()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit);
        await using var client = await FloodedAsync(host, "/channels/a", 100);
        await host.PublishAsync("a", "published");
        Assert.Equal("published", (await client.ReadFrameAsync()).Text);
    }

    [Fact]
    public async Task Every_ping_of_a_flood_is_answered_in_its_time()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit);
        await using var client = await host.UpgradeAsync("/channels/a");
        int sent = 0;
        int answered = 0;
        for (int second = 0; second < 20; second++)
        {
            // Twenty a second, of which ten are owed each time.
            await client.SendAsync((byte[])[.. Enumerable.Range(0, 2 * Limit).SelectMany(_ => ClientFrames.Ping(Number(sent++)))]);
            for (int i = 0; i < 2 * Limit; i++)
            {
                Assert.Equal(answered++.ToString(CultureInfo.InvariantCulture), (await client.ReadFrameAsync()).Text);
            }

            Assert.Equal(second + 1, host.Metrics.Throttled("Messages"));
            await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        }

        Assert.Equal(0, host.Metrics.EndedInAll);
    }

    [Fact]
    public async Task Silence_that_is_ours_does_not_cut_a_client_and_its_own_does()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = 1);
        await using var client = await FloodedAsync(host, "/channels/a", 120);
        await host.AdvanceAsync(TimeSpan.FromSeconds(100));
        Assert.Equal(0, host.Metrics.EndedInAll);
        await client.SendAsync(ClientFrames.Ping("still here"u8));
        await host.AdvanceAsync(TimeSpan.FromSeconds(22));
        Assert.Equal("still here", (await client.ReadFrameAsync()).Text);
        await host.AdvanceAsync(TimeSpan.FromSeconds(26));
        Assert.Equal(Opcode.Ping, (await client.ReadFrameAsync()).Opcode);
        await host.AdvanceAsync(TimeSpan.FromSeconds(22));
        await host.Metrics.WaitForEndedAsync("IdleTimeout");
    }

    [Fact]
    public async Task A_client_that_vanishes_while_it_waits_is_gone()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = 1);
        await using var client = await FloodedAsync(host, "/channels/a", 100);
        client.Reset();
        for (int i = 0; i < 110 && host.Metrics.EndedInAll == 0; i++)
        {
            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        await host.Metrics.WaitForEndedAsync("ClientGone");
    }

    [Fact]
    public async Task A_goodbye_reaches_a_client_that_waits_and_its_answer_is_read()
    {
        await using var host = await StartAsync(options =>
        {
            options.ClientMessagesPerSecond = Limit;
            options.DrainTimeout = TimeSpan.FromMinutes(1);
        });
        await using var client = await FloodedAsync(host, "/echo", 100);

        // What still waits stands before the answer.
        await AssertWaitsAsync(host, client, [.. ClientFrames.Text("too late"), .. ClientFrames.Pong([])]);
        var stopping = host.StopAsync();
        Assert.Equal(1001, (await client.ReadFrameAsync()).Status);
        await client.SendAsync(ClientFrames.Close(1001));
        Assert.Empty(await client.ReadToEndAsync());
        await stopping;
        Assert.Equal(1, host.Metrics.Ended("ServerDraining"));
    }

    [Fact]
    public async Task A_flood_after_our_goodbye_is_not_read_to_its_end()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit);
        await using var client = await host.UpgradeAsync("/channels/a");
        await client.SendAsync((byte[])[.. ClientFrames.Text("not taken here"), .. Enumerable.Range(0, 50).SelectMany(_ => ClientFrames.Pong([]))]);
        Assert.Equal(1003, (await client.ReadFrameAsync()).Status);
        Assert.Equal(1, host.Metrics.Throttled("Messages"));
        await client.SendAsync(ClientFrames.Close(1003));
        await host.AdvanceAsync(TimeSpan.FromSeconds(4));
        Assert.Equal(1, host.Metrics.Active);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        await client.ReadUntilGoneAsync();
        await host.Metrics.WaitForEndedAsync("UnsupportedData");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_stood_before_our_goodbye_does_not_keep_its_answer_from_being_read(bool isCompressed)
    {
        await using var host = await StartAsync(options => (options.ClientBytesPerSecond, options.Compression) = (1000, isCompressed));
        await using var client = await host.UpgradeAsync("/channels/a", isCompressed ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
        byte[] frame = ClientFrames.Frame(Opcode.Binary, isCompressed ? Compressed.Of(new byte[5000]) : new byte[1500]);
        frame[0] |= isCompressed ? (byte)0x40 : (byte)0;
        await client.SendAsync(frame);
        Assert.Equal(1003, (await client.ReadFrameAsync()).Status);
        await client.SendAsync(ClientFrames.Close(1003));

        // Time stands still: only what was read can end it.
        Assert.Empty(await client.ReadToEndAsync());
        await host.Metrics.WaitForEndedAsync("UnsupportedData");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_next_message_waits_for_the_handler_and_for_the_limit_whichever_is_later(bool isHandlerFirst)
    {
        int handled = 0;
        var handling = new SemaphoreSlim(0);
        var release = new TaskCompletionSource();
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = Limit, setup => setup.Handlers.Add(("/slow", new DelegateHandler(async (_, _) =>
        {
            Interlocked.Increment(ref handled);
            handling.Release();
            await release.Task;
        }), 0)));
        await using var client = await PipeClient.OpenAsync(host, Heads.Upgrade("/slow"));
        await client.SendAsync((byte[])[.. Enumerable.Range(0, 30).SelectMany(_ => ClientFrames.Ping([])), .. ClientFrames.Text("1"), .. ClientFrames.Text("2")]);
        await handling.WaitAsync(Patience.Token);
        Assert.Equal((1, 1), (handled, host.Metrics.Throttled("Messages")));
        await FirstOrThenAsync(isHandlerFirst);
        Assert.Equal(1, handled);
        await FirstOrThenAsync(!isHandlerFirst);
        await handling.WaitAsync(Patience.Token);
        Assert.Equal(2, handled);

        async Task FirstOrThenAsync(bool isHandler)
        {
            if (isHandler)
            {
                release.SetResult();
                await host.SettleAsync();
                await host.SettleAsync();
            }
            else
            {
                await host.AdvanceAsync(TimeSpan.FromSeconds(4));
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reader_of_a_stream_that_sends_is_read_no_faster_than_the_limit(bool isEvents)
    {
        await using var host = await StartAsync(options => options.ClientBytesPerSecond = 1000);
        await using var client = await PipeClient.OpenAsync(host, isEvents ? Heads.Events("/channels/a") : Heads.Lines("/channels/a"));
        await client.SendAsync(new byte[1000]);
        Assert.Equal(0, host.Metrics.Throttled("Bytes"));
        await client.SendAsync(new byte[1]);
        Assert.Equal(1, host.Metrics.Throttled("Bytes"));

        // Not read, so not counted either.
        await client.SendAsync(new byte[2000]);
        Assert.Equal(1, host.Metrics.Throttled("Bytes"));
        client.Forget();
        await host.PublishAsync("a", "goes on");
        await host.SettleAsync();
        Assert.Contains("goes on", client.ReceivedText, StringComparison.Ordinal);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        await host.Metrics.WaitForThrottledAsync("Bytes", 2);
        Assert.Equal(0, host.Metrics.EndedInAll);
        await host.AdvanceAsync(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task A_reader_of_events_on_a_socket_that_sends_is_read_no_faster_than_the_limit()
    {
        await using var host = await StartAsync(options => options.ClientBytesPerSecond = 1000);
        await using var client = await host.OpenEventsAsync("/channels/a");
        for (int second = 1; second <= 5; second++)
        {
            await client.SendAsync(new byte[1001]);
            await host.Metrics.WaitForThrottledAsync("Bytes", second);
            await host.PublishAsync("a", $"event {second}");
            await client.ReadUntilAsync($"event {second}\n\n");
            await host.AdvanceAsync(TimeSpan.FromSeconds(3));
        }

        client.EndSending();
        await host.Metrics.WaitForEndedAsync("ClientClosed");
    }

    [Fact]
    public async Task Without_limits_nobody_waits()
    {
        await using var host = await StartAsync(options => options.ClientMessagesPerSecond = options.ClientBytesPerSecond = 0);
        await using var client = await host.UpgradeAsync("/channels/a");
        await client.SendAsync((byte[])[.. Enumerable.Range(0, 20_000).SelectMany(_ => ClientFrames.Pong(new byte[100]))]);
        await AnsweredAsync(client, "the last");
        Assert.Equal((0, 0), (host.Metrics.Throttled("Bytes"), host.Metrics.Throttled("Messages")));
    }

    private static Task<PushHost> StartAsync(Action<RawPushOptions> configure, Action<PushHostSetup>? further = null) => PushHost.StartAsync(setup =>
    {
        setup.Time = new FakeTimeProvider();
        setup.Options = options =>
        {
            options.Shards = 1;
            configure(options);
        };
        further?.Invoke(setup);
    });

    /// <summary>A client that has sent so many pings in one piece, and has been answered all of them.</summary>
    private static async Task<RawClient> FloodedAsync(PushHost host, string target, int pings)
    {
        var client = await host.UpgradeAsync(target);
        await client.SendAsync((byte[])[.. Enumerable.Range(0, pings).SelectMany(_ => ClientFrames.Ping([]))]);
        for (int i = 0; i < pings; i++)
        {
            Assert.Equal(Opcode.Pong, (await client.ReadFrameAsync()).Opcode);
        }

        Assert.Equal(1, host.Metrics.Throttled("Messages"));
        return client;
    }

    private static async Task AnsweredAsync(RawClient client, string text)
    {
        await client.SendAsync(ClientFrames.Ping(Encoding.UTF8.GetBytes(text)));
        ServerFrame frame;
        do
        {
            frame = await client.ReadFrameAsync();
        }
        while (frame.Opcode != Opcode.Pong);
        Assert.Equal(text, frame.Text);
    }

    private static async Task AssertWaitsAsync(PushHost host, RawClient client, byte[] frames)
    {
        await client.SendAsync(frames);
        await host.SettleAsync();
        Assert.Equal(0, client.Socket.Available);
    }

    private static byte[] Number(int number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
}
