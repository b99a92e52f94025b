using System.Globalization;
using System.Net.Sockets;
using System.Text;
using RawPush.Fanout.Brokers.Nats;
using RawPush.Fanout.Channels;
using RawPush.TestKit.Nats;

namespace RawPush.Fanout.Tests.Brokers.Nats;

/// <summary>Whatever channels are called, they and NATS's subjects mean the same: random names, and what a real server makes of them.</summary>
public sealed class BusSubjectsTests
{
    private const string NotInNames = "*>,/?#%\"\\ \t\r\n\0\u007f\u0085\u00a0\u2003\u2028\u3000\ufffd";

    // Few, so that patterns match.
    private static readonly string[] Tokens = ["a", "b", "in", "é", "☃", "\U0001d11e", "$SYS", "_INBOX"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_channel_comes_back_as_it_went_and_what_is_no_channel_does_not_come(int seed)
    {
        var random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            var subjects = new BusSubjects(CreateName(random, 3));
            string name = CreateName(random, ChannelName.BytesMax);
            Assert.True(subjects.TryRead(subjects.Of(name), out var channel));
            Assert.Equal(name, channel.Value);

            string damaged = Damage(random, subjects.Of(name));
            if (subjects.TryRead(damaged, out channel))
            {
                Assert.Equal(damaged, subjects.Of(channel.Value));
                Assert.Equal(channel, ChannelName.Parse(channel.Value));
            }
            else
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 19_000);
    }

    [Fact]
    public async Task A_channel_is_one_subject_to_NATS()
    {
        var random = new Random(3);
        var subjects = new BusSubjects("push.é");
        string[] expected = [.. Enumerable.Range(0, 500).Select(_ => subjects.Of(CreateName(random, ChannelName.BytesMax)))];
        await using var nats = await NatsServer.StartAsync();
        using var client = await RawNatsClient.ConnectAsync(nats);
        await client.SubscribeAsync(subjects.Of(">"), "all");
        Assert.Equal(expected, (await client.PublishAsync(expected)).Select(message => message.Subject));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_pattern_means_the_same_channels_to_NATS_as_to_us(int seed)
    {
        var random = new Random(seed);
        var subjects = new BusSubjects("push");
        var tree = new SubjectTree<string>();
        await using var nats = await NatsServer.StartAsync();
        using var client = await RawNatsClient.ConnectAsync(nats);
        while (tree.Count < 60)
        {
            string pattern = CreatePattern(random);
            if (tree.Find(pattern) is null)
            {
                tree.Add(pattern, pattern);
                await client.SubscribeAsync(subjects.Of(pattern), pattern);
            }
        }

        string[] names = [.. Enumerable.Range(0, 100).Select(_ => CreateShortName(random)).Distinct()];
        var came = (await client.PublishAsync([.. names.Select(subjects.Of)])).ToLookup(message => message.Subject, message => message.By);
        var found = new List<string>();
        int matches = 0;
        foreach (string name in names)
        {
            found.Clear();
            tree.FindMatches(name, found);
            Assert.Equal(found.Order(StringComparer.Ordinal), came[subjects.Of(name)].Order(StringComparer.Ordinal));
            matches += found.Count;
        }

        Assert.InRange(matches, names.Length, 20 * names.Length);
    }

    [Fact]
    public async Task Two_prefixes_never_see_the_same_message()
    {
        var random = new Random(6);
        string[] prefixes = [.. Enumerable.Range(0, 200).Select(_ => CreateShortName(random)).Distinct().Where(prefix => new NatsBrokerSettings { Prefix = prefix }.FindPrefixFault() is null)];
        Assert.InRange(prefixes.Length, 20, 200);
        await using var nats = await NatsServer.StartAsync();
        using var client = await RawNatsClient.ConnectAsync(nats);
        foreach (string prefix in prefixes)
        {
            await client.SubscribeAsync(new BusSubjects(prefix).Of(">"), prefix);
        }

        foreach (string prefix in prefixes)
        {
            var subjects = new BusSubjects(prefix);
            string[] published = [.. Enumerable.Range(0, 20).Select(_ => subjects.Of(CreateShortName(random)))];
            Assert.Equal(published.Select(subject => (subject, prefix)), await client.PublishAsync(published));
            Assert.All(published, subject => Assert.Equal([prefix], prefixes.Where(other => new BusSubjects(other).TryRead(subject, out _))));
        }
    }

    [Theory]
    [InlineData("in")]
    [InlineData("a.in")]
    [InlineData("a.out.b")]
    [InlineData("a..b")]
    [InlineData("a.*")]
    [InlineData("")]
    public void A_prefix_that_could_be_mistaken_is_none(string prefix) => Assert.NotNull(new NatsBrokerSettings { Prefix = prefix }.FindPrefixFault());

    private static string CreateName(Random random, int bytesMax)
    {
        while (true)
        {
            var name = new StringBuilder();
            int bytes = random.Next(1, bytesMax + 1);
            while (Encoding.UTF8.GetByteCount(name.ToString()) is int length && length < bytes)
            {
                name.Append(random.Next(6) == 0 && length > 0 ? "." : CreateRune(random).ToString());
            }

            if (ChannelName.TryParse(name.ToString(), out _, out _))
            {
                return name.ToString();
            }
        }
    }

    private static Rune CreateRune(Random random)
    {
        while (true)
        {
            int top = random.Next(4) switch { 0 => 0x80, 1 => 0x800, 2 => 0x10000, _ => 0x110000 };
            if (Rune.TryCreate(random.Next(0x21, top), out var rune) && !NotInNames.Contains(rune.ToString(), StringComparison.Ordinal)
                && !Rune.IsControl(rune) && !Rune.IsWhiteSpace(rune))
            {
                return rune;
            }
        }
    }

    private static string Damage(Random random, string subject)
    {
        int at = random.Next(subject.Length);
        return random.Next(5) switch
        {
            0 => subject[..at],
            1 => subject[at..],
            2 => subject.Insert(at, "."),
            3 => subject.Insert(at, NotInNames[random.Next(NotInNames.Length)].ToString()),
            _ => subject.Remove(at, 1),
        };
    }

    private static string CreateShortName(Random random) => string.Join('.', random.GetItems(Tokens, random.Next(1, 5)));

    private static string CreatePattern(Random random)
    {
        string[] tokens = CreateShortName(random).Split('.');
        tokens[random.Next(tokens.Length)] = "*";
        tokens[random.Next(tokens.Length)] = "*";
        if (random.Next(3) == 0)
        {
            tokens[^1] = ">";
        }

        return string.Join('.', tokens);
    }

    /// <summary>Speaks NATS's protocol by hand, and strictly: what a client library lets through or changes is not in between.</summary>
    private sealed class RawNatsClient : IDisposable
    {
        private readonly TcpClient _tcp;
        private readonly StreamReader _reader;
        private readonly List<string> _subscriptions = [];

        private RawNatsClient(TcpClient tcp)
        {
            _tcp = tcp;
            _reader = new StreamReader(tcp.GetStream(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        }

        public static async Task<RawNatsClient> ConnectAsync(NatsServer nats)
        {
            var tcp = new TcpClient();
            await tcp.ConnectAsync("127.0.0.1", nats.Port, TestContext.Current.CancellationToken);
            var client = new RawNatsClient(tcp);
            Assert.StartsWith("INFO ", await client.ReadLineAsync(), StringComparison.Ordinal);
            await client.SendAsync("CONNECT {\"verbose\":false,\"pedantic\":true}\r\n");
            return client;
        }

        public async Task SubscribeAsync(string subject, string name)
        {
            await SendAsync($"SUB {subject} {_subscriptions.Count}\r\n");
            _subscriptions.Add(name);
        }

        /// <summary>Publishes to each, and says what has come by which subscription.</summary>
        public async Task<List<(string Subject, string By)>> PublishAsync(string[] subjects)
        {
            var messages = new List<(string, string)>();
            foreach (string[] part in subjects.Chunk(50))
            {
                // In parts, so that neither of us waits for the other to read.
                await SendAsync(string.Concat(part.Select(subject => $"PUB {subject} 1\r\nx\r\n")) + "PING\r\n");
                while (await ReadLineAsync() is { } line && line != "PONG")
                {
                    // MSG subject sid bytes, and the payload on a line of its own.
                    string[] words = line.Split(' ');
                    Assert.True(words is ["MSG", _, _, "1"], line);
                    messages.Add((words[1], _subscriptions[int.Parse(words[2], CultureInfo.InvariantCulture)]));
                    Assert.Equal("x", await ReadLineAsync());
                }
            }

            return messages;
        }

        public void Dispose()
        {
            _reader.Dispose();
            _tcp.Dispose();
        }

        private async Task SendAsync(string text) => await _tcp.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken);

        private async Task<string> ReadLineAsync()
        {
            string? line = await _reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(NatsClient.Patience, TestContext.Current.CancellationToken);
            return line ?? throw new EndOfStreamException("NATS has closed the connection.");
        }
    }
}
