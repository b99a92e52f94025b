using System.Buffers;
using System.Text;
using RawPush.Protocol.Http;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.Http;

/// <summary>1 to 4. Every head, by the parser alone and over sockets.</summary>
public sealed class HeadTests(HttpHost http) : IClassFixture<HttpHost>
{
    private static readonly HeadCase[] Cases = [.. RequestLineCases.All, .. HostCases.All, .. FieldCases.All, .. LimitCases.All];

    public static IEnumerable<TheoryDataRow<string>> Heads => Cases.Select(head => new TheoryDataRow<string>(head.Number) { TestDisplayName = $"parser: {head}" });

    public static IEnumerable<TheoryDataRow<string, string>> HeadsOnRoutes => Cases.SelectMany(head => PushRoute.Ours.Append(PushRoute.Foreign).Select(route =>
        new TheoryDataRow<string, string>(head.Number, route.Name) { TestDisplayName = $"{route}: {head}" }));

    [Fact]
    public void EveryCaseHasANumberOfItsOwn() => Assert.Equal(Cases.Length, Cases.DistinctBy(head => head.Number).Count());

    [Theory]
    [MemberData(nameof(Heads))]
    public void TheParserDecidesTheSameHoweverTheHeadIsCut(string number)
    {
        var head = Cases.Single(head => head.Number == number);
        byte[] wire = Encoding.Latin1.GetBytes(head.Wire("/channels/a", "Accept: text/event-stream\r\n"));
        var expected = head.Status == 0 ? (HeadStatus.Done, 0, wire.Length) : (HeadStatus.Refused, head.Status, 0);
        Assert.Equal(expected, Parse(new ReadOnlySequence<byte>(wire)));
        Assert.Equal(expected, Parse(SplitSequence.EveryByte(wire)));

        // Long heads are cut at some places only: each cut costs the head.
        int step = wire.Length > 1000 ? wire.Length / 101 : 1;
        for (int cut = 0; cut <= wire.Length; cut += step)
        {
            Assert.Equal(expected, Parse(SplitSequence.At(wire, cut)));
            Assert.Equal(expected, Parse(new ReadOnlySequence<byte>(wire, 0, cut), new ReadOnlySequence<byte>(wire)));
        }
    }

    [Theory]
    [MemberData(nameof(HeadsOnRoutes))]
    public async Task ARouteServesOrRefusesIt(string number, string route)
    {
        var head = Cases.Single(head => head.Number == number);
        await (route == PushRoute.Foreign.Name
            ? IsAnsweredByKestrelAsync(head.Wire(PushRoute.Foreign.Target, PushRoute.Foreign.Fields))
            : IsAnsweredAsync(head, PushRoute.Named(route)));
    }

    private static (HeadStatus Status, int Refusal, int Bytes) Parse(params ReadOnlySequence<byte>[] reads)
    {
        var parser = new RequestHeadParser(new RequestHeadLimits());
        var handler = default(Taker);
        var status = HeadStatus.NeedMore;
        foreach (var read in reads)
        {
            status = parser.Parse(read, ref handler);
        }

        return (status, parser.Refusal.StatusCode, parser.BytesConsumed);
    }

    private async Task IsAnsweredAsync(HeadCase head, PushRoute route)
    {
        string wire = head.Wire(route.Target, route.Fields);
        if (IsKestrels(head, route, wire))
        {
            await IsAnsweredByKestrelAsync(wire);
            return;
        }

        await using var client = await http.SendAsync(wire);
        if (head.Status == 0)
        {
            Assert.Equal(route.StatusOf(wire), (await client.ReadAnswerAsync()).Status);
        }
        else
        {
            Assert.Equal(head.Status, (await client.ReadRefusalAsync()).Status);
            await http.EndsAsync(client);
        }
    }

    /// <summary>What does not even look like ours goes on, and so do polls where we have no sockets of our own.</summary>
    private bool IsKestrels(HeadCase head, PushRoute route, string wire) =>
        (head.Status != 0 && head.IsAboutRequestLine && !PushRoute.IsRecognizable(wire)) || (head.Status == 0 && route == PushRoute.Poll && !http.IsEpoll);

    /// <summary>The answer is that of a listener on which there is nothing of ours.</summary>
    private async Task IsAnsweredByKestrelAsync(string wire)
    {
        await using var client = await http.SendAsync(wire);
        await using var plain = await http.SendAsync(wire, http.Plain);
        var answer = await client.ReadAnswerAsync();
        var expected = await plain.ReadAnswerAsync();
        Assert.Equal(expected.Status, answer.Status);
        Assert.Equal(expected.SaysClose, answer.SaysClose);
        Assert.NotEqual(500, answer.Status);
        if (expected.SaysClose)
        {
            await client.ReadUntilGoneAsync();
        }
    }

    private readonly struct Taker : IRequestHeadHandler
    {
        public bool OnRequestLine(scoped ReadOnlySpan<byte> method, scoped ReadOnlySpan<byte> target, HttpVersion version) => true;

        public void OnField(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
        {
        }
    }
}
