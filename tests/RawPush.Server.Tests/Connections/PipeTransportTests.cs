using System.IO.Pipelines;
using System.Net.Sockets;
using RawPush.Fanout.Delivery;
using RawPush.Server.Connections;
using RawPush.Server.Tests.Fixture;

namespace RawPush.Server.Tests.Connections;

public sealed class PipeTransportTests
{
    private static readonly ConnectionTimeouts Timeouts = new() { HandshakeMs = 10_000, PingMs = 25_000, PeerMs = 20_000, CloseMs = 5_000 };

    [Fact]
    public async Task AFlushThatEndsAfterTheTransportHasLeftTouchesNothing()
    {
        using var loop = new ConnectionLoop(new ThreadPoolShard(0), Timeouts, TimeProvider.System);
        var toClient = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 10, resumeWriterThreshold: 5));
        bool isCut = false;
        var transport = new PipeTransport(loop, "left", () => isCut = true);
        await loop.Shard.SwitchTo();
        transport.Open();
        transport.Connect(new Pair(new Pipe().Reader, toClient.Writer));
        Assert.True(transport.TryWrite("longer than ten bytes"u8, default));
        Assert.True(transport.IsBlocked);
        transport.Leave();

        // The request is over, and what is behind the cut may be serving somebody else; now its last flush ends, with a reader that has gone.
        await toClient.Reader.CompleteAsync();
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Shard.Post(settled.SetResult);
        await settled.Task.WaitAsync(Patience.Token);

        Assert.False(isCut);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnOutputThatHasGoneEndsItsConnectionAndNothingElse(bool isRequests)
    {
        using var loop = new ConnectionLoop(new ThreadPoolShard(0), Timeouts, TimeProvider.System);
        var toClient = new Pipe();
        bool isCut = false;
        var transport = new PipeTransport(loop, "gone", () => isCut = true);
        await loop.Shard.SwitchTo();
        transport.Open();
        transport.Connect(new Pair(new Pipe().Reader, isRequests ? new EndedRequestWriter() : toClient.Writer));
        await toClient.Writer.CompleteAsync();
        await loop.Shard.SwitchTo();

        Assert.True(transport.TryWrite("head"u8, "body"u8));
        Assert.True(isCut);

        // What follows is taken and dropped; the last words as well.
        Assert.Equal(2, transport.Write([[1], [2]]));
        transport.Close(lingers: false, "goodbye"u8);
        transport.Leave();
    }

    [Fact]
    public async Task LastWordsToAnOutputThatHasGoneAreDropped()
    {
        using var loop = new ConnectionLoop(new ThreadPoolShard(0), Timeouts, TimeProvider.System);
        bool isCut = false;
        var transport = new PipeTransport(loop, "gone", () => isCut = true);
        await loop.Shard.SwitchTo();
        transport.Open();
        transport.Connect(new Pair(new Pipe().Reader, new EndedRequestWriter()));

        transport.Close(lingers: false, "goodbye"u8);

        Assert.True(isCut);
        transport.Leave();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnOutputThatItsReaderGaveUpWithAnErrorEndsItsConnectionAndNothingElse(bool isBlocked)
    {
        using var loop = new ConnectionLoop(new ThreadPoolShard(0), Timeouts, TimeProvider.System);
        var toClient = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 10, resumeWriterThreshold: 5));
        bool isCut = false;
        var transport = new PipeTransport(loop, "broken", () => isCut = true);
        await loop.Shard.SwitchTo();
        transport.Open();
        transport.Connect(new Pair(new Pipe().Reader, toClient.Writer));
        if (isBlocked)
        {
            Assert.True(transport.TryWrite("longer than ten bytes"u8, default));
            Assert.True(transport.IsBlocked);
        }

        // As Kestrel's sockets do when a send fails in another way than by a reset: a flush then throws what they threw, at once or when it ends.
        await toClient.Reader.CompleteAsync(new SocketException((int)SocketError.TimedOut));
        await SettleAsync(loop.Shard);
        Assert.Equal(isBlocked, isCut);
        Assert.True(transport.TryWrite("more"u8, default));
        Assert.True(isCut);
        transport.Leave();
    }

    [Theory]
    [InlineData("GET /channels/a HTTP/1.1\r\n")]
    [InlineData("GET /channels/a HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n")]
    public async Task AnInputThatBreaksIsNobodysFault(string sent)
    {
        await using var host = await PushHost.StartAsync();
        await using var client = PipeClient.Connect(host);
        await client.SendAsync(sent);
        await client.BreakAsync(new SocketException((int)SocketError.TimedOut));
        Assert.Empty(host.Logs.AboveDebug);
    }

    [Fact]
    public async Task AnOutputThatCannotEvenBeEndedEndsItsConnectionAndNothingElse()
    {
        using var loop = new ConnectionLoop(new ThreadPoolShard(0), Timeouts, TimeProvider.System);
        bool isCut = false;
        var transport = new PipeTransport(loop, "endless", () => isCut = true);
        await loop.Shard.SwitchTo();
        transport.Open();
        transport.Connect(new Pair(new Pipe().Reader, new EndedRequestWriter { Fault = new InvalidOperationException("It writes what it holds, and may not.") }));
        transport.Close(lingers: false);
        Assert.True(isCut);
        transport.Leave();
    }

    private static Task SettleAsync(Shard shard)
    {
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        shard.Post(() => shard.Post(settled.SetResult));
        return ReturnAsync();

        async Task ReturnAsync()
        {
            await settled.Task.WaitAsync(Patience.Token);
            await shard.SwitchTo();
        }
    }

    /// <summary>As the output of a request that Kestrel's HTTP server has ended: there is no room in it, of any size.</summary>
    private sealed class EndedRequestWriter : PipeWriter
    {
        /// <summary>What its end throws; null for nothing.</summary>
        public Exception? Fault { get; init; }

        public override void Advance(int bytes)
        {
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => default;

        public override Span<byte> GetSpan(int sizeHint = 0) => default;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
            if (Fault is not null)
            {
                throw Fault;
            }
        }
    }

    private sealed record Pair(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
