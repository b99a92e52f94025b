using System.Text;
using RawPush.Protocol.WebSockets.Deflate;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.WebSockets.Deflate;

public sealed class MessageDeflaterTests : IDisposable
{
    private readonly MessageDeflater _deflater = new();

    public void Dispose() => _deflater.Dispose();

    [Theory]
    [InlineData(64)]
    [InlineData(5000)]
    [InlineData(300_000)]
    public void What_it_deflates_another_implementation_inflates(int length)
    {
        byte[] message = [.. Enumerable.Range(0, length).Select(value => (byte)('a' + (value * value % 17)))];
        byte[] destination = new byte[length];

        int written = _deflater.Deflate(message, destination);

        Assert.InRange(written, 1, length - 1);
        Assert.Equal(message, Compressed.Inflate(destination.AsSpan(0, written)));
    }

    [Fact]
    public void Messages_do_not_refer_to_each_other()
    {
        byte[] message = Encoding.UTF8.GetBytes("the same message, which a window over both would find again");
        byte[] first = new byte[message.Length];
        byte[] second = new byte[message.Length];

        int length = _deflater.Deflate(message, first);

        Assert.Equal(length, _deflater.Deflate(message, second));
        Assert.Equal(first, second);
    }

    [Fact]
    public void Its_matches_reach_back_no_further_than_a_client_may_ask_for()
    {
        // The same noise again, once within the window and once beyond it.
        byte[] noise = new byte[2000];
        new Random(7692).NextBytes(noise);
        byte[] destination = new byte[20_000];

        int near = _deflater.Deflate([.. noise, .. noise], destination);
        int far = _deflater.Deflate([.. noise, .. new byte[1 << PermessageDeflate.WindowBits], .. noise], destination);

        Assert.InRange(near, noise.Length, noise.Length + 200);
        Assert.InRange(far, 2 * noise.Length, 20_000);
    }

    [Fact]
    public void What_would_not_be_shorter_is_refused()
    {
        byte[] noise = new byte[1000];
        new Random(7692).NextBytes(noise);

        Assert.Equal(0, _deflater.Deflate(noise, new byte[2000]));
        Assert.Equal(0, _deflater.Deflate([], []));
        Assert.Equal(0, _deflater.Deflate("ab"u8, new byte[2]));
    }

    [Fact]
    public void What_has_no_room_is_refused()
    {
        byte[] message = new byte[1000];
        int length = _deflater.Deflate(message, new byte[1000]);

        Assert.Equal(0, _deflater.Deflate(message, new byte[length]));
        Assert.Equal(length, _deflater.Deflate(message, new byte[1000]));
    }
}
