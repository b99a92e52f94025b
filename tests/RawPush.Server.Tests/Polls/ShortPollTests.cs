using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RawPush.Fanout.Channels;
using RawPush.Protocol;
using RawPush.Server.Hosting;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Polls;

public sealed class ShortPollTests
{
    [Fact]
    public async Task TheAnswerIsJsonWithTheMessagesAndWhereToGoOn()
    {
        await using var host = await Histories.StartAsync();
        string first = (await host.PublishAsync("a", "\"quoted\" ü\n")).Id.ToString();
        string second = (await host.Publisher.PublishAsync(ChannelName.Parse("a"), new PushMessage(MessageKind.Binary, new byte[] { 0, 255 }), Patience.Token)).Id.ToString();
        await using var client = await host.ConnectAsync();
        var answer = await client.PollAsync("/channels/a");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer.Head, StringComparison.Ordinal);
        Assert.Equal("application/json", RawClient.FieldOf(answer.Head, "Content-Type"));
        Assert.Equal("no-cache", RawClient.FieldOf(answer.Head, "Cache-Control"));
        Assert.Equal(second, answer.Next);
        string expected = $"{{\"messages\":[{{\"channel\":\"a\",\"id\":\"{first}\",\"data\":\"\\\"quoted\\\" ü\\n\"}},"
            + $"{{\"channel\":\"a\",\"id\":\"{second}\",\"data\":\"AP8=\",\"encoding\":\"base64\"}}],\"next\":\"{second}\"}}";
        Assert.Equal(expected, JsonSerializer.Serialize(answer.Json, Relaxed));
        Assert.EndsWith("}\n", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(49)]
    [InlineData(50)]
    [InlineData(51)]
    [InlineData(1000)]
    public async Task AHistoryIsReadToItsEndPageByPage(int limit)
    {
        const int Messages = 150;
        await using var host = await Histories.StartAsync(Messages);
        string[] ids = await host.PublishManyAsync("a", Messages);
        await using var client = await host.ConnectAsync();
        var all = new List<string>();
        string target = $"/channels/a?limit={limit}";
        while (true)
        {
            var answer = await client.PollAsync(target);
            all.AddRange(answer.Data);
            target = $"/channels/a?limit={limit}&after={answer.Next}";
            if (answer.Data.Length == 0)
            {
                Assert.Equal(ids[^1], answer.Next);
                break;
            }

            Assert.Equal(Math.Min(limit, Messages - all.Count + answer.Data.Length), answer.Data.Length);
        }

        Assert.Equal(Enumerable.Range(0, Messages).Select(i => $"{i}"), all);
    }

    [Fact]
    public async Task WithoutALimitAnAnswerHas100Messages()
    {
        await using var host = await Histories.StartAsync(entries: 200);
        await host.PublishManyAsync("a", 150);
        await using var client = await host.ConnectAsync();
        Assert.Equal(100, (await client.PollAsync("/channels/a")).Data.Length);
    }

    [Fact]
    public async Task AnAnswerEndsWithTheMessageThatMakesItAMegabyteLong()
    {
        await using var host = await Histories.StartAsync();
        string large = new('x', 400_000);
        for (int i = 0; i < 5; i++)
        {
            await host.PublishAsync("a", large);
        }

        await using var client = await host.ConnectAsync();
        var answer = await client.PollAsync("/channels/a");
        Assert.Equal(3, answer.Data.Length);
        Assert.Equal(2, (await client.PollAsync($"/channels/a?after={answer.Next}")).Data.Length);
    }

    [Fact]
    public async Task AChannelOfWhichNothingIsKeptIsEmpty()
    {
        await using var host = await PushHost.StartAsync();
        string id = (await host.PublishAsync("a", "gone")).Id.ToString();
        await using var client = await host.ConnectAsync();
        var answer = await client.PollAsync("/channels/a");
        Assert.Equal($"{{\"messages\":[],\"next\":\"{id}\"}}\n", answer.Body);
        await host.SettleAsync();
        Assert.Equal(0, host.Get<ChannelHub>().ChannelCount);
    }

    [Fact]
    public async Task AnAnswerThatIsStillTheSameIsNotSentAgain()
    {
        await using var host = await Histories.StartAsync();
        await host.PublishManyAsync("a", 3);
        await using var client = await host.ConnectAsync();
        var first = await client.PollAsync("/channels/a");
        foreach (string tags in (string[])[first.Tag!, $"W/{first.Tag}", $"\"other\", {first.Tag}"])
        {
            var again = await client.PollAsync("/channels/a", $"If-None-Match: {tags}\r\n");
            Assert.Equal((304, first.Tag, first.Next), (again.Status, again.Tag, again.Next));
        }

        var inTwoFields = await client.PollAsync("/channels/a", $"If-None-Match: \"x\"\r\nif-none-match: {first.Tag}\r\n");
        Assert.Equal(304, inTwoFields.Status);
        Assert.Equal(200, (await client.PollAsync("/channels/a", "If-None-Match: \"x\"\r\n")).Status);
    }

    [Fact]
    public async Task AMessageOfAnotherChannelDoesNotMakeTheAnswerAnotherButOneOfItsOwnDoes()
    {
        await using var host = await Histories.StartAsync();
        await host.PublishManyAsync("a", 3);
        await using var client = await host.ConnectAsync();
        var first = await client.PollAsync("/channels/a");
        await host.PublishAsync("b", "x");
        var same = await client.PollAsync("/channels/a", $"If-None-Match: {first.Tag}\r\n");
        Assert.Equal(304, same.Status);
        await host.PublishAsync("a", "new");
        var news = await client.PollAsync("/channels/a", $"If-None-Match: {first.Tag}\r\n");
        Assert.Equal((200, "new"), (news.Status, news.Data[^1]));
        Assert.NotEqual(first.Tag, news.Tag);
    }

    [Theory]
    [InlineData("/channels/a")]
    [InlineData("/channels/a?last=3")]
    [InlineData("/channels/a?limit=2")]
    [InlineData("/channels/a,b")]
    [InlineData("/channels/*?limit=5")]
    public async Task ThereIsNo304WhenSomethingIsNewOrGone(string target)
    {
        // Small histories, keys and expiry: whatever changes what the client would be sent must change the tag.
        var time = new FakeTimeProvider();
        await using var host = await PushHost.StartAsync(setup =>
        {
            setup.Time = time;
            setup.Options = options => options.Namespaces.Add(new NamespaceOptions { Pattern = ">", HistoryEntries = 4, LagPolicy = LagPolicy.Conflate });
        });
        await using var client = await host.ConnectAsync();
        var random = new Random(1);
        var seen = new Dictionary<string, string>();
        for (int i = 0; i < 300; i++)
        {
            if (random.Next(3) > 0)
            {
                var traits = new MessageTraits
                {
                    Key = random.Next(2) == 0 ? $"k{random.Next(3)}" : null,
                    Expires = random.Next(3) == 0 ? TimeSpan.FromSeconds(random.Next(1, 4)) : null,
                };
                await host.PublishAsync(random.Next(3) > 0 ? "a" : "b", $"{i}", traits);
            }
            else
            {
                await host.AdvanceAsync(TimeSpan.FromSeconds(1));
            }

            var answer = await client.PollAsync(target);
            if (!seen.TryAdd(answer.Tag!, answer.Body))
            {
                Assert.Equal(seen[answer.Tag!], answer.Body);
            }
        }
    }

    [Fact]
    public async Task SeveralChannelsAndPatternsComeInTheOrderOfTheStream()
    {
        await using var host = await Histories.StartAsync();
        string[] channels = ["b", "a", "c.d", "a", "b", "c.e", "other", "c.d"];
        for (int i = 0; i < channels.Length; i++)
        {
            await host.PublishAsync(channels[i], $"{i}");
        }

        await using var client = await host.ConnectAsync();
        Assert.Equal(["0", "1", "2", "3", "4", "5", "7"], (await client.PollAsync("/channels/a,b,c.*")).Data);
        Assert.Equal(["0", "1"], (await client.PollAsync("/channels/a,b,c.*?limit=2")).Data);
    }

    private static JsonSerializerOptions Relaxed { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
