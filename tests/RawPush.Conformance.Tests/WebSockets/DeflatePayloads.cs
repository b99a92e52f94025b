using System.Text;
using RawPush.Protocol.WebSockets;
using RawPush.Server.Tests.Fixture;
using RawPush.TestKit;

namespace RawPush.Conformance.Tests.WebSockets;

/// <summary>Compressed messages, and the cases that they make.</summary>
internal static class DeflatePayloads
{
    /// <summary>"Hello", as RFC 7692 section 7.2.3.1 has it.</summary>
    public static readonly byte[] Hello = Convert.FromHexString("F248CDC9C90700");

    /// <summary>A code for all 286 symbols: of eight bits, and of nine for those for which eight have no room.</summary>
    public static int[] AllCodes => [.. Enumerable.Repeat(8, 226), .. Enumerable.Repeat(9, 60)];

    /// <summary>Begins a section of clients that compress.</summary>
    public static void BeginCompressed(this CaseList cases, int section, int messageBytesMax = PushHost.EchoBytesMax)
    {
        cases.Section(section);
        cases.Setting = sample => sample with { IsCompressed = true, MessageBytesMax = messageBytesMax };
    }

    /// <summary>The payload is that text.</summary>
    public static void AddText(this CaseList cases, string sentence, byte[] compressed, string text) => cases.Add(sentence, Text(compressed), Reply.Text(text));

    /// <summary>The payload is those bytes.</summary>
    public static void AddBinary(this CaseList cases, string sentence, byte[] compressed, byte[] bytes) => cases.Add(sentence, Binary(compressed), Reply.Binary(bytes));

    /// <summary>The payload is no DEFLATE.</summary>
    public static void AddCorrupt(this CaseList cases, string what, byte[] compressed) => cases.AddRefused($"{what} is refused", 1007, Binary(compressed));

    /// <summary>The payload is longer than may be.</summary>
    public static void AddTooBig(this CaseList cases, string what, byte[] compressed) => cases.AddRefused($"{what} is refused", 1009, Text(compressed));

    public static byte[] Text(byte[] compressed) => Compressed.Frames(Opcode.Text, compressed);

    public static byte[] Binary(byte[] compressed) => Compressed.Frames(Opcode.Binary, compressed);

    /// <summary>The first fragment of a compressed text.</summary>
    public static byte[] First(byte[] part) => WithBits(4, ClientFrames.Frame(Opcode.Text, part, isFinal: false));

    /// <summary>The last one.</summary>
    public static byte[] Last(byte[] part) => ClientFrames.Frame(Opcode.Continuation, part);

    /// <summary>A frame with some of RSV1 (4), RSV2 (2) and RSV3 (1).</summary>
    public static byte[] WithBits(int bits, byte[] frame) => [(byte)(frame[0] | (bits << 4)), .. frame[1..]];

    public static byte[] Of(string text) => Compressed.Of(Encoding.UTF8.GetBytes(text));

    /// <summary>The message, and that it is made of those blocks.</summary>
    public static byte[] Made(DeflateWriter writer, params DeflateBlock[] blocks)
    {
        byte[] message = writer.ToMessage();
        Assert.Equal(blocks, ReferenceInflater.Read(message).Blocks);
        return message;
    }

    /// <summary>The bytes in stored blocks of that length.</summary>
    public static DeflateWriter Blocks(byte[] bytes, int length) => bytes.Chunk(length).Aggregate(new DeflateWriter(), (writer, block) => writer.Store(block));

    /// <summary>The same as a message, with empty blocks behind it.</summary>
    public static byte[] Stored(byte[] bytes, int length, int emptyBlocks = 0) =>
        Enumerable.Range(0, emptyBlocks).Aggregate(Blocks(bytes, length), (writer, _) => writer.Store([])).ToMessage();

    /// <summary>The bits of so many symbols: those that are named, and of the others none.</summary>
    public static int[] Codes(int count, params (int Symbol, int Bits)[] codes)
    {
        int[] lengths = new int[count];
        foreach (var (symbol, bits) in codes)
        {
            lengths[symbol] = bits;
        }

        return lengths;
    }
}
