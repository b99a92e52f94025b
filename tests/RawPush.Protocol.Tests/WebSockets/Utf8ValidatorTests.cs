using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using RawPush.Protocol.WebSockets;

namespace RawPush.Protocol.Tests.WebSockets;

public class Utf8ValidatorTests
{
    // What can make good any beginning that can be made good at all.
    private static readonly byte[][] Endings =
    [
        [], [0x80], [0x80, 0x80], [0xA0, 0x80], [0x80, 0x80, 0x80], [0x90, 0x80, 0x80],
    ];

    public static TheoryData<string> ValidTexts =>
    [
        "", "a", "plain ASCII that is longer than any vector, so that the fast path has something to run on, and then some more of it",
        "κόσμε", "\u007F\u0080\u07FF\u0800\uD7FF\uE000\uFFFD\uFFFF\U00010000\U0010FFFF", "😀", "ascii then 😀 then ascii", "日本語のテキスト",
    ];

    [Theory]
    [MemberData(nameof(ValidTexts))]
    public void Valid_text_is_valid_wherever_it_is_split(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int first = 0; first <= bytes.Length; first++)
        {
            for (int second = first; second <= bytes.Length; second++)
            {
                var validator = new Utf8Validator();
                Assert.True(validator.Append(bytes.AsSpan(0, first)));
                Assert.Equal(Utf8.IsValid(bytes.AsSpan(0, first)), validator.IsComplete);
                Assert.True(validator.Append(bytes.AsSpan(first, second - first)));
                Assert.True(validator.Append(bytes.AsSpan(second)));
                Assert.True(validator.IsComplete);
            }
        }
    }

    [Theory]
    [InlineData("80", 1)]           // a continuation byte without a character
    [InlineData("C0", 1)]           // overlong, whatever follows
    [InlineData("C1BF", 1)]
    [InlineData("E080", 2)]         // overlong
    [InlineData("E09F80", 2)]
    [InlineData("EDA0", 2)]         // a surrogate
    [InlineData("EDBFBF", 2)]
    [InlineData("F08F", 2)]         // overlong
    [InlineData("F490", 2)]         // beyond U+10FFFF
    [InlineData("F5", 1)]
    [InlineData("FF", 1)]
    [InlineData("C241", 2)]         // cut by another character
    [InlineData("E28241", 3)]
    [InlineData("F09F9841", 4)]
    [InlineData("F09F98C2", 4)]
    [InlineData("C28080", 3)]       // one continuation byte too many
    [InlineData("F0908080BF", 5)]
    public void Invalid_text_is_refused_at_the_byte_that_proves_it(string hex, int toldAt)
    {
        foreach (string before in new[] { "", "a", "κ", "😀", new string('x', 100) })
        {
            byte[] prefix = Encoding.UTF8.GetBytes(before);
            byte[] bytes = [.. prefix, .. Convert.FromHexString(hex)];
            for (int cut = 0; cut <= bytes.Length; cut++)
            {
                var validator = new Utf8Validator();
                Assert.Equal(cut < prefix.Length + toldAt, validator.Append(bytes.AsSpan(0, cut)));
                Assert.False(validator.Append(bytes.AsSpan(cut)));
                Assert.False(validator.IsComplete);
                Assert.False(validator.Append("a"u8));
                Assert.False(validator.Append([]));
            }
        }
    }

    [Fact]
    public void All_sequences_of_one_to_three_bytes_are_judged_as_the_base_class_library_does()
    {
        int wrong = 0;
        Span<byte> bytes = stackalloc byte[3];
        for (int number = 0; number < 1 << 24; number++)
        {
            bytes[0] = (byte)(number >> 16);
            bytes[1] = (byte)(number >> 8);
            bytes[2] = (byte)number;

            // The shorter ones are prefixes, so each need only be tried once.
            int shortest = bytes[2] != 0 ? 3 : bytes[1] != 0 ? 2 : 1;
            for (int length = shortest; length <= 3; length++)
            {
                wrong += IsJudgedRight(bytes[..length]) ? 0 : 1;
            }
        }

        Assert.Equal(0, wrong);
    }

    [Fact]
    public void A_beginning_is_refused_exactly_when_no_ending_can_save_it()
    {
        int wrong = 0;
        Span<byte> bytes = stackalloc byte[3];
        for (int pair = 0; pair < 1 << 16; pair++)
        {
            bytes[0] = (byte)(pair >> 8);
            bytes[1] = (byte)pair;
            wrong += IsRefusedRight(bytes[..1]) && IsRefusedRight(bytes[..2]) ? 0 : 1;

            // What follows a hopeless pair is hopeless too; that a failure lasts is another test.
            for (int third = 0; third < 256 && CanBeSaved(bytes[..2]); third++)
            {
                bytes[2] = (byte)third;
                wrong += IsRefusedRight(bytes) ? 0 : 1;
            }
        }

        Assert.Equal(0, wrong);
    }

    [Fact]
    public void Reset_forgets_a_failure_and_a_cut_character()
    {
        var validator = new Utf8Validator();
        Assert.False(validator.Append([0xFF]));
        validator.Reset();
        Assert.True(validator.Append([0xE2]));
        Assert.False(validator.IsComplete);
        validator.Reset();
        Assert.True(validator.Append("a"u8));
        Assert.True(validator.IsComplete);
    }

    [Fact]
    public void A_validator_weighs_three_bytes() => Assert.Equal(3, Unsafe.SizeOf<Utf8Validator>());

    private static bool IsJudgedRight(ReadOnlySpan<byte> bytes)
    {
        bool expected = Utf8.IsValid(bytes);
        var whole = new Utf8Validator();
        var inPieces = new Utf8Validator();
        bool piecesAreFine = true;
        for (int i = 0; i < bytes.Length; i++)
        {
            piecesAreFine &= inPieces.Append(bytes.Slice(i, 1));
        }

        return (whole.Append(bytes) && whole.IsComplete) == expected && (piecesAreFine && inPieces.IsComplete) == expected;
    }

    private static bool IsRefusedRight(ReadOnlySpan<byte> bytes)
    {
        var validator = new Utf8Validator();
        return validator.Append(bytes) == CanBeSaved(bytes);
    }

    private static bool CanBeSaved(ReadOnlySpan<byte> beginning)
    {
        Span<byte> text = stackalloc byte[beginning.Length + 3];
        beginning.CopyTo(text);
        foreach (byte[] ending in Endings)
        {
            ending.CopyTo(text[beginning.Length..]);
            if (Utf8.IsValid(text[..(beginning.Length + ending.Length)]))
            {
                return true;
            }
        }

        return false;
    }
}
