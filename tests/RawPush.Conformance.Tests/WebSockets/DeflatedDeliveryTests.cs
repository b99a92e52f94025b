using System.Text;
using RawPush.Fanout.Channels;
using RawPush.Protocol;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;
using static RawPush.Conformance.Tests.WebSockets.Payloads;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>15: messages of channels as clients that agreed to permessage-deflate get them (RFC 7692 sections 6.1, 7.1 and 7.2.1).</summary>
public sealed class DeflatedDeliveryTests(DeflateHost deflate) : IClassFixture<DeflateHost>
{
    // Of the settings: shorter payloads are sent as they are. And of the answer to an offer that names a window.
    private const int BytesMin = 256;
    private const int WindowBytes = 4096;

    private const string OfferWithWindow = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12\r\n";

    /// <summary>A message that is published. Data only.</summary>
    /// <param name="Number">Topic, section and place in it.</param>
    /// <param name="Sentence">What the case shows.</param>
    /// <param name="IsDeflated">Whether it is deflated where payloads go out as they came in.</param>
    public sealed record DeliveryCase(string Number, string Sentence, MessageKind Kind, byte[] Payload, bool IsDeflated)
    {
        public override string ToString() => $"{Number} {Sentence}";
    }

    public static IEnumerable<TheoryDataRow<DeliveryCase>> Cases
    {
        get
        {
            var cases = new List<DeliveryCase>();
            AddTexts(cases);
            AddBinaries(cases);
            AddDistances(cases);
            return cases.Select(sample => new TheoryDataRow<DeliveryCase>(sample) { Label = sample.ToString() });
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task AsTheyAre(DeliveryCase sample)
    {
        await using var clients = await Clients.OpenAsync(deflate.Host, $"raw.{sample.Number}");
        Assert.Equal(sample.IsDeflated, await clients.DeliverAsync(sample.Kind, sample.Payload));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task InEnvelopes(DeliveryCase sample)
    {
        // Even noise becomes shorter, in base64; and the envelope counts.
        await using var clients = await Clients.OpenAsync(deflate.Host, $"json.{sample.Number}", "?format=json");
        bool isDeflated = await clients.DeliverAsync(sample.Kind, sample.Payload);
        Assert.Equal(clients.LastBytes >= BytesMin, isDeflated);
    }

    [Theory]
    [InlineData("", Label = "15.4.1 Messages from 200 to 300 bytes are deflated from 256 on")]
    [InlineData("?format=json", Label = "15.4.2 Envelopes are deflated from 256 bytes on")]
    public async Task FromTheSmallestOn(string query)
    {
        await using var clients = await Clients.OpenAsync(deflate.Host, $"smallest{query.Length}", query);
        var lengths = new SortedSet<int>();
        for (int length = 150; length <= 300; length++)
        {
            bool isDeflated = await clients.DeliverAsync(MessageKind.Text, Encoding.ASCII.GetBytes(Letters(length)));
            Assert.Equal(clients.LastBytes >= BytesMin, isDeflated);
            lengths.Add(clients.LastBytes);
        }

        Assert.Superset(new HashSet<int> { BytesMin - 1, BytesMin }, lengths);
    }

    // Section 7.1.1.1: the answer says that no message refers to another.
    [Theory]
    [InlineData("", Label = "15.5.1 The same message again is the same bytes again, or it would refer to the first")]
    [InlineData("?format=raw", Label = "15.5.2 So it is where the format is asked for by name")]
    public async Task EachByItself(string query)
    {
        await using var client = await deflate.Host.UpgradeAsync($"/channels/again{query.Length}{query}", EchoHost.Offer);
        byte[] text = Encoding.ASCII.GetBytes(Letters(1000));
        byte[][] frames = new byte[3][];
        for (int i = 0; i < frames.Length; i++)
        {
            await PublishAsync(deflate.Host, $"again{query.Length}", MessageKind.Text, text);
            frames[i] = (await client.ReadFrameAsync(mayBeCompressed: true)).Payload;
        }

        Assert.Equal(text, Compressed.Inflate(frames[2]));
        Assert.All(frames, frame => Assert.Equal(frames[0], frame));
    }

    [Theory]
    [InlineData("", Label = "15.6.1 Who resumes gets the bytes that others got")]
    [InlineData("&format=json", Label = "15.6.2 Who resumes gets the bytes of the envelope that others got")]
    public async Task Resumed(string query)
    {
        string channel = $"resumed{query.Length}";
        string before = (await deflate.Host.PublishAsync(channel, "before")).Id.ToString();
        await using var live = await deflate.Host.UpgradeAsync($"/channels/{channel}?a=b{query}", EchoHost.Offer);
        foreach (int length in (int[])[1000, 10, 2000])
        {
            await deflate.Host.PublishAsync(channel, Letters(length));
        }

        await using var late = await deflate.Host.UpgradeAsync($"/channels/{channel}?after={before}{query}", EchoHost.Offer);
        foreach (bool isDeflated in (bool[])[true, false, true])
        {
            var frame = await live.ReadFrameAsync(mayBeCompressed: true);
            Assert.Equal(isDeflated, frame.IsCompressed);
            Assert.Equal((frame.IsCompressed, Convert.ToHexString(frame.Payload)), Describe(await late.ReadFrameAsync(mayBeCompressed: true)));
        }
    }

    // Section 6.1: what is not a message of a channel is never compressed, and RSV1 not set.
    [Theory]
    [InlineData("permessage-deflate", true, Label = "15.7.1 Replies, pongs and the closing frame are sent as they are between deflated messages")]
    [InlineData("permessage-deflate; x", false, Label = "15.7.2 Who offered what cannot be accepted gets messages as they are")]
    [InlineData("x-other", false, Label = "15.7.3 Who offered something else gets messages as they are")]
    public async Task AmongOtherFrames(string offer, bool isDeflated)
    {
        string channel = $"others{offer.Length}";
        await using var client = await deflate.Host.UpgradeAsync($"/channels/{channel}", $"Sec-WebSocket-Extensions: {offer}\r\n");
        await using var echoed = await deflate.Host.UpgradeAsync("/echo", $"Sec-WebSocket-Extensions: {offer}\r\n");
        for (int i = 0; i < 3; i++)
        {
            await deflate.Host.PublishAsync(channel, Letters(1000 + i));
            var frame = await client.ReadFrameAsync(mayBeCompressed: true);
            Assert.Equal(isDeflated, frame.IsCompressed);
            Assert.Equal(Letters(1000 + i), Encoding.UTF8.GetString(isDeflated ? Compressed.Inflate(frame.Payload) : frame.Payload));

            await client.SendAsync(ClientFrames.Ping(Noise(125)));
            Assert.Equal(Reply.Pong(Noise(125)), Reply.Of(await client.ReadFrameAsync()));
            await echoed.SendAsync(ClientFrames.Text(Letters(1000)));
            Assert.Equal(Reply.Text(Letters(1000)), Reply.Of(await echoed.ReadFrameAsync()));
        }

        await client.SendAsync(ClientFrames.Close(1000));
        Assert.Equal(Reply.Close(1000), Reply.Of(await client.ReadFrameAsync()));
    }

    private static void AddTexts(List<DeliveryCase> cases)
    {
        foreach (int length in (int[])[0, 1, 125, 126, BytesMin - 1, BytesMin, BytesMin + 1, 1000, 4096, 65_535, 65_536, 1_048_576])
        {
            Add(cases, 1, $"A text of {length} bytes is {(length >= BytesMin ? "deflated" : "sent as it is")}", MessageKind.Text, Encoding.ASCII.GetBytes(Letters(length)), length >= BytesMin);
        }

        Add(cases, 1, "Text of every length of character is deflated", MessageKind.Text, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("日本語😀é.", 1000))), isDeflated: true);
        Add(cases, 1, "JSON is deflated", MessageKind.Text, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"price\":1.25,\"size\":100},", 40))), isDeflated: true);
    }

    private static void AddBinaries(List<DeliveryCase> cases)
    {
        foreach (int length in (int[])[BytesMin - 1, BytesMin, 10_000, 1_000_000])
        {
            Add(cases, 2, $"{length} zeros are {(length >= BytesMin ? "deflated" : "sent as they are")}", MessageKind.Binary, new byte[length], length >= BytesMin);
        }

        foreach (int length in (int[])[BytesMin, 1000, 10_000, 100_000])
        {
            Add(cases, 2, $"{length} bytes that cannot be made shorter are sent as they are", MessageKind.Binary, Noise(length), isDeflated: false);
        }

        Add(cases, 2, "Noise behind zeros is deflated", MessageKind.Binary, [.. new byte[1000], .. Noise(1000)], isDeflated: true);
        Add(cases, 2, "What looks like the end of a message is deflated", MessageKind.Binary, [.. Enumerable.Repeat((byte[])[0x00, 0x00, 0xFF, 0xFF], 100).SelectMany(bytes => bytes)], isDeflated: true);
    }

    // Section 7.1.2.1: noise that comes again makes a message shorter only while the window still holds it.
    private static void AddDistances(List<DeliveryCase> cases)
    {
        foreach (int distance in (int[])[500, 1000, 3000, 3800, 4096, 4097, 5000, 8192, 20_000, 32_768, 40_000])
        {
            byte[] noise = Noise(400);
            Add(cases, 3, $"Noise that comes again {distance} bytes further on is deflated within the window", MessageKind.Binary, [.. noise, .. new byte[distance - 400], .. noise], isDeflated: true);
        }

        Add(cases, 3, "Noise of 3,000 bytes that comes again is deflated", MessageKind.Binary, [.. Noise(3000), .. Noise(3000)], isDeflated: true);
        Add(cases, 3, "Noise of 4,200 bytes that comes again is out of reach", MessageKind.Binary, [.. Noise(4200), .. Noise(4200)], isDeflated: false);
        Add(cases, 3, "Noise of 10,000 bytes that comes again is out of reach", MessageKind.Binary, [.. Noise(10_000), .. Noise(10_000)], isDeflated: false);
    }

    private static void Add(List<DeliveryCase> cases, int section, string sentence, MessageKind kind, byte[] payload, bool isDeflated) =>
        cases.Add(new DeliveryCase($"15.{section}.{cases.Count(other => other.Number.StartsWith($"15.{section}.", StringComparison.Ordinal)) + 1}", sentence, kind, payload, isDeflated));

    private static (bool IsCompressed, string Payload) Describe(ServerFrame frame) => (frame.IsCompressed, Convert.ToHexString(frame.Payload));

    private static async Task PublishAsync(PushHost host, string channel, MessageKind kind, byte[] payload) =>
        await host.Publisher.PublishAsync(ChannelName.Parse(channel), new PushMessage(kind, payload), Patience.Token);

    /// <summary>Three subscribers: one without the extension, and two that agreed to it with different offers.</summary>
    private sealed class Clients(PushHost host, string channel, RawClient plain, RawClient first, RawClient second) : IAsyncDisposable
    {
        /// <summary>How long the last message was for who has not agreed to anything.</summary>
        public int LastBytes { get; private set; }

        public static async Task<Clients> OpenAsync(PushHost host, string channel, string query = "")
        {
            string target = $"/channels/{channel}{query}";
            return new Clients(host, channel, await host.UpgradeAsync(target), await host.UpgradeAsync(target, EchoHost.Offer), await host.UpgradeAsync(target, OfferWithWindow));
        }

        /// <summary>Publishes a message and reads what becomes of it. Whether it was deflated, which it must be for both or for neither, with the same bytes.</summary>
        public async Task<bool> DeliverAsync(MessageKind kind, byte[] payload)
        {
            await PublishAsync(host, channel, kind, payload);
            var message = await plain.ReadFrameAsync();
            var frame = await first.ReadFrameAsync(mayBeCompressed: true);
            Assert.Equal(Describe(frame), Describe(await second.ReadFrameAsync(mayBeCompressed: true)));
            Assert.Equal((message.Opcode, true), (frame.Opcode, frame.IsFinal));
            LastBytes = message.Payload.Length;
            if (frame.IsCompressed)
            {
                AssertIsDeflated(frame.Payload, message.Payload);
            }
            else
            {
                Assert.Equal(message.Payload, frame.Payload);
            }

            return frame.IsCompressed;
        }

        public async ValueTask DisposeAsync()
        {
            await plain.DisposeAsync();
            await first.DisposeAsync();
            await second.DisposeAsync();
        }

        private static void AssertIsDeflated(byte[] payload, byte[] message)
        {
            Assert.InRange(payload.Length, 1, message.Length - 1);
            Assert.Equal(message, Compressed.Inflate(payload));
            var deflated = ReferenceInflater.Read(payload);
            Assert.Equal(message, deflated.Message);
            Assert.InRange(deflated.FurthestMatch, 0, WindowBytes);
        }
    }
}
