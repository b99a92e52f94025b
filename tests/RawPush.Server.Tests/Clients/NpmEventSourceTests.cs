using System.Text.Json;
using RawPush.Fanout.Publishing;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Clients;

/// <summary>npm's <c>eventsource</c>, which follows the specification of browsers to the letter.</summary>
public sealed class NpmEventSourceTests
{
    [Theory]
    [InlineData("one line")]
    [InlineData("two\nlines")]
    [InlineData("\n\nlines around an empty one\n\n")]
    [InlineData(" a space in front: and a colon")]
    [InlineData("grüße, 世界 🎈")]
    public async Task DataArrivesAsItWasPublished_WithItsId(string data)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a");
        var receipt = await host.Publisher.PublishAsync("a", data, Patience.Token);
        var message = await client.ReadAsync("message");
        Assert.Equal(data, message.GetProperty("data").GetString());
        Assert.Equal(receipt.Id.ToString(), message.GetProperty("id").GetString());
    }

    [Fact]
    public async Task EachChannelIsAnEvent_WhenTheClientFollowsSeveral()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a,b.c", "a", "b.c", "message");
        await host.PublishAsync("b.c", "first");
        await host.PublishAsync("a", "second");
        var first = await client.ReadAsync("message");
        Assert.Equal(("b.c", "first"), (first.GetProperty("type").GetString(), first.GetProperty("data").GetString()));
        var second = await client.ReadAsync("message");
        Assert.Equal(("a", "second"), (second.GetProperty("type").GetString(), second.GetProperty("data").GetString()));
    }

    [Fact]
    public async Task TheClientComesBackByItself_WhenTheServerRestarts()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a", "message", "rawpush.gap");
        string id = (await host.PublishAsync("a", "before")).Id.ToString();
        Assert.Equal("before", (await client.ReadAsync("message")).GetProperty("data").GetString());

        await using var successor = await host.RestartAsync();
        Assert.False((await client.ReadAsync("error")).GetProperty("isFinal").GetBoolean());
        await client.ReadAsync("open");

        // It said where it had been: what it missed while nobody was there is told, and cannot be sent.
        var gap = await client.ReadAsync("message");
        Assert.Equal("rawpush.gap", gap.GetProperty("type").GetString());
        var notice = JsonElement.Parse(gap.GetProperty("data").GetString()!);
        Assert.Equal(("epoch", id), (notice.GetProperty("reason").GetString(), notice.GetProperty("from").GetString()));
        await successor.PublishAsync("a", "after");
        Assert.Equal("after", (await client.ReadAsync("message")).GetProperty("data").GetString());
        await client.SayAsync("close");
        await client.EndAsync();
    }

    [Fact]
    public async Task LongMessagesAndManyArriveInOrder()
    {
        const int Count = 2000;
        await using var host = await Histories.StartAsync(Count + 1);
        await using var client = await OpenAsync(host, "/channels/a");
        string text = string.Create(1024 * 1024, 0, (characters, _) => new Random(1).GetItems("abc de\n", characters));
        await host.PublishAsync("a", text);
        await host.PublishManyAsync("a", Count);
        Assert.Equal(text, (await client.ReadAsync("message")).GetProperty("data").GetString());
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal($"{i}", (await client.ReadAsync("message")).GetProperty("data").GetString());
        }
    }

    [Fact]
    public async Task NothingIsLostOrRepeated_WhenTheConnectionIsCut()
    {
        await using var host = await Histories.StartAsync();
        await using var client = await OpenAsync(host, "/channels/a");
        int published = 0;
        int received = 0;
        for (int cut = 0; cut < 3; cut++)
        {
            await PublishAndReadAsync(5);

            // Cut with something on the way, and published to while it is away.
            for (int i = 0; i < 5; i++)
            {
                await host.PublishAsync("a", $"{published++}");
            }

            await host.CutAsync();
            for (int i = 0; i < 5; i++)
            {
                await host.PublishAsync("a", $"{published++}");
            }

            received = await ReadUpToAsync(received, published);
        }

        await client.SayAsync("close");
        await client.EndAsync();

        async Task PublishAndReadAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                await host.PublishAsync("a", $"{published++}");
            }

            received = await ReadUpToAsync(received, published);
        }

        async Task<int> ReadUpToAsync(int from, int to)
        {
            while (from < to)
            {
                var line = await client.ReadAnyAsync();
                if (line.GetProperty("event").GetString() == "message")
                {
                    Assert.Equal($"{from++}", line.GetProperty("data").GetString());
                }
            }

            return from;
        }
    }

    [Fact]
    public async Task ARefusalIsFinal()
    {
        await using var host = await PushHost.StartAsync();
        await using var client = NodeScript.Start("eventsource.mjs", new Uri(host.Public, "/channels/not%20valid").AbsoluteUri);
        var error = await client.ReadAsync("error");
        Assert.Equal(400, error.GetProperty("code").GetInt32());
        Assert.True(error.GetProperty("isFinal").GetBoolean());
    }

    private static async Task<ClientScript> OpenAsync(PushHost host, string target, params string[] events)
    {
        var client = NodeScript.Start("eventsource.mjs", [new Uri(host.Public, target).AbsoluteUri, .. events]);
        await client.ReadAsync("open");
        return client;
    }
}
