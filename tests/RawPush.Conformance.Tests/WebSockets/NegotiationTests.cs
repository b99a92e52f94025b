using System.Text;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Connections;
using RawPush.Server.Requests;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>13: which offers of permessage-deflate are agreed to, and with what answer (RFC 7692 sections 5 and 7.1, RFC 6455 section 9.1).</summary>
public sealed class NegotiationTests(DeflateHost deflate, EchoHost echo) : IClassFixture<DeflateHost>, IClassFixture<EchoHost>
{
    private const string Extensions = "Sec-WebSocket-Extensions";

    // A server may say so whether or not it was asked (sections 7.1.1.1 and 7.1.1.2), and need not name a window that the client has not named (7.1.2.1).
    private const string Agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    private const string AgreedToWindow = Agreed + "; server_max_window_bits=12";

    public static IEnumerable<TheoryDataRow<HandshakeCase>> Cases
    {
        get
        {
            var cases = new HandshakeList(13);
            AddOffers(cases);
            AddContexts(cases);
            AddServerWindows(cases);
            AddClientWindows(cases);
            AddUnknownAndRepeated(cases);
            AddSeveralOffers(cases);
            AddSeveralFields(cases);
            AddOtherExtensions(cases);
            AddWhiteSpace(cases);
            AddMalformed(cases);
            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task OverASocket(HandshakeCase sample)
    {
        await using var client = await deflate.Host.ConnectAsync();
        await ShakeHandsAsync(client, sample, sample.Field?.Value);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task BehindARequestToSomebodyElse(HandshakeCase sample)
    {
        await using var client = await deflate.Host.ConnectAsync();
        await client.SendAsync(Heads.Get("/hello"));
        await client.ReadResponseAsync();
        await ShakeHandsAsync(client, sample, sample.Field?.Value);
    }

    // Section 5: a server that does not want an extension leaves it out of its answer. What is no list is refused all the same.
    [Theory]
    [MemberData(nameof(Cases))]
    public async Task WithCompressionOff(HandshakeCase sample)
    {
        await using var client = await echo.Host.ConnectAsync();
        await ShakeHandsAsync(client, sample, answer: null);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(HandshakeCase sample)
    {
        byte[] head = Encoding.Latin1.GetBytes(sample.Head);
        for (int cut = 1; cut < head.Length; cut++)
        {
            var handshake = deflate.Host.Get<FrontDoor>().NewHandshake();
            Assert.Equal(HeadVerdict.NeedMore, handshake.Judge(SplitSequence.Of(head.AsMemory(0, cut)), isEnd: false));
            Assert.Equal(HeadVerdict.Ours, handshake.Judge(SplitSequence.Of(head.AsMemory(0, cut), head.AsMemory(cut)), isEnd: false));
            var plan = deflate.Host.Get<Admission>().TryAdmit(handshake.Request, mayPublish: false, out var refusal);
            Assert.Equal((sample.Status, sample.Field?.Value), (refusal?.StatusCode ?? 101, plan?.WebSocket?.Extension));
        }
    }

    private static async Task ShakeHandsAsync(RawClient client, HandshakeCase sample, string? answer)
    {
        await client.SendAsync(Encoding.Latin1.GetBytes(sample.Head));
        string head = await client.ReadHeadAsync();
        Assert.StartsWith($"HTTP/1.1 {sample.Status} ", head, StringComparison.Ordinal);
        Assert.Equal(answer, RawClient.FieldOf(head, Extensions));
        if (sample.Status == 101)
        {
            await AssertTakesCompressedAsync(client, isAgreed: answer is not null);
        }

        client.EndSending();
        await client.ReadToEndAsync();
    }

    /// <summary>The answer is kept: RSV1 means something if that was agreed to, and breaks the rules if not (RFC 6455 section 5.2).</summary>
    private static async Task AssertTakesCompressedAsync(RawClient client, bool isAgreed)
    {
        await client.SendAsync(Compressed.Frames(Opcode.Text, Compressed.Of("Hello"u8)));
        Assert.Equal(isAgreed ? Reply.Text("Hello") : Reply.Refusal(1002), Reply.Of(await client.ReadFrameAsync()));
        if (isAgreed)
        {
            await client.SendAsync(ClientFrames.Close(1000));
            Assert.Equal(Reply.Close(1000), Reply.Of(await client.ReadFrameAsync()));
        }
    }

    private static void AddOffers(HandshakeList cases)
    {
        cases.Section(1);
        Agree(cases, "permessage-deflate");
        Agree(cases, "PERMESSAGE-DEFLATE");
        Agree(cases, "Permessage-Deflate; client_max_window_bits");
        Decline(cases, "permessage-deflat");
        Decline(cases, "permessage-deflate2");
        Decline(cases, "permessage");
        Decline(cases, "deflate");
        cases.Add("No offer is no agreement", HeadWith(), (Extensions, null));
        Decline(cases, "");
    }

    // Sections 7.1.1.1 and 7.1.1.2: both are flags without a value.
    private static void AddContexts(HandshakeList cases)
    {
        cases.Section(2);
        foreach (string parameter in (string[])["server_no_context_takeover", "client_no_context_takeover"])
        {
            Agree(cases, $"permessage-deflate; {parameter}");
            foreach (string value in (string[])["=1", "=true", "=\"x\"", "=15"])
            {
                Decline(cases, $"permessage-deflate; {parameter}{value}");
            }

            Decline(cases, $"permessage-deflate; {parameter.ToUpperInvariant()}");
        }

        Agree(cases, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        Agree(cases, "permessage-deflate; client_no_context_takeover; server_no_context_takeover");
    }

    // Section 7.1.2.1: a number from 8 to 15. The server's own window is of 12 bits, and it must not answer with a longer one than was asked for.
    private static void AddServerWindows(HandshakeList cases)
    {
        cases.Section(3);
        for (int bits = 8; bits <= 15; bits++)
        {
            string offer = $"permessage-deflate; server_max_window_bits={bits}";
            if (bits < 12)
            {
                Decline(cases, offer);
            }
            else
            {
                Agree(cases, offer, AgreedToWindow);
            }
        }

        Agree(cases, "permessage-deflate; server_max_window_bits=\"12\"", AgreedToWindow);
        Agree(cases, "permessage-deflate; server_max_window_bits=\"15\"", AgreedToWindow);
        Agree(cases, "permessage-deflate; server_max_window_bits=13; client_max_window_bits=9; server_no_context_takeover", AgreedToWindow);
        Decline(cases, "permessage-deflate; server_max_window_bits");
        Decline(cases, "permessage-deflate; Server_Max_Window_Bits=12");
        foreach (string value in NoWindows)
        {
            Decline(cases, $"permessage-deflate; server_max_window_bits={value}");
        }
    }

    // Section 7.1.2.2: a number from 8 to 15, or none. The server reads any window, and therefore asks for none.
    private static void AddClientWindows(HandshakeList cases)
    {
        cases.Section(4);
        Agree(cases, "permessage-deflate; client_max_window_bits");
        for (int bits = 8; bits <= 15; bits++)
        {
            Agree(cases, $"permessage-deflate; client_max_window_bits={bits}");
        }

        Agree(cases, "permessage-deflate; client_max_window_bits=\"8\"");
        Agree(cases, "permessage-deflate; client_max_window_bits=\"15\"");
        Decline(cases, "permessage-deflate; CLIENT_MAX_WINDOW_BITS");
        foreach (string value in NoWindows)
        {
            Decline(cases, $"permessage-deflate; client_max_window_bits={value}");
        }
    }

    // Section 7.1: neither must be accepted, whatever else the offer says.
    private static void AddUnknownAndRepeated(HandshakeList cases)
    {
        cases.Section(5);
        foreach (string unknown in (string[])["x", "x=1", "x=\"y\"", "no_context_takeover", "max_window_bits=12", "server_max_window_bit=12"])
        {
            Decline(cases, $"permessage-deflate; {unknown}");
        }

        Decline(cases, "permessage-deflate; client_max_window_bits; x");
        Decline(cases, "permessage-deflate; x; client_max_window_bits");
        foreach (string repeated in (string[])["server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits", "client_max_window_bits=10", "server_max_window_bits=12"])
        {
            Decline(cases, $"permessage-deflate; {repeated}; {repeated}");
        }

        Decline(cases, "permessage-deflate; client_max_window_bits; client_max_window_bits=12");
        Decline(cases, "permessage-deflate; server_max_window_bits=14; client_max_window_bits; server_max_window_bits=13");
    }

    // Section 5.1: in the client's order of preference, the first that can be accepted.
    private static void AddSeveralOffers(HandshakeList cases)
    {
        cases.Section(6);
        Agree(cases, "permessage-deflate, permessage-deflate; server_max_window_bits=12");
        Agree(cases, "permessage-deflate; server_max_window_bits=12, permessage-deflate", AgreedToWindow);
        Agree(cases, "permessage-deflate; server_max_window_bits=10, permessage-deflate");
        Agree(cases, "permessage-deflate; server_max_window_bits=8; server_no_context_takeover, permessage-deflate; server_max_window_bits=14", AgreedToWindow);
        Agree(cases, "permessage-deflate; x, permessage-deflate; server_max_window_bits, permessage-deflate");
        Agree(cases, "permessage-deflate; client_max_window_bits, permessage-deflate; client_max_window_bits");
        Agree(cases, "permessage-deflate, permessage-deflate; x");
        Decline(cases, "permessage-deflate; x, permessage-deflate; y");
        Decline(cases, "permessage-deflate; server_max_window_bits=9, permessage-deflate; server_max_window_bits=10");
    }

    // RFC 6455 section 11.3.2: fields that come several times are one list.
    private static void AddSeveralFields(HandshakeList cases)
    {
        cases.Section(7);
        AgreeFields(cases, Agreed, "permessage-deflate", "permessage-deflate; server_max_window_bits=12");
        AgreeFields(cases, AgreedToWindow, "permessage-deflate; server_max_window_bits=12", "permessage-deflate");
        AgreeFields(cases, Agreed, "x-one", "permessage-deflate");
        AgreeFields(cases, Agreed, "permessage-deflate; x", "x-two", "permessage-deflate; client_max_window_bits");
        AgreeFields(cases, Agreed, "", "permessage-deflate");
        AgreeFields(cases, Agreed, "permessage-deflate", "");
        AgreeFields(cases, null, "x-one", "permessage-deflate; x");
        AgreeFields(cases, null, "permessage-deflate; x", "server_no_context_takeover");
        RefuseFields(cases, "permessage-deflate", "x-one;");
        RefuseFields(cases, "permessage-deflate;", "client_max_window_bits");
        RefuseFields(cases, "permessage-deflate", "; client_max_window_bits");
        RefuseFields(cases, "x; y=\"a", "b\", permessage-deflate");
    }

    private static void AddOtherExtensions(HandshakeList cases)
    {
        cases.Section(8);
        Agree(cases, "x-webkit-deflate-frame, permessage-deflate");
        Agree(cases, "permessage-bzip2; client_max_window_bits, permessage-deflate");
        Agree(cases, "x-one; a; a=1; b=\"c\", x-two, permessage-deflate; server_max_window_bits=15, x-three", AgreedToWindow);
        Agree(cases, "permessage-deflate, x-one");
        Agree(cases, "x-one; permessage-deflate, permessage-deflate");
        Decline(cases, "x-one; permessage-deflate");
        Decline(cases, "x-one; y=permessage-deflate");
        Decline(cases, "x-one, x-two; server_no_context_takeover");
    }

    // RFC 6455 section 9.1, with the white space and the empty elements of RFC 9110 sections 5.6.1 and 5.6.3.
    private static void AddWhiteSpace(HandshakeList cases)
    {
        cases.Section(9);
        Agree(cases, "permessage-deflate;client_max_window_bits;server_no_context_takeover");
        Agree(cases, "permessage-deflate;server_max_window_bits=12,permessage-deflate", AgreedToWindow);
        Agree(cases, "permessage-deflate \t;\t client_max_window_bits ");
        Agree(cases, "permessage-deflate; server_max_window_bits = 12", AgreedToWindow);
        Agree(cases, "permessage-deflate; server_max_window_bits\t=\t\"12\" ;client_max_window_bits", AgreedToWindow);
        Agree(cases, ", permessage-deflate");
        Agree(cases, "permessage-deflate, ,\t, ");
        Agree(cases, "x-one,,permessage-deflate");
    }

    // RFC 6455 section 9.1: what is no such list MUST fail the connection, also when an offer stands in front of the fault.
    private static void AddMalformed(HandshakeList cases)
    {
        cases.Section(10);
        foreach (string value in (string[])
        [
            ";", "=", "\"permessage-deflate\"", "permessage deflate", "permessage/deflate", "permessage-d\u00e9flate",
            "permessage-deflate;", "permessage-deflate;;client_max_window_bits", "permessage-deflate; ;", "; permessage-deflate", "permessage-deflate;,",
            "permessage-deflate client_max_window_bits", "permessage-deflate=1", "permessage-deflate; =12", "permessage-deflate; \"client_max_window_bits\"",
            "permessage-deflate; server_max_window_bits=", "permessage-deflate; server_max_window_bits=;", "permessage-deflate; server_max_window_bits=,",
            "permessage-deflate; server_max_window_bits==12", "permessage-deflate; server_max_window_bits=12=12", "permessage-deflate; server_max_window_bits=12 13",
            "permessage-deflate; server_max_window_bits=(12)", "permessage-deflate; x=\"\"", "permessage-deflate; x=\"",
            "permessage-deflate; x=\"12", "permessage-deflate; x=\"12\\\"", "permessage-deflate; x=\"1 2\"", "permessage-deflate; x=\"12\"13", "permessage-deflate; x=\"a,b\"",
            "permessage-deflate, x-one;", "permessage-deflate, x-one; y=", "permessage-deflate, x-one y", "permessage-deflate, \"",
        ])
        {
            Refuse(cases, value);
        }
    }

    // Not from 8 to 15, or not written as section 7.1.2 writes a number: in decimal, without leading zeros. 268 and 4,108 end in the bits of 12.
    private static string[] NoWindows =>
    [
        "0", "1", "7", "16", "99", "268", "4108", "4294967308", "18446744073709551628", "00", "08", "012", "0012", "+12", "-12", "12.0", "1.2e1", "0xC", "12x", "x12", "twelve",
        "\"7\"", "\"16\"", "\"012\"", "\"1\\2x\"",
    ];

    private static void Agree(HandshakeList cases, string offer, string answer = Agreed) =>
        cases.Add($"'{Shown(offer)}' is agreed to{(answer == AgreedToWindow ? ", with a window" : string.Empty)}", HeadWith(offer), (Extensions, answer));

    private static void Decline(HandshakeList cases, string offer) => cases.Add($"'{Shown(offer)}' is declined", HeadWith(offer), (Extensions, null));

    private static void Refuse(HandshakeList cases, string offer) => cases.Refuse($"'{Shown(offer)}' is refused", 400, HeadWith(offer), (Extensions, null));

    private static void AgreeFields(HandshakeList cases, string? answer, params string[] offers) =>
        cases.Add($"The fields {ShownAll(offers)} are {(answer is null ? "declined" : "agreed to")}", HeadWith(offers), (Extensions, answer));

    private static void RefuseFields(HandshakeList cases, params string[] offers) =>
        cases.Refuse($"The fields {ShownAll(offers)} are refused", 400, HeadWith(offers), (Extensions, null));

    private static string HeadWith(params string[] offers) => Heads.Upgrade("/echo", string.Concat(offers.Select(offer => $"{Extensions}: {offer}\r\n")));

    private static string Shown(string offer) => offer.Replace("\t", "\\t", StringComparison.Ordinal);

    private static string ShownAll(string[] offers) => string.Join(" and ", offers.Select(offer => $"'{Shown(offer)}'"));
}
