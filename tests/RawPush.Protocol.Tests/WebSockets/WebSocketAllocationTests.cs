using RawPush.Protocol.WebSockets;
using RawPush.TestKit;

namespace RawPush.Protocol.Tests.WebSockets;

public class WebSocketAllocationTests
{
    private const int Iterations = 1000;

    [Fact]
    public void Whole_frames_in_one_chunk_allocate_nothing()
    {
        byte[] wire =
        [
            .. ClientFrames.Frame(Opcode.Text, new byte[64], maskKey: 0), .. ClientFrames.Binary(new byte[64]), .. ClientFrames.Ping("ping"u8),
            .. ClientFrames.Frame(Opcode.Text, new byte[65536], maskKey: 0),
        ];
        var reader = new MessageReader(Reading.LimitBytes);
        var handler = new CountingHandler();
        AssertAllocatesNothing(() => reader.Read(wire.AsSpan(), ref handler, out _));
        Assert.Equal(4 * handler.Pings, handler.Calls);
        Assert.True(reader.IsIdle);
    }

    [Fact]
    public void Frames_cut_by_chunks_borrow_from_the_pool_and_allocate_nothing()
    {
        byte[] wire =
        [
            .. ClientFrames.Frame(Opcode.Binary, new byte[1000], isFinal: false), .. ClientFrames.Ping("ping"u8),
            .. ClientFrames.Frame(Opcode.Continuation, new byte[5000]),
        ];
        var reader = new MessageReader(Reading.LimitBytes);
        var handler = new CountingHandler();
        AssertAllocatesNothing(() =>
        {
            for (int start = 0; start < wire.Length; start += 101)
            {
                reader.Read(wire.AsSpan(start, Math.Min(101, wire.Length - start)), ref handler, out _);
            }
        });
        Assert.Equal(2 * handler.Pings, handler.Calls);
        Assert.Equal(0, reader.BufferedBytes);
    }

    [Fact]
    public void Announcing_much_and_sending_little_costs_little()
    {
        var handler = new CountingHandler();
        byte[] wire = [.. ClientFrames.Header(Opcode.Binary, MessageReader.MessageBytesCeiling), 1];
        long before = GC.GetAllocatedBytesForCurrentThread();
        Read(wire, ref handler);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);   // The pool's own structures included.

        static void Read(byte[] wire, ref CountingHandler handler)
        {
            var reader = new MessageReader(MessageReader.MessageBytesCeiling);
            Assert.Equal(MessageReadStatus.Consumed, reader.Read(wire.AsSpan(), ref handler, out _));
            Assert.Equal(1, reader.BufferedBytes);
            reader.Release();
        }
    }

    [Fact]
    public void Writing_headers_and_close_frames_allocates_nothing()
    {
        byte[] destination = new byte[ClosePayload.FrameBytesMax];
        AssertAllocatesNothing(() =>
        {
            FrameHeaderWriter.Write(destination, Opcode.Text, 70_000);
            ClosePayload.WriteFrame(destination, CloseStatus.GoingAway, "The server is restarting."u8);
        });
    }

    [Fact]
    public void A_handshake_allocates_nothing()
    {
        byte[] key = "dGhlIHNhbXBsZSBub25jZQ=="u8.ToArray();
        byte[] offered = "unknown, rawpush.v1, chat"u8.ToArray();
        byte[] accept = new byte[WebSocketHandshake.AcceptLength];
        string[] supported = ["rawpush.v1"];
        AssertAllocatesNothing(() =>
        {
            WebSocketHandshake.IsValidKey(key);
            WebSocketHandshake.ComputeAccept(key, accept);
            WebSocketHandshake.TryChooseSubprotocol(offered, supported, out _);
        });
    }

    private static void AssertAllocatesNothing(Action action)
    {
        for (int i = 0; i < Iterations; i++)
        {
            action();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Iterations; i++)
        {
            action();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private struct CountingHandler : IMessageHandler
    {
        public long Bytes;
        public int Calls;
        public int Pings;

        public bool OnMessage(MessageKind kind, ReadOnlySpan<byte> payload) => Count(payload);

        public bool OnPing(ReadOnlySpan<byte> payload)
        {
            Pings++;
            return Count(payload);
        }

        public bool OnPong(ReadOnlySpan<byte> payload) => Count(payload);

        public void OnClose(CloseStatus status, ReadOnlySpan<byte> reason) => Count(reason);

        private bool Count(ReadOnlySpan<byte> payload)
        {
            Bytes += payload.Length;
            Calls++;
            return true;
        }
    }
}
