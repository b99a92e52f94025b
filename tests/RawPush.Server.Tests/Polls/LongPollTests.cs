using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Channels;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Polls;

public sealed class LongPollTests
{
    [Fact]
    public async Task ItIsAnsweredAtOnceWhenThereIsSomething()
    {
        await using var host = await Histories.StartAsync();
        string[] ids = await host.PublishManyAsync("a", 3);
        await using var client = await host.ConnectAsync();
        var answer = await client.PollAsync($"/channels/a?after={ids[0]}&wait=300");
        Assert.Equal((200, ids[2]), (answer.Status, answer.Next));
        Assert.Equal(["1", "2"], answer.Data);
        Assert.Null(answer.Tag);
        Assert.Equal("no-store", RawClient.FieldOf(answer.Head, "Cache-Control"));
    }

    [Theory]
    [InlineData("/channels/a?wait=300")]
    [InlineData("/channels/a?wait=300&after=latest")]
    [InlineData("/channels/a,b?wait=300")]
    [InlineData("/channels/*?wait=300")]
    public async Task OneThatStartsNowhereWaitsForTheNextMessage(string target)
    {
        await using var host = await Histories.StartAsync();
        await host.PublishManyAsync("a", 3);
        await using var client = await host.ConnectAsync();
        await host.ParkAsync(client, target);
        var receipt = await host.PublishAsync("a", "next");
        var answer = await client.ReadAnswerAsync();
        Assert.Equal((200, receipt.Id.ToString()), (answer.Status, answer.Next));
        Assert.Equal(["next"], answer.Data);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(25)]
    [InlineData(300)]
    public async Task WhenItsTimeIsUpItIsToldWhereToGoOn(int seconds)
    {
        await using var host = await Histories.StartAsync(configure: setup => setup.Time = new FakeTimeProvider());
        string id = (await host.PublishAsync("a", "x")).Id.ToString();
        await using var client = await host.ConnectAsync();
        await host.ParkAsync(client, $"/channels/a?wait={seconds}");
        await host.AdvanceAsync(TimeSpan.FromSeconds(seconds - 1));
        Assert.Equal(0, host.Metrics.EndedInAll);
        await host.AdvanceAsync(TimeSpan.FromSeconds(2));
        var answer = await client.ReadAnswerAsync();
        Assert.Equal((204, id, null, string.Empty), (answer.Status, answer.Next, answer.Tag, answer.Body));
        await host.Metrics.WaitForEndedAsync("Answered");
        await host.Metrics.WaitForActiveAsync(0);

        // And the connection is still good.
        await host.PublishAsync("a", "y");
        Assert.Equal(["y"], (await client.PollAsync($"/channels/a?after={answer.Next}&wait=1")).Data);
    }

    [Fact]
    public async Task PollAfterPollLosesAndRepeatsNothingWhileMessagesArePublished()
    {
        const int Messages = 3000;
        await using var host = await Histories.StartAsync(entries: Messages);
        await using var client = await host.ConnectAsync();
        var publishing = PublishAsync();
        var all = new List<string>();
        string next = "earliest";
        while (all.Count < Messages)
        {
            var answer = await client.PollAsync($"/channels/a?wait=30&limit=50&after={next}");
            Assert.InRange(answer.Data.Length, 1, 50);
            all.AddRange(answer.Data);
            next = answer.Next!;
        }

        await publishing;
        Assert.Equal(Enumerable.Range(0, Messages).Select(i => $"{i}"), all);
        Assert.Empty(host.Logs.AboveDebug);

        async Task PublishAsync()
        {
            for (int i = 0; i < Messages; i++)
            {
                await Task.Yield();
                await host.PublishAsync("a", $"{i}");
            }
        }
    }

    [Fact]
    public async Task AThousandThatWaitAreAnsweredByOneMessage()
    {
        const int Clients = 1000;
        await using var host = await PushHost.StartAsync();
        var clients = new List<RawClient>(Clients);
        for (int i = 0; i < Clients; i++)
        {
            var client = await host.ConnectAsync();
            await client.SendAsync(Heads.Get("/channels/a?wait=300"));
            clients.Add(client);
        }

        await host.Metrics.WaitForActiveAsync(Clients);
        await host.SettleAsync();
        Assert.Equal(Clients, (await host.PublishAsync("a", "for all")).Subscribers);
        foreach (var client in clients)
        {
            Assert.Equal(["for all"], (await client.ReadAnswerAsync()).Data);
            await client.DisposeAsync();
        }

        await host.Metrics.WaitForActiveAsync(0);
        Assert.Equal(Clients, host.Metrics.Ended("Answered"));
        Assert.Equal(0, (await host.PublishAsync("a", "x")).Subscribers);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AClientThatLeavesWhileItWaitsIsUnsubscribed(bool isReset)
    {
        await using var host = await PushHost.StartAsync();
        var client = await host.ConnectAsync();
        await host.ParkAsync(client, "/channels/a?wait=300");
        if (isReset)
        {
            client.Reset();
        }
        else
        {
            await client.DisposeAsync();
        }

        await host.Metrics.WaitForEndedAsync("ClientGone");
        await host.Metrics.WaitForActiveAsync(0);
        await host.SettleAsync();
        Assert.Equal(0, (await host.PublishAsync("a", "x")).Subscribers);
        Assert.Equal(0, host.Get<ChannelHub>().ChannelCount);
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task WhenTheServerStopsTheAnswerIsEmptyAndTheLast()
    {
        await using var host = await PushHost.StartAsync();
        string id = (await host.PublishAsync("a", "x")).Id.ToString();
        await using var client = await host.ConnectAsync();
        await host.ParkAsync(client, "/channels/a?wait=300");
        var stopping = host.StopAsync();
        var answer = await client.ReadAnswerAsync();
        Assert.Equal((204, id), (answer.Status, answer.Next));
        Assert.Empty(await client.ReadToEndAsync());
        await stopping;
        Assert.Equal(1, host.Metrics.Ended("ServerDraining"));
        Assert.Empty(host.Logs.AboveDebug);
    }
}
