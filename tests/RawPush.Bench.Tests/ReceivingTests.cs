using System.Text;
using RawPush.Swarm.Clients;
using RawPush.Swarm.Dialects;
using RawPush.TestKit;

namespace RawPush.Bench.Tests;

/// <summary>What the load generator finds in a server's bytes does not depend on how they are cut.</summary>
public sealed class ReceivingTests
{
    private static readonly Payload[] Payloads = [new(0, 1, 1, 123), new(3, 0xABCDEF, uint.MaxValue, long.MaxValue), new(1, 2, 3, 4)];

    [Fact]
    public void Payloads_are_found_however_the_stream_is_cut()
    {
        byte[] stream = [.. Payloads.SelectMany(payload => (byte[])[.. "id: 5\ndata: "u8, .. Bytes(payload, 64), .. "\n\n"u8])];
        for (int cut = 0; cut <= stream.Length; cut++)
        {
            var found = new List<Payload>();
            var sink = new Sink(found, []);
            var scanner = default(PayloadScanner);
            scanner.Feed(stream.AsSpan(0, cut), ref sink);
            scanner.Feed(stream.AsSpan(cut), ref sink);
            Assert.Equal(Payloads, found);
        }
    }

    [Fact]
    public void Frames_are_skimmed_however_the_stream_is_cut()
    {
        byte[] stream = [0x81, 64, .. Bytes(Payloads[0], 64), 0x89, 3, 1, 2, 3, 0x82, 126, 0, 200, .. Bytes(Payloads[1], 200), 0x89, 0, 0x88, 2, 3, 232];
        for (int cut = 0; cut <= stream.Length; cut++)
        {
            var found = new List<Payload>();
            var controls = new List<string>();
            var sink = new Sink(found, controls);
            var skimmer = default(FrameSkimmer);
            skimmer.Feed(stream.AsSpan(0, cut), ref sink);
            skimmer.Feed(stream.AsSpan(cut), ref sink);
            Assert.Equal(Payloads[..2], found);
            Assert.Equal(["9:010203", "9:", "8:03E8"], controls);
        }
    }

    [Fact]
    public void Deflated_messages_are_put_together_and_inflated_however_the_stream_is_cut()
    {
        byte[] first = Compressed.Of(Bytes(Payloads[0], 300));
        byte[] second = Compressed.Of(Bytes(Payloads[1], 100));
        byte[] stream =
        [
            0xC1, (byte)first.Length, .. first, 0x41, 5, .. second[..5], 0x89, 1, 9, 0x00, 0, 0x80, (byte)(second.Length - 5), .. second[5..],
            0x81, 64, .. Bytes(Payloads[2], 64),
        ];
        for (int cut = 0; cut <= stream.Length; cut++)
        {
            var found = new List<Payload>();
            var sink = new Sink(found, []);
            var skimmer = default(FrameSkimmer);
            skimmer.Feed(stream.AsSpan(0, cut), ref sink);
            skimmer.Feed(stream.AsSpan(cut), ref sink);
            Assert.Equal(Payloads, found);
        }
    }

    [Fact]
    public void What_is_not_deflated_data_or_is_too_long_is_not_inflated()
    {
        var inflater = new MessageInflater();
        Assert.False(inflater.TryInflate([0x07, 1, 2, 3], 1000, out _));
        Assert.False(inflater.TryInflate(Compressed.Of(new byte[1001]), 1000, out _));
        Assert.True(inflater.TryInflate(Compressed.Of(new byte[1000]), 1000, out var message));
        Assert.Equal((1000, 1), (message.Length, inflater.Messages));
    }

    [Theory]
    [InlineData("", true, false, false)]
    [InlineData("permessage-deflate; server_no_context_takeover; client_no_context_takeover", true, true, false)]
    [InlineData("permessage-deflate; server_no_context_takeover", false, false, true)]
    [InlineData("permessage-deflate", true, false, true)]
    [InlineData("x; server_no_context_takeover", true, false, true)]
    public void An_answer_agrees_to_permessage_deflate_only_as_it_was_offered(string extensions, bool isOffered, bool isAgreed, bool isWrong)
    {
        string head = "HTTP/1.1 101 x\r\n" + (extensions.Length == 0 ? string.Empty : $"sec-websocket-extensions: {extensions}\r\n") + "\r\n";
        Assert.Equal(isAgreed, DeflateOffer.IsAgreed(Encoding.ASCII.GetBytes(head), isOffered, out bool wrong));
        Assert.Equal(isWrong, wrong);
    }

    [Fact]
    public void Answers_to_polls_are_taken_one_by_one_however_the_stream_is_cut()
    {
        byte[] stream = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\netag: 0\r\nLast-Modified: now\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n"u8.ToArray();
        for (int cut = 0; cut <= stream.Length; cut++)
        {
            var reader = new PollReader();
            var answers = new List<PollAnswer>();
            foreach (byte[] piece in new[] { stream[..cut], stream[cut..] })
            {
                reader.Add(piece);
                while (reader.TryTake() is { } answer)
                {
                    answers.Add(answer);
                }
            }

            Assert.Equal([(200, "0", "now", 5), (204, null, null, 0)], answers.Select(answer => (answer.Status, answer.ETag, answer.LastModified, answer.Body.Length)));
        }
    }

    private static byte[] Bytes(Payload payload, int length)
    {
        byte[] bytes = new byte[length];
        payload.WriteTo(bytes, Filling.Of("x", length));
        return bytes;
    }

    private readonly struct Sink(List<Payload> found, List<string> controls) : IPayloadSink, IFrameSink
    {
        private readonly ScannerBox _scanner = new();
        private readonly MessageInflater _inflater = new();

        public void OnPayload(in Payload payload) => found.Add(payload);

        public void OnData(ReadOnlySpan<byte> piece)
        {
            var sink = this;
            _scanner.Value.Feed(piece, ref sink);
        }

        public void OnDeflated(ReadOnlySpan<byte> payload) => OnData(_inflater.TryInflate(payload, 1 << 20, out var message) ? message : default);

        public void OnControl(byte opcode, ReadOnlySpan<byte> payload) => controls.Add($"{opcode}:{Convert.ToHexString(payload)}");
    }

    private sealed class ScannerBox
    {
#pragma warning disable CA1051 // A mutable struct: a property would hand out copies.
        public PayloadScanner Value;
#pragma warning restore CA1051
    }
}
