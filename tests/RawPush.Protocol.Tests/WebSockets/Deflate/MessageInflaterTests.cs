using System.IO.Compression;
using System.Text;
using RawPush.Protocol.WebSockets.Deflate;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.WebSockets.Deflate;

public sealed class MessageInflaterTests : IDisposable
{
    private const int LimitBytes = 1 << 20;

    private readonly MessageInflater _inflater = new();

    public void Dispose() => _inflater.Dispose();

    [Theory]
    [InlineData("F248CDC9C90700", "Hello")]
    [InlineData("000500FAFF48656C6C6F00", "Hello")]
    [InlineData("F348CDC9C9070000", "Hello")]
    [InlineData("F2480500 0000FFFFCAC9C90700", "Hello")]
    [InlineData("00", "")]
    [InlineData("01", "")]   // Section 7.2.1: any empty block that is stored may lose its end, a last one as well.
    public void The_samples_of_the_standard_are_inflated(string compressed, string message) =>
        Assert.Equal((InflateStatus.Done, message), Inflate(Convert.FromHexString(compressed.Replace(" ", ""))));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(LimitBytes - 1)]
    [InlineData(LimitBytes)]
    public void What_another_implementation_has_deflated_comes_back(int length)
    {
        byte[] noise = new byte[length];
        new Random(7692).NextBytes(noise);
        byte[] text = [.. noise.Select(value => (byte)('a' + (value % 4)))];

        Assert.Equal(InflateStatus.Done, _inflater.Inflate(Compressed.Of(noise), LimitBytes, out var first));
        Assert.True(first.SequenceEqual(noise));
        Assert.Equal(InflateStatus.Done, _inflater.Inflate(Compressed.Of(text), LimitBytes, out var second));
        Assert.True(second.SequenceEqual(text));
    }

    [Fact]
    public void One_byte_over_the_limit_is_too_big()
    {
        byte[] compressed = Compressed.Of(new byte[1001]);

        Assert.Equal(InflateStatus.Done, _inflater.Inflate(compressed, 1001, out _));
        Assert.Equal(InflateStatus.TooBig, _inflater.Inflate(compressed, 1000, out var message));
        Assert.True(message.IsEmpty);
    }

    [Theory]
    [InlineData("4A4C1A030000", InflateStatus.TooBig)]   // Two letters, and then a length that there is not.
    [InlineData("4A1C4B4A0600", InflateStatus.Corrupt)]   // The length behind the first.
    public void Of_two_faults_the_first_is_told(string compressed, InflateStatus status)
    {
        Assert.Equal(status, _inflater.Inflate(Convert.FromHexString(compressed), 1, out _));
        Assert.Equal(status == InflateStatus.TooBig ? 2 : 1, _inflater.InflatedBytes);
    }

    [Fact]
    public void A_bomb_is_not_expanded_past_the_limit()
    {
        // A thousandth of what it becomes.
        byte[] bomb = Compressed.Of(new byte[256 << 20]);
        Assert.InRange(bomb.Length, 1, 300_000);
        _inflater.Inflate(bomb, LimitBytes, out _);
        _inflater.Release();

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(InflateStatus.TooBig, _inflater.Inflate(bomb, LimitBytes, out _));
        _inflater.Release();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * LimitBytes);
    }

    [Theory]
    [InlineData("")]   // Nothing at all: an empty message is one byte.
    [InlineData("F248CDC9")]   // Cut off.
    [InlineData("07")]   // A block of a kind that there is not.
    [InlineData("000500FAFE48656C6C6F00")]   // A length that its complement denies.
    [InlineData("F348CDC9C907")]   // A last block, and nothing behind it.
    [InlineData("FFFFFFFF")]
    [InlineData("04E0DB922449922CCB7E2B128B9A4756CFDAE7FFDF0E00")]   // Its block ends a bit before the end: 15 ones of it are a code.
    public void What_is_no_whole_message_is_corrupt(string compressed) =>
        Assert.Equal((InflateStatus.Corrupt, ""), Inflate(Convert.FromHexString(compressed)));

    [Fact]
    public void Every_cut_of_a_message_is_corrupt_or_another_message()
    {
        byte[] compressed = Compressed.Of(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a channel is a log, ", 40))));
        int whole = 0;
        for (int length = 0; length <= compressed.Length; length++)
        {
            whole += _inflater.Inflate(compressed.AsSpan(0, length), LimitBytes, out _) == InflateStatus.Done ? 1 : 0;
        }

        Assert.Equal(1, whole);
    }

    [Fact]
    public void A_message_cannot_refer_to_the_one_before_it()
    {
        // The second message of a stream with context takeover: a match that reaches into the first.
        using var stream = new MemoryStream();
        using var deflate = new DeflateStream(stream, CompressionLevel.SmallestSize, leaveOpen: true);
        byte[] secret = Encoding.UTF8.GetBytes("a secret of another client, long enough for a match");
        deflate.Write(secret);
        deflate.Flush();
        int end = (int)stream.Length;
        deflate.Write(secret);
        deflate.Flush();
        byte[] both = stream.ToArray();
        Assert.Equal(InflateStatus.Done, _inflater.Inflate(both.AsSpan(0, end - 4), LimitBytes, out _));

        Assert.Equal(InflateStatus.Corrupt, _inflater.Inflate(both.AsSpan(end, both.Length - end - 4), LimitBytes, out _));
        Assert.Equal((InflateStatus.Done, "Hello"), Inflate(Convert.FromHexString("F248CDC9C90700")));
    }

    [Fact]
    public void Inflating_allocates_nothing_but_once()
    {
        byte[] compressed = Compressed.Of(new byte[10_000]);
        int done = 0;
        void Run()
        {
            done += _inflater.Inflate(compressed, LimitBytes, out _) == InflateStatus.Done ? 1 : 0;
            _inflater.Release();
        }

        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Run();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(101, done);
    }

    private (InflateStatus Status, string Message) Inflate(byte[] compressed)
    {
        var status = _inflater.Inflate(compressed, LimitBytes, out var message);
        return (status, Encoding.UTF8.GetString(message));
    }
}
