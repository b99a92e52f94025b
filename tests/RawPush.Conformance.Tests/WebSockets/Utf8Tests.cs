using System.Text;
using RawPush.Protocol.WebSockets;
using RawPush.TestKit;
using static RawPush.Conformance.Tests.WebSockets.Payloads;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>6: text is UTF-8 (RFC 6455 sections 5.6 and 8.1, RFC 3629), and what is not is refused as soon as that is certain.</summary>
public sealed class Utf8Tests(EchoHost echo) : IClassFixture<EchoHost>
{
    // First and last of each length, around the surrogates, around what narrows the second byte, and code points that are no characters but may be sent.
    private static readonly int[] CodePoints =
    [
        0x0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xCFFF, 0xD000, 0xD7FF, 0xE000, 0xFDD0, 0xFDEF, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF,
        0x10000, 0x1FFFE, 0x1FFFF, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFE, 0x10FFFF,
    ];

    // What is wrong, and the number of bytes after which it is certain.
    private static readonly (string Hex, int CertainAt, string What)[] Malformed =
    [
        ("80", 1, "a continuation byte alone"),
        ("BF", 1, "the last continuation byte alone"),
        ("808080", 1, "continuation bytes alone"),
        ("C080", 1, "NUL in two bytes"),
        ("C1BF", 1, "U+007F in two bytes"),
        ("E08080", 2, "NUL in three bytes"),
        ("E09FBF", 2, "U+07FF in three bytes"),
        ("F0808080", 2, "NUL in four bytes"),
        ("F08FBFBF", 2, "U+FFFF in four bytes"),
        ("EDA080", 2, "the first high surrogate"),
        ("EDAFBF", 2, "the last high surrogate"),
        ("EDB080", 2, "the first low surrogate"),
        ("EDBFBF", 2, "the last low surrogate"),
        ("EDA080EDB080", 2, "a pair of surrogates"),
        ("F4908080", 2, "U+110000"),
        ("F4BFBFBF", 2, "U+13FFFF"),
        ("F5808080", 1, "F5, which begins nothing"),
        ("F8888080", 1, "the form of five bytes"),
        ("FC84808080", 1, "the form of six bytes"),
        ("FE", 1, "FE"),
        ("FF", 1, "FF"),
        ("C241", 2, "two bytes cut by a letter"),
        ("C2C2", 2, "two bytes cut by two others"),
        ("E241", 2, "three bytes cut by a letter behind the first"),
        ("E28241", 3, "three bytes cut by a letter behind the second"),
        ("F09F41", 3, "four bytes cut by a letter behind the second"),
        ("F09F9841", 4, "four bytes cut by a letter behind the third"),
        ("F09F98F0", 4, "four bytes cut by four others"),
        ("C2A980", 3, "a continuation byte too many behind two bytes"),
        ("E282AC80", 4, "a continuation byte too many behind three bytes"),
        ("F09F988080", 5, "a continuation byte too many behind four bytes"),
    ];

    private static readonly string[] CutAtTheEnd = ["C2", "DF", "E0", "E282", "ED9F", "F0", "F09F", "F09F98", "F48FBF"];

    public static IEnumerable<TheoryDataRow<WebSocketCase>> Cases
    {
        get
        {
            var cases = new CaseList(6);
            AddValid(cases);
            AddValidInFragments(cases);
            AddMalformed(cases);
            AddCutAtTheEnd(cases);
            AddMalformedInFragments(cases);
            AddWhatNeedNotBeText(cases);
            return cases.Rows;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public Task OverASocket(WebSocketCase sample) => SocketRunner.RunAsync(echo, sample);

    [Theory]
    [MemberData(nameof(Cases))]
    public void InTheParser(WebSocketCase sample) => ParserRunner.Run(sample);

    private static void AddValid(CaseList cases)
    {
        cases.Section(1);
        foreach (int codePoint in CodePoints)
        {
            string character = char.ConvertFromUtf32(codePoint);
            cases.Add($"U+{codePoint:X4} comes back, alone and among letters",
                [.. ClientFrames.Text(character), .. ClientFrames.Text($"a{character}{character}b")], Reply.Text(character), Reply.Text($"a{character}{character}b"));
        }

        string all = string.Concat(CodePoints.Select(char.ConvertFromUtf32));
        cases.Add("All of them in one text come back", ClientFrames.Text(all), Reply.Text(all));
        string many = string.Concat(Enumerable.Repeat("日本語😀é.", 10_000));
        cases.Add("A long text of every length of character comes back", ClientFrames.Text(many), Reply.Text(many));
    }

    // Section 8.1 is about the whole message: a frame may end inside a character.
    private static void AddValidInFragments(CaseList cases)
    {
        cases.Section(2);
        foreach (string character in (string[])["é", "€", "😀"])
        {
            byte[] bytes = Encoding.UTF8.GetBytes(character);
            for (int cut = 1; cut < bytes.Length; cut++)
            {
                cases.Add($"{character} cut behind byte {cut} of {bytes.Length} by a fragment's end comes back",
                    ClientFrames.Fragments(Opcode.Text, bytes[..cut], bytes[cut..]), Reply.Text(character));
            }

            cases.Add($"{character} of which each byte is a fragment comes back", ClientFrames.Fragments(Opcode.Text, Pieces(bytes, 1)), Reply.Text(character));
            cases.Add($"{character} with a ping of malformed text inside comes back",
                [
                    .. ClientFrames.Frame(Opcode.Text, bytes.AsSpan(0, 1), isFinal: false), .. ClientFrames.Ping([0xFF, 0xC3]),
                    .. ClientFrames.Frame(Opcode.Continuation, bytes.AsSpan(1)),
                ],
                Reply.Pong([0xFF, 0xC3]), Reply.Text(character));
        }

        cases.Add("😀 with empty fragments inside comes back",
            ClientFrames.Fragments(Opcode.Text, [0xF0], [], [0x9F, 0x98], [], [0x80], []), Reply.Text("😀"));
    }

    private static void AddMalformed(CaseList cases)
    {
        cases.Section(3);
        foreach (var (hex, _, what) in Malformed)
        {
            cases.AddRefused($"Text with {what} ({hex}) is refused", 1007, ClientFrames.Frame(Opcode.Text, [.. "κ"u8, .. Convert.FromHexString(hex), .. "b"u8]));
        }

        cases.Section(4);
        foreach (var (hex, certainAt, what) in Malformed)
        {
            byte[] bad = Convert.FromHexString(hex)[..certainAt];
            byte[] wire = [.. ClientFrames.Header(Opcode.Text, 1000), .. ClientFrames.Mask([.. "κ"u8, .. bad], ClientFrames.SampleMaskKey)];
            cases.AddRefusedAtLastByte($"{char.ToUpperInvariant(what[0])}{what[1..]} ({hex}) is refused at its byte {certainAt}, with the rest of the frame to come", 1007, wire);
        }
    }

    private static void AddCutAtTheEnd(CaseList cases)
    {
        cases.Section(5);
        foreach (string hex in CutAtTheEnd)
        {
            byte[] cut = [.. "a"u8, .. Convert.FromHexString(hex)];
            cases.AddRefused($"A text that ends inside a character ({hex}) is refused", 1007, ClientFrames.Frame(Opcode.Text, cut));
            cases.AddRefused($"A text in fragments that ends inside a character ({hex}) is refused", 1007, ClientFrames.Fragments(Opcode.Text, "b"u8.ToArray(), cut));
        }

        cases.Add("A character that an empty last fragment leaves cut is refused there",
            new Exchange(ClientFrames.Frame(Opcode.Text, [0xE2, 0x82], isFinal: false)),
            new Exchange(ClientFrames.Frame(Opcode.Continuation, []), Reply.Refusal(1007)));
    }

    private static void AddMalformedInFragments(CaseList cases)
    {
        cases.Section(6);
        foreach (var (hex, certainAt, what) in Malformed.Where(malformed => malformed.CertainAt > 1))
        {
            byte[] bad = Convert.FromHexString(hex);
            cases.Add($"{char.ToUpperInvariant(what[0])}{what[1..]} ({hex}) over two fragments is refused before the message ends",
                new Exchange(ClientFrames.Frame(Opcode.Text, bad.AsSpan(0, certainAt - 1), isFinal: false)),
                new Exchange(ClientFrames.Frame(Opcode.Continuation, bad.AsSpan(certainAt - 1, 1), isFinal: false), Reply.Refusal(1007)));
        }

        cases.Add("Malformed text in a first fragment is refused there",
            ClientFrames.Frame(Opcode.Text, [0x61, 0xFF], isFinal: false), Reply.Refusal(1007));
        cases.Add("A ping before malformed text is answered",
            [.. ClientFrames.Frame(Opcode.Text, [0xED], isFinal: false), .. ClientFrames.Ping("p"u8), .. ClientFrames.Frame(Opcode.Continuation, [0xA0])],
            Reply.Pong("p"u8), Reply.Refusal(1007));
    }

    private static void AddWhatNeedNotBeText(CaseList cases)
    {
        cases.Section(7);
        foreach (string hex in (string[])["FF", "C080", "EDA080", "F4908080", "E282"])
        {
            byte[] bytes = Convert.FromHexString(hex);
            cases.Add($"{hex} comes back as a binary message", ClientFrames.Binary(bytes), Reply.Binary(bytes));
        }

        cases.Add("Text behind a binary message that ended inside a character is read anew",
            [.. ClientFrames.Binary([0xE2, 0x82]), .. ClientFrames.Text("a")], Reply.Binary([0xE2, 0x82]), Reply.Text("a"));
        cases.Add("Malformed text in the fragments of a binary message comes back",
            ClientFrames.Fragments(Opcode.Binary, [0xED], [0xA0]), Reply.Binary([0xED, 0xA0]));
    }
}
