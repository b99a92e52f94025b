using System.Text;
using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Channels;

public sealed class ChannelNameTests
{
    private const string TooLong = "a channel name is at most 255 bytes long";
    private const string Empty = "a channel name must not be empty";
    private const string Forbidden = "a channel name must not contain any of * > , / ? # % \" \\";
    private const string Blank = "a channel name must not contain white space or control characters";
    private const string Dots = "a channel name must not start or end with a dot, nor have two in a row";
    private const string Reserved = "channel names under 'rawpush' are reserved";
    private const string NotUtf8 = "a channel name must be UTF-8";

    [Theory]
    [InlineData("a")]
    [InlineData("orders.eu.created")]
    [InlineData("a-b_c:d;e=f&g~@!$'()+[]{}|<^`")]
    [InlineData("café.中文")]
    [InlineData("\U0001F600.\U0001F600")]
    [InlineData("rawpushy")]
    [InlineData("rawpush-eu.a")]
    [InlineData("a.rawpush")]
    [InlineData("Rawpush.a")]
    public void These_are_names(string text)
    {
        Assert.True(ChannelName.TryParse(text, out var fromText, out string? error), error);
        Assert.True(ChannelName.TryParse(Encoding.UTF8.GetBytes(text), out var fromBytes, out error), error);
        Assert.Equal(text, fromText.Value);
        Assert.Equal(text, fromBytes.Value);
        Assert.Equal(text, ChannelName.Parse(text).ToString());
    }

    [Theory]
    [InlineData("", Empty)]
    [InlineData("a*", Forbidden)]
    [InlineData("a.>", Forbidden)]
    [InlineData("a,b", Forbidden)]
    [InlineData("a/b", Forbidden)]
    [InlineData("a?b", Forbidden)]
    [InlineData("a#b", Forbidden)]
    [InlineData("a%20b", Forbidden)]
    [InlineData("a\"b", Forbidden)]
    [InlineData("a\\b", Forbidden)]
    [InlineData(" ", Blank)]
    [InlineData("a b", Blank)]
    [InlineData("a\n", Blank)]
    [InlineData("a\0", Blank)]
    [InlineData("a\u007f", Blank)]
    [InlineData("a\u0085", Blank)]
    [InlineData("a\u00a0", Blank)]
    [InlineData("a\u2028b", Blank)]
    [InlineData(".", Dots)]
    [InlineData(".a", Dots)]
    [InlineData("a.", Dots)]
    [InlineData("a..b", Dots)]
    [InlineData("rawpush", Reserved)]
    [InlineData("rawpush.gap", Reserved)]
    [InlineData("a\ufffd", NotUtf8)]
    public void These_are_not(string text, string expected)
    {
        Assert.False(ChannelName.TryParse(text, out var name, out string? error));
        Assert.Equal(expected, error);
        Assert.Equal(default, name);

        Assert.False(ChannelName.TryParse(Encoding.UTF8.GetBytes(text), out name, out error));
        Assert.Equal(expected, error);
        Assert.Equal(default, name);

        Assert.Equal(expected, Assert.Throws<FormatException>(() => ChannelName.Parse(text)).Message);
    }

    [Theory]
    [InlineData("a", 255)]
    [InlineData("é", 127)]
    [InlineData("中", 85)]
    [InlineData("\U0001F600", 63)]
    public void A_name_may_have_255_bytes_and_not_one_more(string letter, int letters)
    {
        string most = string.Concat(Enumerable.Repeat(letter, letters));
        most += new string('x', ChannelName.BytesMax - Encoding.UTF8.GetByteCount(most));
        AssertAgreement(most, null);
        AssertAgreement(most + "x", TooLong);
    }

    [Fact]
    public void A_lone_surrogate_is_not_UTF_8()
    {
        // Strings made here and not in a table: a test runner that writes arguments down would replace them.
        foreach (string text in new[] { "a\ud800", "\udc00a", "\ud800\ud800", "\udc00\ud800", "a.\udbff.b" })
        {
            Assert.False(ChannelName.TryParse(text, out _, out string? error));
            Assert.Equal(NotUtf8, error);
        }
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_no_name()
    {
        byte[][] samples = [[0x80], [0x61, 0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF]];
        foreach (byte[] sample in samples)
        {
            Assert.False(ChannelName.TryParse(sample, out _, out string? error));
            Assert.Equal(NotUtf8, error);
        }
    }

    [Fact]
    public void Text_and_its_bytes_are_judged_alike()
    {
        string[] alphabet = ["a", "b", ".", ".", "rawpush", "é", "中", "\U0001F600", "*", "/", "\"", " ", "\0", "\u2028", "\ufffd", new('y', 80)];
        var random = new Random(1);
        int valid = 0;
        for (int round = 0; round < 20_000; round++)
        {
            // Mostly letters, or almost nothing would be a name.
            int variety = random.Next(2) == 0 ? 8 : alphabet.Length;
            string text = string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => alphabet[random.Next(variety)]));
            valid += ChannelName.TryParse(text, out _, out string? error) ? 1 : 0;
            AssertAgreement(text, error);
        }

        Assert.InRange(valid, 2_000, 18_000);
    }

    [Fact]
    public void Names_are_equal_when_their_text_is()
    {
        var name = ChannelName.Parse("a.b");
        Assert.True(ChannelName.TryParse("a.b"u8, out var same, out _));
        var other = ChannelName.Parse("a.B");

        Assert.True(name == same);
        Assert.False(name != same);
        Assert.True(name.Equals((object)same));
        Assert.Equal(name.GetHashCode(), same.GetHashCode());
        Assert.True(name != other);
        Assert.False(name.Equals((object)"a.b"));
        Assert.Equal("", default(ChannelName).Value);
        Assert.Equal(default, default(ChannelName));
        Assert.NotEqual(default, name);
    }

    private static void AssertAgreement(string text, string? expected)
    {
        bool isName = ChannelName.TryParse(text, out var fromText, out string? textError);
        Assert.Equal(isName, ChannelName.TryParse(Encoding.UTF8.GetBytes(text), out var fromBytes, out string? bytesError));
        Assert.Equal(isName, expected is null);
        Assert.Equal(expected, textError);
        Assert.Equal(expected, bytesError);
        Assert.Equal(fromText, fromBytes);
    }
}
