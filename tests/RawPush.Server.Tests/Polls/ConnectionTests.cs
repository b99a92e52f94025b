using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;
using RawPush.Server.Tests.Fixture;
using RawPush.Server.Tests.Transport;
using RawPush.TestKit;

namespace RawPush.Server.Tests.Polls;

/// <summary>What follows on the connection of a poll.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task PollsOfBothKindsFollowEachOtherOnOneConnection()
    {
        await using var host = await Histories.StartAsync();
        await using var client = await host.ConnectAsync();
        string next = (await client.PollAsync("/channels/a")).Next!;
        for (int i = 0; i < 20; i++)
        {
            await host.ParkAsync(client, $"/channels/a?wait=300&after={next}");
            await host.PublishAsync("a", $"{i}");
            var answer = await client.ReadAnswerAsync();
            Assert.Equal([$"{i}"], answer.Data);
            Assert.False(answer.IsLast);
            Assert.Equal(i + 1, (await client.PollAsync("/channels/a")).Data.Length);
            next = answer.Next!;
        }

        await host.Metrics.WaitForEndedAsync("Answered", 41);
        Assert.Equal(41, host.Metrics.EndedInAll);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AnotherKindOfRequestMayFollow()
    {
        await using var host = await Histories.StartAsync(configure: setup => setup.Routes = app => app.MapPost("/foreign", context => context.Request.Body.CopyToAsync(context.Response.Body)));
        await using var client = await host.ConnectAsync();
        await host.ParkAsync(client, "/channels/a?wait=300");
        string id = (await host.PublishAsync("a", "x")).Id.ToString();
        Assert.Equal(["x"], (await client.ReadAnswerAsync()).Data);
        await client.SendAsync("POST /foreign HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
        Assert.Equal("hello", (await client.ReadResponseAsync()).Body);
        Assert.Equal(["x"], (await client.PollAsync("/channels/a")).Data);
        await host.ParkAsync(client, $"/channels/a?wait=300&after={id}");
        await host.PublishAsync("a", "y");
        Assert.Equal(["y"], (await client.ReadAnswerAsync()).Data);
    }

    [Theory]
    [InlineData("/channels/a")]
    [InlineData("/channels/a?wait=300&after=earliest")]
    public async Task AWebSocketMayFollow(string target)
    {
        await using var host = await Histories.StartAsync();
        await host.PublishAsync("a", "x");
        await using var client = await host.ConnectAsync();
        string next = (await client.PollAsync(target)).Next!;
        await client.SendAsync(Heads.Upgrade($"/channels/a?after={next}"));
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await host.PublishAsync("a", "y");
        Assert.Equal("y", (await client.ReadFrameAsync()).Text);
        await client.SendAsync(ClientFrames.Close(1000));
        Assert.Equal(1000, (await client.ReadFrameAsync()).Status);
    }

    [Fact]
    public async Task AnEventStreamAndARefusalMayFollow()
    {
        await using var host = await Histories.StartAsync();
        await using var client = await host.ConnectAsync();
        string next = (await client.PollAsync("/channels/a")).Next!;
        await client.SendAsync(Heads.Events($"/channels/a?after={next}"));
        await client.ReadHeadAsync();

        // In a chunk of its own where the request is Kestrel's.
        Assert.EndsWith(":\n\n", await client.ReadUntilAsync("\n\n"), StringComparison.Ordinal);
        await host.PublishAsync("a", "y");
        Assert.Contains("data: y\n", await client.ReadUntilAsync("\n\n"), StringComparison.Ordinal);

        await using var other = await host.ConnectAsync();
        await other.PollAsync("/channels/a");
        Assert.Equal(400, (await other.PollAsync("/channels/a?after=x")).Status);
        Assert.Empty(await other.ReadToEndAsync());
    }

    [Theory]
    [InlineData("GET /channels/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false)]
    [InlineData("GET /channels/a?wait=300&after=earliest HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", false)]
    [InlineData("GET /channels/a HTTP/1.0\r\n\r\n", false)]
    [InlineData("GET /channels/a?wait=300&after=earliest HTTP/1.0\r\n\r\n", false)]
    [InlineData("GET /channels/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true)]
    public async Task TheClientSaysWhetherSomethingFollows(string head, bool goesOn)
    {
        await using var host = await Histories.StartAsync();
        await host.PublishAsync("a", "x");
        await using var client = await host.ConnectAsync();
        await client.SendAsync(head);
        var answer = await client.ReadAnswerAsync();
        Assert.Equal(["x"], answer.Data);
        if (goesOn)
        {
            Assert.Equal("keep-alive", RawClient.FieldOf(answer.Head, "Connection"));
            Assert.Equal(["x"], (await client.PollAsync("/channels/a")).Data);
        }
        else
        {
            Assert.Empty(await client.ReadToEndAsync());
        }
    }

    [Theory]
    [InlineData("/hello", PushHost.Hello)]
    [InlineData("/channels/b", "\"b\"")]
    public async Task ARequestThatCameTooEarlyIsAnsweredOrTheConnectionEnds(string second, string expected)
    {
        await using var host = await Histories.StartAsync();
        await host.PublishAsync("b", "in b");
        foreach (bool isAtOnce in (bool[])[false, true])
        {
            await using var client = await host.ConnectAsync();
            await host.ParkAsync(client, "/channels/a?wait=300", isAtOnce ? "\r\n" + Heads.Get(second)[..^2] : string.Empty);
            if (!isAtOnce)
            {
                await client.SendAsync(Heads.Get(second));
                await host.SettleAsync();
            }

            await host.PublishAsync("a", "news");
            var answer = await client.ReadAnswerAsync();
            Assert.Equal(["news"], answer.Data);
            if (answer.IsLast)
            {
                Assert.Empty(await client.ReadToEndAsync());
            }
            else
            {
                Assert.Contains(expected, (await client.ReadResponseAsync()).Body, StringComparison.Ordinal);
            }
        }

        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task ManyPipelinedShortPollsAreEachAnsweredWholeUntilTheConnectionEnds()
    {
        await using var host = await Histories.StartAsync();
        await host.PublishAsync("a", "x");
        await using var client = await host.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Repeat(Heads.Get("/channels/a"), 10)));
        int answers = 0;
        Answer answer;
        do
        {
            answer = await client.ReadAnswerAsync();
            Assert.Equal(["x"], answer.Data);
            answers++;
        }
        while (!answer.IsLast && answers < 10);
        if (answer.IsLast)
        {
            Assert.Empty(await client.ReadToEndAsync());
        }
    }

    [Fact]
    public async Task ALongAnswerToASlowReaderArrivesWholeAndTheConnectionGoesOn()
    {
        await using var host = await Histories.StartAsync(configure: setup => setup.Options = options => options.SocketSendBytes = options.SocketUnsentBytesMax = 4096);
        string large = new('x', 250_000);
        for (int i = 0; i < 5; i++)
        {
            await host.PublishAsync("a", $"{i}{large}");
        }

        await using var client = await RawClient.ConnectAsync(host.Public.Port, receiveBufferBytes: 4096);
        for (int round = 0; round < 3; round++)
        {
            await client.SendAsync(Heads.Get("/channels/a"));
            await host.SettleAsync();
            var answer = await client.ReadAnswerAsync();
            Assert.Equal(Enumerable.Range(0, 5).Select(i => $"{i}{large}"), answer.Data);
            Assert.False(answer.IsLast);
            Assert.Empty((await client.PollAsync($"/channels/a?after={answer.Next}")).Data);
        }

        Assert.Empty(host.Logs.AboveDebug);
    }

    [Theory]
    [InlineData("/channels/a", "")]
    [InlineData("/channels/a?wait=5&after=earliest", "")]
    [InlineData("/channels/a", "Connection: close\r\n")]
    public async Task AReaderThatTakesSomethingOfALongAnswerIsGivenItsTime(string target, string fields)
    {
        const int BytesPerSecond = 40_000;
        await using var host = await StartWithLongMessageAsync();
        await using var client = await RawClient.ConnectAsync(host.Public.Port, receiveBufferBytes: 4096);
        await client.SendAsync(Heads.Get(target, fields));
        string head = await client.ReadHeadAsync();
        int left = int.Parse(RawClient.FieldOf(head, "Content-Length")!, System.Globalization.CultureInfo.InvariantCulture);
        while (left > 0)
        {
            int taken = Math.Min(left, BytesPerSecond);
            await client.ReadExactlyAsync(taken);
            left -= taken;
            await host.AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        await host.SettleAsync();
        if (fields.Length > 0)
        {
            Assert.Empty(await client.ReadToEndAsync());
        }
        else
        {
            Assert.Equal(200, (await client.PollAsync("/channels/a", "Connection: close\r\n")).Status);
        }
    }

    [Fact]
    public async Task AReaderThatTakesNothingOfALongAnswerIsCut()
    {
        await using var host = await StartWithLongMessageAsync();
        await using var client = await RawClient.ConnectAsync(host.Public.Port, receiveBufferBytes: 4096);
        await client.SendAsync(Heads.Get("/channels/a?wait=300&after=earliest"));
        await host.Metrics.WaitForActiveAsync(1);
        await host.AdvanceAsync(TimeSpan.FromSeconds(22));
        await host.Metrics.WaitForActiveAsync(0);
        await client.ReadUntilGoneAsync();
    }

    [Fact]
    public async Task AConnectionOnWhichNothingFollowsIsClosedAfterTwoMinutes()
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Time = new FakeTimeProvider());
        await using var client = await host.ConnectAsync();
        await client.PollAsync("/channels/a");
        await host.AdvanceAsync(TimeSpan.FromSeconds(119));
        await client.PollAsync("/channels/a");
        await host.AdvanceAsync(TimeSpan.FromSeconds(122));
        await client.ReadUntilGoneAsync();
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AHalfHeadBehindAPollHasTheTimeOfAnyOtherHead()
    {
        await using var host = await LoopHost.StartAsync(setup => setup.Time = new FakeTimeProvider());
        await using var client = await host.ConnectAsync();
        await client.PollAsync("/channels/a");
        await client.SendAsync("GET /channels/a HT");
        await host.SettleAsync();
        await host.AdvanceAsync(TimeSpan.FromSeconds(12));
        Assert.StartsWith("HTTP/1.1 408 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task APollWhoseSenderHasSaidAllIsAnswered()
    {
        // Not through Kestrel's HTTP server, which takes the end of the client's half for the end of the client.
        await using var host = await LoopHost.StartAsync(setup => setup.Options = options =>
            options.Namespaces.Add(new Server.Hosting.NamespaceOptions { Pattern = "a", HistoryEntries = 1 }));
        await host.PublishAsync("a", "x");
        await using var client = await host.ConnectAsync();
        await client.SendAsync(Heads.Get("/channels/a"));
        client.EndSending();
        Assert.Equal(["x"], (await client.ReadAnswerAsync()).Data);
        Assert.Empty(await client.ReadToEndAsync());
    }

    /// <summary>A host with a message in channel a that is longer than a socket takes.</summary>
    private static async Task<PushHost> StartWithLongMessageAsync()
    {
        var host = await LoopHost.StartAsync(setup =>
        {
            setup.Time = new FakeTimeProvider();
            setup.Options = options =>
            {
                options.SocketSendBytes = options.SocketUnsentBytesMax = 4096;
                options.Namespaces.Add(new Server.Hosting.NamespaceOptions { Pattern = "a", HistoryEntries = 1 });
            };
        });
        await host.PublishAsync("a", new string('x', 1_000_000));
        return host;
    }
}
